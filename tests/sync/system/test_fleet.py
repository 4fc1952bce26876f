"""Several real processes on one server: shared, stopped, killed. More of it: `scripts/hosts`."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.system.fleet import trials
from tests.sync.system.fleet.hosts import Pattern, fleet_in
from tests.sync.system.fleet.journal import Call, chains, conflicts

QUICK = Pattern(latency_seconds=0.1)
STUDENTS = 6
SEARCH = Call(0, 1.0, 1.2, "GET", "/students", ("a@example.edu",), ())
CREATE = Call(0, 1.3, 1.5, "POST", "/students", (), ("students/1",))
CHANGE = Call(1, 2.0, 2.2, "PATCH", "/students/1", (), ("students/1",))
KEYS = {"students/a@example.edu": "students/1"}


@pytest.mark.one_database("A file has one host at a time.")
async def test_a_host_stopped_beyond_its_lease_sends_and_settles_nothing_more(
    served: Path,
) -> None:
    async with fleet_in(served, QUICK) as fleet:
        finding = await trials.stop_beyond_lease(fleet, students=STUDENTS)

    assert finding.faults == []


@pytest.mark.one_database("A file has one host at a time.")
async def test_the_work_of_a_killed_host_is_taken_over(served: Path) -> None:
    async with fleet_in(served, QUICK) as fleet:
        finding = await trials.kill(fleet, students=STUDENTS)

    assert finding.faults == []


@pytest.mark.one_database("A file has one host at a time.")
async def test_another_projector_goes_on_when_one_is_stopped(served: Path) -> None:
    async with fleet_in(served, QUICK) as fleet:
        finding = await trials.replace_projector(fleet, rounds=1, number=signal.SIGSTOP)

    assert finding.faults == []


@pytest.mark.parametrize(
    ("calls", "count"),
    [
        ((SEARCH, CREATE, CHANGE), 0),
        ((SEARCH, replace(CREATE, caller=1)), 0),
        ((SEARCH, replace(SEARCH, caller=1, begun=1.1)), 1),
        ((SEARCH, replace(SEARCH, caller=1, begun=1.25), CREATE), 1),
        ((SEARCH, CREATE, replace(CHANGE, begun=1.4)), 1),
    ],
)
def test_the_journal_tells_of_two_hosts_in_one_conversation(
    calls: tuple[Call, ...], count: int
) -> None:
    found = conflicts(chains(calls, KEYS))

    assert len(found) == count
