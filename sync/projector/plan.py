"""The plan of one source event: what DokStamp is owed because of it."""

from collections.abc import Callable

from ledger.log.event import Event
from ledger.outbox.plan import Plan
from ledger.reference import SourceRef
from sync.projector.certificate import plan_requested, plan_revoked
from sync.projector.draft import Cause, Held, OperationNamer, operate, reconcile
from sync.projector.gate import after
from sync.projector.known import Known
from sync.projector.retire import plan_removed
from sync.projector.supersede import wait_for_all
from sync.projector.upsert import plan_upserted
from sync.resources import EVENT_TYPES, Kind

RULES: dict[Kind, Callable[[Cause], Plan]] = {
    Kind.UPSERT: plan_upserted,
    Kind.RETIRE: plan_removed,
    Kind.ISSUE: plan_requested,
    Kind.REVOKE: plan_revoked,
}
"""What is planned for each kind of source event, whatever the entity."""

ERASED = "erased"
"""The reason code of an event whose person was erased before it was planned."""

CANNOT_PLAN = "cannot_plan"
"""The reason code of an event that planning failed on."""


def plan_event(
    event: Event,
    known: Known,
    *,
    operation_key: OperationNamer,
    guarded: frozenset[str] = frozenset(),
    is_erased: bool = False,
) -> Plan:
    """Return what one event asks for, given everything that was planned before it.

    Nothing is planned for a person who is erased by now, or being erased (`is_erased`).

    `guarded` names the entities of which the event's run changed too many records: changes to and
    removals of records that DokStamp has start out held.
    """
    event_type, subject = EVENT_TYPES.get(event.type), event.subject
    if event_type is None or subject is None:
        return Plan(through=event.position)
    if is_erased:
        return Plan(through=event.position, parked=((event.position, ERASED),))
    if _is_late(event, subject, known):
        return Plan(through=event.position, late=(event.position,))
    if event_type.fields is not None and event.data is None:
        return Plan(through=event.position, parked=((event.position, ERASED),))
    cause = Cause(event, subject, known, operation_key, guarded)
    return reconcile(RULES[event_type.kind](cause))


def park_event(
    event: Event, known: Known, *, operation_key: OperationNamer, reason: str = CANNOT_PLAN
) -> Plan:
    """Return the plan of an event that cannot be planned: its record stops, and nothing else.

    A held operation stands for it; the record's next event that can be planned heals it.
    """
    parked = Plan(through=event.position, parked=((event.position, reason),))
    event_type, subject = EVENT_TYPES.get(event.type), event.subject
    if event_type is None or subject is None:
        return parked
    cause = Cause(event, subject, known, operation_key)
    ahead = wait_for_all(known.open_operations(subject))
    stopped = operate(
        cause, subject, event_type.kind, after=ahead, gates=after(ahead.ahead), held=Held(reason)
    )
    return Plan(through=event.position, intents=stopped.intents, parked=parked.parked)


def _is_late(event: Event, subject: SourceRef, known: Known) -> bool:
    last = known.last_sequence(subject, event.source)
    return event.sequence is not None and last is not None and event.sequence <= last
