"""A ledger restored from before: nothing is sent until it is accepted, and then nothing twice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ledger.errors import IntegrityError
from ledger.ledger import Ledger
from sync.runtime.assembly import open_ledger
from sync.runtime.moving import backup, restore
from sync.runtime.notary import Notary
from sync.runtime.standing import accept_older, stand_of
from sync.runtime.status import status
from tests.sync.system.practice import Practice, practising
from tests.sync.system.university import FIRST_TERM, SECOND_TERM, Told


async def back_up(practice: Practice) -> Path:
    folder = practice.folder / "backup"
    await backup(practice.ledger, practice.settings, folder)
    return folder


async def publish(practice: Practice) -> None:
    await Notary(practice.ledger, key_file=practice.settings.address.key_file).publish()


@asynccontextmanager
async def restored(practice: Practice, folder: Path) -> AsyncIterator[Ledger]:
    """Give the ledger of a backup, in the place of the one that went further."""
    await practice.ledger.close()
    await restore(practice.settings, folder, replaces=True)
    async with open_ledger(practice.settings, clock=practice.ledger.clock) as ledger:
        practice.ledger = ledger
        yield ledger


async def tell_again(practice: Practice, told: Sequence[Told]) -> None:
    """Bring everything in once more, as the source would."""
    practice.told = []
    await practice.ingest(told)


async def in_doubt(ledger: Ledger) -> int:
    """Return how many records `status` says are in doubt."""
    accepted = (await status(ledger))["accepted_older"]
    assert isinstance(accepted, dict)
    return int(str(accepted["in_doubt"]))


async def test_an_older_ledger_sends_nothing_until_it_is_accepted(home: Path) -> None:
    async with practising(home) as practice:
        await practice.tell(FIRST_TERM)
        folder = await back_up(practice)
        await practice.tell(SECOND_TERM)
        await publish(practice)
        asked = len(practice.simulator.journal.requests)

        async with restored(practice, folder) as ledger:
            with pytest.raises(IntegrityError, match="--accept-older"):
                await practice.sync()
            await tell_again(practice, [*FIRST_TERM, *SECOND_TERM])
            key_file = practice.settings.address.key_file
            found = await status(ledger, key_file=key_file)

        assert len(practice.simulator.journal.requests) == asked
        assert isinstance(found["checkpoint"], dict)
        assert found["checkpoint"]["standing"] == "older"


async def test_an_accepted_older_ledger_finds_everything_that_was_sent_since(home: Path) -> None:
    async with practising(home) as practice:
        await practice.tell(FIRST_TERM)
        folder = await back_up(practice)
        await practice.tell(SECOND_TERM)
        await publish(practice)
        notices = len(practice.simulator.journal.notifications)
        tables = ("students", "enrollments", "certificates", "attachments")
        made = {table: len(practice.simulator.records(table)) for table in tables}
        key_file = practice.settings.address.key_file

        async with restored(practice, folder) as ledger:
            await accept_older(ledger, key_file, reason="the disk was lost")
            doubted = await in_doubt(ledger)
            await tell_again(practice, [*FIRST_TERM, *SECOND_TERM])
            report = await practice.sync()

            assert (report.exit, await practice.faults()) == (0, [])
            assert 0 < await in_doubt(ledger) < doubted
            assert (await stand_of(ledger, key_file)).error is None
            assert (await practice.sync()).calls == {}
        assert len(practice.simulator.journal.notifications) == notices
        after = {table: len(practice.simulator.records(table)) for table in made}
        assert after == made


async def test_what_the_older_ledger_had_not_sent_yet_is_found_as_well(home: Path) -> None:
    async with practising(home) as practice:
        await practice.tell(FIRST_TERM[:6])
        await practice.ingest(FIRST_TERM[6:])
        folder = await back_up(practice)
        await practice.sync()
        await practice.tell(SECOND_TERM)
        await publish(practice)
        notices = len(practice.simulator.journal.notifications)

        async with restored(practice, folder) as ledger:
            await accept_older(ledger, practice.settings.address.key_file)
            await tell_again(practice, [*FIRST_TERM, *SECOND_TERM])
            report = await practice.sync()
            # A certificate issued and revoked in the lost part shows nowhere as one of ours: it
            # stays revoked, unbound, and is never issued anew.
            faults = [
                each for each in await practice.faults() if "D-2 is bound to None" not in each
            ]

            assert (report.exit, faults) == (0, [])
        assert len(practice.simulator.journal.notifications) == notices
