import asyncio
from pathlib import Path

import pytest

from ledger.clock import SystemClock
from ledger.errors import LedgerBelongsElsewhereError, LedgerBusyError, MigrationNeededError
from ledger.testing import SERVED
from sync.errors import ConfigurationError
from sync.projector.rebuild_worker import rebuild
from sync.runtime.assembly import make_ledger, open_ledger, start_engine
from sync.simulator import Simulator, http_server
from tests.places import make_older
from tests.sync.dispatcher.floor import cut
from tests.sync.system.practice import practising, settings_for
from tests.sync.system.university import Told

SUSPENSIONS_MAX = 1_000
INSTITUTION: Told = ("institution.upserted", "U", {"name": "Demo", "country": "Brazil"})


async def test_a_ledger_that_was_never_made_is_not_opened(home: Path) -> None:
    async with http_server.serve(Simulator()) as address:
        with pytest.raises(MigrationNeededError, match="init"):
            async with open_ledger(settings_for(home, address)):
                pass


@pytest.mark.one_database("Leases keep the engines of a server apart: several may work.")
async def test_one_engine_works_on_a_file(tmp_path: Path) -> None:
    async with practising(tmp_path) as practice:
        async with start_engine(practice.ledger, practice.settings):
            with pytest.raises(LedgerBusyError):
                async with start_engine(practice.ledger, practice.settings):
                    pass
        async with start_engine(practice.ledger, practice.settings) as engine:
            assert (await engine.idle(0)).states == {}


async def test_who_opened_a_ledger_before_it_was_migrated_does_not_begin_to_work_on_it(
    home: Path,
) -> None:
    async with practising(home) as practice:
        # To this program another version is as this one would be to an older program.
        await practice.ledger.database.run(make_older)

        with pytest.raises(MigrationNeededError, match="init"):
            async with start_engine(practice.ledger, practice.settings):
                pass
        with pytest.raises(MigrationNeededError, match="init"):
            await rebuild(practice.ledger, check=True)


async def test_a_mistyped_tenant_can_be_corrected(home: Path) -> None:
    async with practising(home) as practice:
        await practice.ingest([INSTITUTION])
        right = practice.settings
        practice.settings = right.model_copy(update={"tenant": "mistyped"})
        with pytest.raises(ConfigurationError):
            await practice.sync()
        practice.settings = right
        report = await practice.sync()
        practice.settings = right.model_copy(update={"tenant": "another"})
        with pytest.raises(LedgerBelongsElsewhereError):
            await practice.sync()

    assert (report.exit, report.done) == (0, 1)


async def test_starting_may_be_cancelled_wherever_it_waits(home: Path) -> None:
    async with http_server.serve(Simulator()) as address:
        settings = settings_for(home, address)

        async def start_and_stop() -> None:
            async with (
                make_ledger(settings, clock=SystemClock()) as ledger,
                start_engine(ledger, settings) as engine,
            ):
                await engine.idle(0)

        await start_and_stop()
        tasks = asyncio.all_tasks()
        number, was_whole = -1, False
        while not was_whole and number < SUSPENSIONS_MAX:
            # A server is waited for so often that it gets a spread of the moments.
            number += 1 + (max(number, 0) // 10 if (home / SERVED).exists() else 0)
            was_whole = await cut(start_and_stop(), number)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() - tasks == set()
        await start_and_stop()

    assert was_whole
    assert number > 5
