"""What a host at work makes of erasures that somebody else began."""

from pathlib import Path

from ledger.database.checkpointer import has_reset_bug
from ledger.erasure.worker import Erasing
from ledger.ledger import Ledger
from ledger.testing import address_in
from sync.runtime.erasures import Erasures
from sync.runtime.subject_admin import subject_erase
from tests.places import contents_in
from tests.sync.runtime.desk import desk_in
from tests.sync.runtime.test_subject_admin import MARK, WHY, campus

PERSON = "student:S-1"
IS_CAREFUL = has_reset_bug()


async def test_an_erasure_beside_a_running_host_is_finished_by_it(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        running, service = desk.ledger, Erasures(desk.ledger)
        await service.finish()
        known = await running.vault.existing_keys([PERSON])
        async with await Ledger.open(address_in(home), clock=running.clock) as beside:
            began = await subject_erase(beside, "S-1", signature=WHY)
        # Files are cleared by the process that looks after them; a server needs no clearing.
        is_left = not began.is_finished
        await service.finish()

        assert known.keys() == {PERSON}
        assert is_left is (IS_CAREFUL and not running.database.is_shared)
        erasing = Erasing(running)
        assert await erasing.is_finished(await erasing.standing(PERSON))
        assert await running.vault.existing_keys([PERSON]) == {}
        assert not [
            name for name, held in (await contents_in(home)).items() if MARK.encode() in held
        ]


async def test_what_was_left_before_this_host_came_is_finished_as_well(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        async with await Ledger.open(address_in(home), clock=desk.ledger.clock) as beside:
            await subject_erase(beside, "S-1", signature=WHY)
            service = Erasures(desk.ledger)
            await service.finish()

            erasing = Erasing(beside)
            assert await erasing.is_finished(await erasing.standing(PERSON))


async def test_a_finished_erasure_is_not_looked_at_again(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        service = Erasures(desk.ledger)
        await service.finish()
        size = (await desk.ledger.head()).size
        await service.finish()

        assert service.left == frozenset()
        assert (await desk.ledger.head()).size == size
