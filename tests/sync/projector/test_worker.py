"""The projector stops for nobody: an event that cannot be planned stops its own record only."""

from pathlib import Path

from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, SourceRef
from ledger.testing import ledger_in
from sync.projector.worker import Projector


def told(entity: str, name: str, data: dict[str, Json], *, turn: int = 0) -> NewEvent:
    verb = "requested" if entity == "certificate" else "upserted"
    return NewEvent(
        source="urn:sis",
        id=f"{entity}/{name}/{turn}",
        type=f"{entity}.{verb}",
        subject=SourceRef(entity, name),
        private={"data": data},
    )


INSTITUTION: dict[str, Json] = {"name": "Demo University", "country": "Portugal"}
# No check would let this in; a fault of ours would.
BROKEN: dict[str, Json] = {"institution_id": "DEMO"}
REQUEST: dict[str, Json] = {**BROKEN, "course_id": "LAW", "student_id": "S-1"}


async def operations_of(ledger: Ledger, entity: str, name: str) -> tuple[Operation, ...]:
    reference = SourceRef(entity, name)
    return await ledger.read(
        lambda connection: outbox_store.of_record(connection, ledger.scope, reference=reference)
    )


async def test_an_event_that_cannot_be_planned_stops_its_own_record_only(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(
            [told("certificate", "C-1", BROKEN), told("institution", "DEMO", INSTITUTION)]
        )

        planned = await Projector(ledger).project()

        stopped = await operations_of(ledger, "certificate", "C-1")
        others = await operations_of(ledger, "institution", "DEMO")
        assert planned == 2
        assert [(each.state, each.reason) for each in stopped] == [(State.HELD, "cannot_plan")]
        assert [each.state for each in others] == [State.READY]


async def test_a_corrected_event_heals_what_could_not_be_planned(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(
            [told("institution", "DEMO", INSTITUTION), told("certificate", "C-1", BROKEN)]
        )
        await Projector(ledger).project()

        await ledger.append([told("certificate", "C-1", REQUEST, turn=1)])
        await Projector(ledger).project()

        states = [each.state for each in await operations_of(ledger, "certificate", "C-1")]
        assert states == [State.SUPERSEDED, State.BLOCKED]


async def test_two_projectors_plan_each_event_once(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(
            [told("institution", f"I-{number}", INSTITUTION) for number in range(9)]
        )
        first, second = Projector(ledger), Projector(ledger)

        planned = [await first.project(), await second.project()]

        assert planned == [9, 0]
        assert await first.lag() == 0
