from pathlib import Path

from ledger.outbox.operation import State
from ledger.reference import SourceRef
from ledger.schema.tables import wakes
from sync.dispatcher.opener_worker import Opener
from tests.sync.dispatcher.floor import Floor, floor_in

COURSE = SourceRef("course", "C-1")


async def course_before_its_institution(floor: Floor) -> None:
    await floor.desk.tell("course.upserted", COURSE, institution_id="A", name="Physics", code="P")
    await floor.institution("A")
    await (await floor.conversation()).run()


async def test_what_waits_for_a_record_is_ready_once_that_is_bound(home: Path) -> None:
    async with floor_in(home) as floor:
        await course_before_its_institution(floor)
        await Opener(floor.ledger).open_woken()

        assert (await floor.operation(COURSE)).state is State.READY


async def test_nothing_to_open_writes_nothing(home: Path) -> None:
    async with floor_in(home) as floor:
        opener = Opener(floor.ledger)
        rings = floor.ledger.bell.rings

        assert await opener.open_woken() == 0
        assert floor.ledger.bell.rings == rings


async def test_a_sweep_finds_what_a_lost_wake_left(home: Path) -> None:
    async with floor_in(home) as floor:
        await floor.desk.tell(
            "course.upserted", COURSE, institution_id="A", name="Physics", code="P"
        )
        await floor.institution("A")
        worker = await floor.conversation()
        await worker.run()
        await floor.ledger.transact(lambda step: step.connection.execute(wakes.delete()))
        await Opener(floor.ledger).sweep()
        await Opener(floor.ledger).open_woken()

        assert (await floor.operation(COURSE)).state is State.READY
