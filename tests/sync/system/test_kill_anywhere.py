"""The real program killed at a spread of points; `scripts/kill_anywhere --all` tries every one."""

import json
import subprocess
import sys
from random import Random

import pytest

from tests.architecture.source import ROOT
from tests.sync.system.killing.places import THEN, spread_of, twice
from tests.sync.system.killing.scenes import ACTS

ACTS_COUNT = 4
DEATHS = {"sqlite": (12, 5), "postgresql": (4, 2)}
"""How many deaths each act sees on a database, and in how many the recovery is killed as well."""
DEATHS_MIN = 60
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


@pytest.mark.parametrize("database", DEATHS)
def test_the_program_loses_and_doubles_nothing_wherever_it_is_killed(database: str) -> None:
    deaths, doubles = DEATHS[database]

    ended = kill_anywhere(
        *("--database", database, "--spread", str(deaths), "--doubles", str(doubles))
    )
    acts = json.loads(ended.stdout)["phases"] if ended.stdout else []

    assert ended.returncode == 0, ended.stderr
    assert [act["losses"] for act in acts] == [{}] * ACTS_COUNT
    # Where a point was not there, others were tried until so many had died.
    assert [act["killed"] for act in acts] == [deaths] * ACTS_COUNT, ended.stderr


def test_as_many_deaths_are_died_as_were_promised() -> None:
    deaths = sum(deaths for deaths, _ in DEATHS.values())

    assert len(ACTS) == ACTS_COUNT
    assert ACTS_COUNT * deaths >= DEATHS_MIN


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
