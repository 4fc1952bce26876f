"""A small ledger on which things happen step by step, as workers would make them happen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.clock import ManualClock, SeededEntropy
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.outbox import gate_store, store
from ledger.outbox.lease_store import ClaimTerms
from ledger.outbox.operation import Operation
from ledger.reference import Json, OperationKey, SourceRef
from ledger.testing import ledger_in
from ledger.transaction import Transaction
from sync.projector.worker import Projector
from sync.resources import check, resource
from sync.runtime.persons import persons_of

COURSE = SourceRef("course", "C-1")
INSTITUTION = SourceRef("institution", "I-1")
COURSE_DATA: dict[str, Json] = {"institution_id": "I-1", "name": "Physics", "code": "PHY"}
INSTITUTION_DATA: dict[str, Json] = {"name": "Demo", "country": "Brazil"}
EXCHANGE: dict[str, Json] = {
    "method": "POST",
    "route": "/institutions",
    "status": 201,
    "started_at": "2026-01-01T00:00:00.000Z",
    "seconds": "0.125",
}


@dataclass
class Desk:
    """Feeds one ledger."""

    ledger: Ledger
    events: int = 0

    async def tell(self, event_type: str, reference: SourceRef, **data: Json) -> None:
        """Append one source event and plan it."""
        self.events += 1
        checked = check(event_type, reference.source_id, dict(data) or None)
        assert not checked.faults
        event = NewEvent(
            source="urn:sis:demo",
            id=f"evt-{self.events}",
            type=event_type,
            subject=reference,
            private={"data": dict(checked.data)} if checked.data is not None else None,
            person=resource(reference.entity).person(reference.source_id, checked.data or {}),
        )
        await self.ledger.append([event])
        await Projector(self.ledger).project()

    async def university(self) -> None:
        await self.tell("institution.upserted", INSTITUTION, **INSTITUTION_DATA)
        await self.tell("course.upserted", COURSE, **COURSE_DATA)

    async def operation(self, reference: SourceRef) -> Operation:
        found = await self.ledger.read(
            lambda c: store.of_record(c, self.ledger.scope, reference=reference)
        )
        return found[-1]

    async def key(self, reference: SourceRef) -> OperationKey:
        return (await self.operation(reference)).key

    async def claim(self) -> None:
        terms = ClaimTerms(
            host="host",
            now=2e9,
            lease_seconds=0,
            lanes_max=9,
            group_max=1,
            settle_seconds=0.0,
            may_group=lambda _: False,
        )
        await self.ledger.transact(lambda step: step.claim(terms))

    async def settle(
        self,
        reference: SourceRef,
        outcome: str,
        *,
        facts: dict[str, Json] | None = None,
        **more: Json,
    ) -> None:
        """Claim everything that is ready and settle what is done about one record."""
        await self.claim()
        operation = await self.operation(reference)
        public: dict[str, Json] = {"operation": operation.key, "outcome": outcome, **more}
        person = (await persons_of(self.ledger, [reference])).get(reference, "")
        scribe = await self.ledger.scribe([person])
        private: dict[str, Json] | None = {"facts": facts} if facts else None
        kind, of = "operation.settled", person if facts else ""

        def step(transaction: Transaction) -> None:
            scribe.record(
                transaction, kind, public=public, subject=reference, private=private, person=of
            )
            transaction.free(operation.lanes)
            while gate_store.open_page(transaction.connection, transaction.scope, limit=100):
                pass

        await self.ledger.transact(step)


@asynccontextmanager
async def desk_in(folder: Path) -> AsyncIterator[Desk]:
    async with ledger_in(folder, clock=ManualClock(), entropy=SeededEntropy(1)) as ledger:
        yield Desk(ledger)
