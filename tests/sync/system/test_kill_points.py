"""A process killed at a few points of everything it does; `scripts/kill_points` tries them all."""

import json
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT
from tests.conftest import DATABASES
from tests.sync.system.killing.outside import leaf_of, root_of
from tests.sync.system.killing.phases import PHASES

POINTS_OF_A_PHASE = 1


@pytest.mark.parametrize("database", DATABASES)
def test_nothing_is_lost_wherever_a_process_is_killed(database: str) -> None:
    # A process of its own: it forks, which only who has no threads and no loop may do.
    words = ("--json", "--database", database, "--points", str(POINTS_OF_A_PHASE))
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts" / "kill_points", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    phases = json.loads(ended.stdout)["phases"] if ended.stdout else []

    assert ended.returncode == 0, ended.stderr
    assert [phase["phase"] for phase in phases] == list(PHASES)
    assert {phase["killed"] for phase in phases} == {POINTS_OF_A_PHASE}


def test_the_tree_from_outside_is_that_of_the_standard() -> None:
    # The vectors of RFC 6962's reference implementation: the empty tree, and one empty leaf.
    assert root_of([]).hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert leaf_of(b"").hex().startswith("6e340b9cffb37a989ca544e6bb780a2c")
    assert root_of([b"", b"\x00", b"\x10"]).hex().startswith("aeb6bcfe274b70a14fb067a5e5578264")
