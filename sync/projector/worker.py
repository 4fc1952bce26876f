"""The projector at work: reads source events, plans them, logs and folds the plan, all at once."""

from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ledger import checkpoints
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.log.event import Event
from ledger.outbox.fold_store import Cause
from ledger.outbox.operation import operation_key
from ledger.outbox.plan import Plan
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.transaction import PROJECTOR, Transaction
from sync.projector.describe import cause_of, remember
from sync.projector.known_store import KnownStore, Reading
from sync.projector.plan import park_event, plan_event
from sync.projector.run_worker import GuardTerms, RunJudge
from sync.telemetry.signals import Announce, BatchPlanned, nobody

BATCH_EVENTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """Source events of one stretch, opened, and what the guard says about that stretch."""

    after: Position
    events: tuple[Event, ...] = field(repr=False)
    guarded: frozenset[str]


class Projector:
    """Turns source events into operations; one works per ledger at a time."""

    def __init__(
        self, ledger: Ledger, *, guard: GuardTerms | None = None, announce: Announce = nobody
    ) -> None:
        self._ledger = ledger
        self._announce = announce
        self._runs = RunJudge(ledger, guard or GuardTerms())

    async def project(self) -> int:
        """Plan the next events and return how many; 0 when there are none to plan yet."""
        batch = await self._next_batch()
        if batch is None:
            return 0
        try:
            planned = await self._ledger.transact(lambda step: self._plan(step, batch))
        except _CannotPlanError:
            # Planned one by one, so that only the event that fails is parked.
            planned = await self._ledger.transact(
                lambda step: self._plan(step, batch, is_careful=True)
            )
        self._announce(planned)
        return planned.events

    async def lag(self) -> int:
        """Return how many source events wait to be planned."""
        return await self._ledger.read_folded(self.lag_in)

    def lag_in(self, connection: Connection, scope: Scope) -> int:
        """Return how many source events wait to be planned, in a snapshot of the caller's."""
        after = checkpoints.read(connection, scope, name=PROJECTOR)
        count, _ = log_store.count_sources(connection, scope.ledger, after=after)
        return count

    async def _next_batch(self) -> Batch | None:
        def look(connection: Connection, scope: Scope) -> tuple[Position, list[Stored]]:
            after = checkpoints.read(connection, scope, name=PROJECTOR)
            return after, log_store.read_page(
                connection, scope.ledger, after=after, limit=BATCH_EVENTS_MAX, is_outcome=False
            )

        after, stored = await self._ledger.read_folded(look)
        stretch = await self._runs.stretch_of(stored[0].position) if stored else None
        if stretch is None:
            return None
        inside = [each for each in stored if each.position <= stretch.last]
        events = tuple(await self._ledger.sealer.open(inside))
        return Batch(after, events, await self._runs.guarded(stretch))

    def _plan(self, step: Transaction, batch: Batch, *, is_careful: bool = False) -> BatchPlanned:
        checkpoint = checkpoints.read(step.connection, step.scope, name=PROJECTOR)
        if checkpoint != batch.after:
            # Another projector was faster: what it planned is not planned again.
            return BatchPlanned(0, 0, checkpoint)
        reading = Reading(
            step.connection,
            step.scope,
            sealer=self._ledger.sealer,
            digest=self._ledger.vault.lookup_digest,
        )
        for event in batch.events:
            reading.remember(event)
        parts = [
            self._plan_one(step, event, reading, batch.guarded, is_careful=is_careful)
            for event in batch.events
        ]
        through = batch.events[-1].position
        step.plan(parts, through=through)
        operations = sum(len(plan.intents) for _, plan in parts)
        return BatchPlanned(len(batch.events), operations, through)

    def _plan_one(
        self,
        step: Transaction,
        event: Event,
        reading: Reading,
        guarded: frozenset[str],
        *,
        is_careful: bool,
    ) -> tuple[Cause, Plan]:
        try:
            if not is_careful:
                return self._follow(step, event, reading, guarded=guarded)
            with step.savepoint():
                return self._follow(step, event, reading, guarded=guarded)
        except OperationalError:
            # The disk or a lock refused, not the event: nothing is parked for that.
            raise
        except Exception as error:
            if not is_careful:
                raise _CannotPlanError from error
            known = KnownStore(reading)
            plan = park_event(event, known, operation_key=self._name)
            return self._fold(step, event, plan, reading)

    def _follow(
        self, step: Transaction, event: Event, reading: Reading, *, guarded: frozenset[str]
    ) -> tuple[Cause, Plan]:
        plan = plan_event(
            event,
            KnownStore(reading),
            operation_key=self._name,
            guarded=guarded,
            is_erased=reading.is_erased(event),
        )
        return self._fold(step, event, plan, reading)

    def _fold(
        self, step: Transaction, event: Event, plan: Plan, reading: Reading
    ) -> tuple[Cause, Plan]:
        remembered = remember(event, plan, digest=reading.digest)
        cause = cause_of(event, remembered, digest=reading.digest)
        step.plan_part(cause, remembered)
        return cause, remembered

    def _name(self, cause: Position, reference: SourceRef, kind: str) -> OperationKey:
        return operation_key(self._ledger.ledger_id, cause, reference, kind=kind)


class _CannotPlanError(Exception):
    """An event of a batch could not be planned; the batch was rolled back."""
