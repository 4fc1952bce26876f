"""What stops a run: each stop has its exit code, writes nothing, and a second run finishes."""

from pathlib import Path

import pytest

from ledger.database.file_lock import FileLock
from tests.sync.system.commands import Station, stationed
from tests.sync.system.university import FIRST_TERM

FULL_BYTES = 40_000
"""Enough for a few pages of a write-ahead log, and for nothing that matters."""
FOREIGN = {
    "TENANT": "foreign-university",
    "CLIENT_ID": "foreign-university-client",
    "CLIENT_SECRET": "foreign-university-secret",
}


def writes(station: Station) -> int:
    """Count what was sent that could have changed anything."""
    sent = station.simulator.journal.requests
    return sum(each.method != "GET" and not each.path.startswith("/oauth") for each in sent)


async def test_wrong_settings_exit_5_and_leave_the_ledger_free_for_the_right_ones(
    home: Path,
) -> None:
    async with stationed(home) as station:
        await station.ingest(FIRST_TERM)
        codes = []
        for wrong in ({"CLIENT_SECRET": "wrong"}, {"TENANT": "nobody"}):
            station.changes = wrong
            codes.append((await station.run("sync")).code)
        # Nobody listens there: later is better, and the right address may still be set.
        station.changes = {"BASE_URL": "http://127.0.0.1:9", "PATIENCE_SECONDS": "1"}
        codes.append((await station.run("sync")).code)
        before = writes(station)
        station.changes = {}
        report = await station.sync()
        for other in (FOREIGN, {"BASE_URL": "http://127.0.0.1:9"}):
            station.changes = other
            codes.append((await station.run("sync")).code)

        assert (codes, before, report.exit) == ([5, 5, 75, 5, 5], 0, 0)
        assert await station.faults() == []


async def test_an_outage_exits_75_and_is_made_up_for(home: Path) -> None:
    async with stationed(home, PATIENCE_SECONDS="1") as station:
        await station.ingest(FIRST_TERM)
        waiting = []
        for mode in ("cut", "503"):
            station.simulator.start_outage(mode)
            report = await station.run("sync", "--json")
            waiting.append((report.code, report.answer["waiting"]))
        station.simulator.end_outage()
        station.changes = {}

        assert waiting == [(75, len(FIRST_TERM))] * 2
        assert (await station.sync()).exit == 0
        assert await station.faults() == []


@pytest.mark.one_database("On a server several may work at once.")
async def test_a_second_process_exits_75_and_disturbs_nobody(tmp_path: Path) -> None:
    async with stationed(tmp_path) as station:
        await station.ingest(FIRST_TERM)
        first = FileLock(tmp_path / "ledger.db", "sync")
        first.acquire()
        second = await station.run("sync")
        first.release()

        assert (second.code, writes(station)) == (75, 0)
        assert (await station.sync()).exit == 0


@pytest.mark.one_database("A server has a disk of its own.")
@pytest.mark.parametrize("verb", ["ingest", "sync"])
async def test_a_full_disk_exits_74_and_loses_nothing(tmp_path: Path, verb: str) -> None:
    async with stationed(tmp_path) as station:
        await station.ingest(() if verb == "ingest" else FIRST_TERM)
        station.told = []
        file = station.write(FIRST_TERM)
        words = (verb, file) if verb == "ingest" else (verb,)
        refused = await station.run(*words, file_bytes_max=FULL_BYTES)
        taken = await station.run("ingest", file)
        second = await station.sync()

        assert (refused.code, taken.code, second.exit) == (74, 0, 0), refused.errors
        assert await station.faults() == []
