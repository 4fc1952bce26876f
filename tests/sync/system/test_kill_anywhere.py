"""The real program killed at a spread of points; `scripts/kill_anywhere --all` tries every one."""

import json
import subprocess
import sys
from random import Random

import pytest

from tests.architecture.source import ROOT
from tests.sync.system.killing.places import THEN, spread_of, twice

POINTS = {
    ("sqlite", "ingest"): (6, 2),
    ("sqlite", "make"): (18, 7),
    ("sqlite", "change"): (18, 7),
    ("postgresql", "ingest"): (4, 1),
    ("postgresql", "make"): (8, 3),
    ("postgresql", "change"): (8, 3),
}
"""How many points are tried, and at how many of them the recovery is killed as well."""
UNSETTLED = "outcome_writer.py:settle"
"""Where something has had its effect, and nothing says so yet."""


def kill_anywhere(*words: str) -> subprocess.CompletedProcess[str]:
    # A process of its own: it forks, which only who has no threads and no loop may do.
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "kill_anywhere", "--json", "--jobs", "2", *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("database", "act"), POINTS)
def test_the_program_loses_and_doubles_nothing_wherever_it_is_killed(
    database: str, act: str
) -> None:
    points, doubles = POINTS[database, act]

    ended = kill_anywhere(
        *("--database", database, "--act", act),
        *("--spread", str(points), "--doubles", str(doubles)),
    )
    found = json.loads(ended.stdout)["phases"][0] if ended.stdout else {}

    assert ended.returncode == 0, ended.stderr
    assert (found["tried"], found["losses"]) == (points, {})
    # What waits for the clock may come in another order, and a point may then not be there.
    assert found["killed"] >= points * 2 // 3, found["missed"]


def test_a_program_that_forgets_what_it_may_have_sent_is_found_out() -> None:
    ended = kill_anywhere(
        *("--database", "sqlite", "--act", "make", "--forgetful"),
        *("--only", UNSETTLED, "--spread", "4", "--doubles", "0"),
    )

    assert ended.returncode == 1, ended.stdout
    assert "is there 2 times" in ended.stderr
    assert "again: scripts/kill_anywhere --database sqlite --act make" in ended.stderr


def test_a_spread_has_every_place_before_any_comes_again() -> None:
    points = [f"await here #{number}" for number in range(1, 10)] + ["await there #1"]

    chosen = spread_of(points, 2, rng=Random(1))

    assert {point.rpartition(" ")[0] for point in chosen} == {"await here", "await there"}
    assert sorted(spread_of(points, 100, rng=Random(1))) == sorted(points)


def test_a_second_death_comes_no_later_than_its_run_is_long() -> None:
    points = [f"await here #{number}" for number in range(1, 101)]

    pairs = twice(points[90:], points, 50, rng=Random(1))

    assert len(pairs) == 50
    assert all(1 <= int(pair.partition(f"{THEN}@")[2]) <= 28 for pair in pairs)
