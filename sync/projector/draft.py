"""How a plan is put together: the cause that is planned, and pieces that join into one plan."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ledger.log.event import Event
from ledger.outbox.gate import Gate
from ledger.outbox.operation import Operation, Priority
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.reference import OperationKey, Position, SourceRef
from sync.projector.known import Known
from sync.projector.supersede import Succession
from sync.resources import Kind

OperationNamer = Callable[[Position, SourceRef, str], OperationKey]
"""Names an operation by its cause, record and kind."""

PRIORITIES: dict[Kind, int] = {Kind.REVOKE: Priority.REVOKE, Kind.ISSUE: Priority.ISSUE}
"""The kinds that come before the rest."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that is planned, the record it is about, and what planning may ask."""

    event: Event
    subject: SourceRef
    known: Known
    name: OperationNamer
    guarded: frozenset[str] = field(default=frozenset())
    """Entities of which this run changed so many records that a person must look."""

    @property
    def position(self) -> Position:
        """The position that every operation of the plan gives as its cause."""
        return self.event.position


@dataclass(frozen=True, slots=True)
class Wanted:
    """A state that a record is to be brought to, and the event that told it."""

    reference: SourceRef
    position: Position


@dataclass(frozen=True, slots=True)
class Held:
    """Why an operation starts out held, and which other records that is about."""

    reason: str
    concerns: tuple[SourceRef, ...] = ()


def nothing(cause: Cause) -> Plan:
    """Return the plan of an event that asks for nothing."""
    return Plan(through=cause.position)


def operate(
    cause: Cause,
    reference: SourceRef,
    kind: Kind,
    *,
    after: Succession,
    gates: tuple[Gate, ...],
    payload: Position | None = None,
    held: Held | None = None,
    completes: bool = False,
) -> Plan:
    """Return a plan of one operation, to which others give way."""
    intent = Intent(
        key=cause.name(cause.position, reference, kind),
        cause=cause.position,
        reference=reference,
        kind=kind.value,
        gates=tuple(dict.fromkeys(gates)),
        priority=PRIORITIES.get(kind, Priority.REST),
        payload=None if payload == cause.position else payload,
        place=after.place,
        held=held.reason if held else None,
        concerns=held.concerns if held else (),
        completes=completes,
    )
    return _put(cause, intent, gone=after.gone)


def finish(
    cause: Cause, reference: SourceRef, kind: Kind, *, after: Succession, reason: str
) -> Plan:
    """Return a plan of one operation that needs no call and is done at once."""
    intent = Intent(
        key=cause.name(cause.position, reference, kind),
        cause=cause.position,
        reference=reference,
        kind=kind.value,
        priority=PRIORITIES.get(kind, Priority.REST),
        finished=reason,
    )
    return _put(cause, intent, gone=after.gone)


def join(first: Plan, *others: Plan) -> Plan:
    """Return several plans as one, in their order."""
    plans = (first, *others)
    return Plan(
        through=max(plan.through for plan in plans),
        intents=tuple(each for plan in plans for each in plan.intents),
        supersedings=tuple(each for plan in plans for each in plan.supersedings),
        holds=tuple(each for plan in plans for each in plan.holds),
        parked=tuple(each for plan in plans for each in plan.parked),
        late=tuple(each for plan in plans for each in plan.late),
    )


def reconcile(plan: Plan) -> Plan:
    """Return a plan of one event whose parts agree where they reached the same record.

    A record may be reached in two ways, as an attachment and as a rival for a key: a retirement
    stands, or else the first plan. A hold on an operation that gives way in the same plan is a
    hold on its successor.
    """
    chosen: dict[SourceRef, Intent] = {}
    for each in sorted(plan.intents, key=lambda intent: intent.kind != Kind.RETIRE):
        chosen.setdefault(each.reference, each)
    keys = {each.key for each in chosen.values()}
    supersedings = tuple(dict.fromkeys(each for each in plan.supersedings if each.new in keys))
    successors = {each.old: each.new for each in supersedings}
    holds = {successors.get(each.key, each.key): each for each in plan.holds}
    planned = dict.fromkeys(each for each in plan.intents if chosen[each.reference] == each)
    return replace(
        plan,
        intents=tuple(_hold(each, holds.get(each.key)) for each in planned),
        supersedings=supersedings,
        holds=tuple(each for key, each in holds.items() if key not in keys),
    )


def _hold(intent: Intent, hold: Hold | None) -> Intent:
    if hold is None or intent.finished or intent.held:
        return intent
    return replace(intent, held=hold.reason, concerns=hold.concerns)


def _put(cause: Cause, intent: Intent, *, gone: tuple[Operation, ...]) -> Plan:
    return Plan(
        through=cause.position,
        intents=(intent,),
        supersedings=tuple(Superseding(old=old.key, new=intent.key) for old in gone),
    )
