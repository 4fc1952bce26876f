"""A process that dies anywhere: the next one finds out what happened and finishes."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sync.system.commands import Blow, Station, stationed
from tests.sync.system.university import FIRST_TERM, SECOND_TERM, Told

BEFORE, AFTER = False, True


async def survive(station: Station, told: Sequence[Told], blows: Sequence[Blow]) -> None:
    """Bring events in, and synchronise through these deaths to the end."""
    await station.ingest(told)
    for blow in blows:
        ended = await station.run("sync", blow=blow)
        assert ended.code == -signal.SIGKILL, ended.errors
        await station.outlast()
    ended = await station.run("sync", "--json")

    assert ended.code == 0, ended.errors
    assert await station.faults() == []


async def test_a_process_killed_again_and_again_leaves_no_trace(home: Path) -> None:
    async with stationed(home) as station:
        await survive(
            station,
            FIRST_TERM,
            [Blow(9, AFTER), Blow(12, BEFORE), Blow(17, AFTER)],
        )


async def test_a_process_killed_while_it_changes_things_leaves_no_trace(home: Path) -> None:
    async with stationed(home) as station:
        await station.ingest(FIRST_TERM)
        await station.sync()
        await survive(station, SECOND_TERM, [Blow(3, AFTER), Blow(5, AFTER)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_process_asked_to_stop_leaves_nothing_in_doubt(
    home: Path, number: signal.Signals
) -> None:
    async with stationed(home) as station:
        await station.ingest(FIRST_TERM)
        stopped = await station.run("sync", blow=Blow(12, AFTER, number))
        left = await station.unsettled()
        finished = await station.sync()

        assert (stopped.code, finished.exit) == (130, 0), stopped.errors
        assert {each.partition(" ")[0] for each in left.values()} <= {"ready", "blocked"}
        assert await station.faults() == []
