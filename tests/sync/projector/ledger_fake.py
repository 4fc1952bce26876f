"""A ledger in memory that folds plans, opens gates and settles.

Histories are played against it: `take` an event (plan and fold), `work` everything that is ready in
front of a DokStamp that never fails, or `settle` single operations as a test likes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from ledger.log.canonical import canonical_bytes
from ledger.log.event import Event
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox.gate import Gate, Why
from ledger.outbox.operation import Operation, State, operation_key
from ledger.outbox.plan import Intent, Plan
from ledger.reference import Json, LedgerId, OperationKey, Position, SourceRef, TargetId
from sync.projector.known import RecordState
from sync.projector.plan import plan_event
from sync.resources import Kind, resource
from tests.sync.projector.gate_fake import why_closed
from tests.sync.projector.known_fake import FakeKnown

LEDGER = LedgerId("test")
SOURCE = "urn:sis:test"
WHEN = datetime(2026, 2, 1, tzinfo=UTC)

OUTCOMES: dict[Kind, BindingState] = {
    Kind.UPSERT: BindingState.LIVE,
    Kind.ISSUE: BindingState.LIVE,
    Kind.RETIRE: BindingState.RETIRED,
    Kind.REVOKE: BindingState.REVOKED,
}


@dataclass
class FakeLedger(FakeKnown):
    """Folds and opens as the real store does."""

    concerns: dict[OperationKey, tuple[SourceRef, ...]] = field(default_factory=dict)
    sent: list[tuple[SourceRef, str, Position]] = field(default_factory=list)
    """What the DokStamp of the play was told, in order: record, kind, place of the operation."""
    last_plan: Plan = field(default_factory=lambda: Plan(through=-1))

    def take(
        self,
        event_type: str,
        subject: str,
        data: Mapping[str, Json] | None = None,
        *,
        sequence: int | None = None,
        source: str = SOURCE,
        guarded: Collection[str] = (),
    ) -> Plan:
        """Append an event, plan it, fold the plan and the record, open what can open."""
        event = self.append(event_type, subject, data, sequence=sequence, source=source)
        plan = plan_event(event, self, operation_key=name_operation, guarded=frozenset(guarded))
        self.fold(plan)
        return plan

    def append(
        self,
        event_type: str,
        subject: str,
        data: Mapping[str, Json] | None = None,
        *,
        sequence: int | None = None,
        source: str = SOURCE,
    ) -> Event:
        """Append an event without planning it."""
        entity = event_type.partition(".")[0]
        content = canonical_bytes(
            {"type": event_type, "subject": subject, "data": dict(data or {})}
        )
        event = Event(
            position=len(self.events),
            source=source,
            id=f"evt-{len(self.events)}",
            type=event_type,
            subject=SourceRef(entity, subject),
            time=None,
            recorded_at=WHEN,
            public={},
            private=None if data is None else {"data": dict(data)},
            person="",
            sequence=sequence,
            traceparent=None,
            content_digest=sha256(content).digest(),
        )
        self.events.append(event)
        return event

    def fold(self, plan: Plan) -> None:
        """Make of a plan what the store makes of it."""
        self.last_plan = plan
        event = self.events[plan.through]
        if event.position not in plan.late:
            self._fold_record(event)
        for intent in plan.intents:
            self._insert(intent)
        for superseding in plan.supersedings:
            old = self.operations[superseding.old]
            assert old.state not in {State.LEASED, State.UNCERTAIN}
            assert not old.possibly_sent
            self._change(old.key, state=State.SUPERSEDED, superseded_by=superseding.new)
            self._pass_gates(superseding.old, superseding.new)
        for hold in plan.holds:
            assert self.operations[hold.key].state in {State.BLOCKED, State.READY, State.HELD}
            self._change(hold.key, state=State.HELD, reason=hold.reason)
            self.concerns[hold.key] = hold.concerns
        self.open_gates()

    def open_gates(self) -> None:
        """Make ready every blocked operation none of whose gates is closed."""
        for each in self.every_open():
            if each.state is State.BLOCKED and not self.closed(each):
                self._change(each.key, state=State.READY)

    def closed(self, waiter: Operation) -> list[tuple[Gate, Why]]:
        """Return what an operation waits for, and why."""
        verdicts = [(gate, why_closed(self, gate, waiter)) for gate in self.gates[waiter.key]]
        return [(gate, why) for gate, why in verdicts if why is not None]

    # Being the dispatcher.

    def ready(self) -> tuple[Operation, ...]:
        return tuple(each for each in self.every_open() if each.state is State.READY)

    def lease(self, reference: SourceRef) -> Operation:
        """Claim the record's ready operation."""
        [operation] = [each for each in self.ready() if each.reference == reference]
        return self._change(operation.key, state=State.LEASED, possibly_sent=True)

    def settle(
        self, operation: Operation, state: State = State.DONE, *, reason: str | None = None
    ) -> None:
        """End a leased operation; done binds its record, a definite answer clears the doubt."""
        is_uncertain = state is State.UNCERTAIN
        self._change(operation.key, state=state, reason=reason, possibly_sent=is_uncertain)
        if state is State.DONE:
            self._bind(operation)
        if state in {State.HELD, State.DEAD}:
            self._heal(operation.key)
        self.open_gates()

    def work(self, *, rounds_max: int = 10_000) -> None:
        """Do everything that can be done, in front of a DokStamp that never fails."""
        for _ in range(rounds_max):
            ready = self.ready()
            if not ready:
                return
            self.settle(self.lease(ready[0].reference))
        raise AssertionError("the play does not come to rest")

    def approve(self, operation: Operation) -> None:
        """Let a held operation go on, as a person would; its gates still count."""
        self._change(operation.key, state=State.BLOCKED, reason=None)
        self.open_gates()

    def discard(self, operation: Operation) -> None:
        self._change(operation.key, state=State.DISCARDED)
        self.open_gates()

    def only(self, reference: SourceRef) -> Operation:
        """Return the record's one open operation."""
        [operation] = self.open_operations(reference)
        return operation

    def bind(self, reference: SourceRef) -> None:
        """Bind a record as a person would."""
        self.bindings[reference] = Binding(
            reference, _target(reference), BindingState.LIVE, position=-1, sent=None
        )
        self.open_gates()

    # Folding.

    def _fold_record(self, event: Event) -> None:
        assert event.subject is not None
        if event.sequence is not None:
            self.sequences[event.subject, event.source] = event.sequence
        before = self.records.get(event.subject, RecordState(stated=None, removed=None))
        is_state = event.type.endswith((".upserted", ".requested"))
        if not is_state:
            first = event.position if before.removed is None else before.removed
            self.records[event.subject] = replace(before, removed=first)
            return
        named = resource(event.subject.entity).references(event.data or {})
        self.records[event.subject] = RecordState(
            stated=event.position,
            removed=before.removed if event.subject.entity == "certificate" else None,
            references=tuple(each.ref for each in named),
        )

    def _insert(self, intent: Intent) -> None:
        assert intent.key not in self.operations, "one key, one operation"
        assert not (intent.held and intent.finished)
        state = State.HELD if intent.held else State.DONE if intent.finished else State.BLOCKED
        self.operations[intent.key] = Operation(
            key=intent.key,
            cause=intent.cause,
            reference=intent.reference,
            kind=intent.kind,
            state=state,
            priority=intent.priority,
            payload=intent.payload,
            place=intent.place,
            reason=intent.held or intent.finished,
            completes=intent.completes,
        )
        self.gates[intent.key] = list(intent.gates)
        self.concerns[intent.key] = intent.concerns

    def _pass_gates(self, old: OperationKey, new: OperationKey) -> None:
        for key, gates in self.gates.items():
            self.gates[key] = [
                replace(gate, operation=new) if gate.operation == old and key != new else gate
                for gate in gates
            ]

    def _heal(self, stuck: OperationKey) -> None:
        """Let a later operation of the same record take over what just got stuck."""
        old = self.operations[stuck]
        later = [each for each in self.open_operations(old.reference) if each.key != stuck]
        heirs = [each for each in later if any(g.operation == stuck for g in self.gates[each.key])]
        if not heirs or (old.kind, heirs[0].kind) not in HEALED_BY:
            return
        following = self.followers([stuck]) - {each.key for each in later}
        awaited = {gate.operation for gate in self.gates[heirs[0].key]}
        if following & awaited:
            return
        heir = heirs[0]
        self._change(stuck, state=State.SUPERSEDED, superseded_by=heir.key)
        self.gates[heir.key] = [g for g in self.gates[heir.key] if g.operation != stuck]
        self._pass_gates(stuck, heir.key)

    def _bind(self, operation: Operation) -> None:
        before = self.bindings.get(operation.reference)
        if operation.kind in {Kind.RETIRE, Kind.REVOKE} and before is None:
            return
        told = operation.kind in {Kind.UPSERT, Kind.ISSUE}
        position = operation.cause if operation.payload is None else operation.payload
        self.bindings[operation.reference] = Binding(
            reference=operation.reference,
            target=_target(operation.reference),
            state=OUTCOMES[Kind(operation.kind)],
            position=operation.cause,
            sent=position if told or before is None else before.sent,
            is_complete=operation.completes if told else False,
        )
        self.sent.append((operation.reference, operation.kind, operation.stands_at))

    def _change(self, key: OperationKey, **changes: object) -> Operation:
        self.operations[key] = replace(self.operations[key], **changes)  # type: ignore[arg-type]
        return self.operations[key]


HEALED_BY = {
    (Kind.UPSERT, Kind.UPSERT),
    (Kind.UPSERT, Kind.RETIRE),
    (Kind.RETIRE, Kind.UPSERT),
    (Kind.ISSUE, Kind.REVOKE),
}
"""What got stuck unsent, and what takes over from it."""


def name_operation(position: Position, reference: SourceRef, kind: str) -> OperationKey:
    return operation_key(LEDGER, position, reference, kind=kind)


def _target(reference: SourceRef) -> TargetId:
    return TargetId(f"uuid-{reference.entity}-{reference.source_id}")
