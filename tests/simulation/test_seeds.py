"""Seeds run in processes of their own, since a hash seed can only be pinned from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.command import replay

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulate"
SEEDS = 500
SEEDS_AT_ONCE = 50


def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    command = [sys.executable, str(SCRIPT), "--lines", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return (
        answer.returncode,
        [json.loads(each) for each in answer.stdout.splitlines()],
        answer.stderr,
    )


def wrong(reports: list[dict[str, Any]]) -> Iterator[str]:
    for report in reports:
        for violation in report["violations"]:
            yield f"seed {report['seed']}: {violation} ({replay(report['seed'], hosts=None)})"


@pytest.mark.parametrize("first", range(1, SEEDS + 1, SEEDS_AT_ONCE))
def test_whatever_befalls_the_hosts_it_comes_right(first: int) -> None:
    code, reports, errors = run(f"--from={first}", f"--seeds={SEEDS_AT_ONCE}")

    assert not list(wrong(reports))
    assert (code, len(reports)) == (0, SEEDS_AT_ONCE), errors


def test_a_seed_is_the_same_run_alone_beside_others_and_in_another_process() -> None:
    alone = run("--from=7", "--seeds=1")[1]
    beside = run("--from=6", "--seeds=2")[1]
    shared = run("--from=6", "--seeds=2", "--jobs=2")[1]

    assert alone == beside[1:]
    assert beside == shared
    assert alone[0]["root"]
    assert alone[0]["journal"]
