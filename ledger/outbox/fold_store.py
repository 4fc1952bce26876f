"""What outcome events make of the outbox: the same code live and in a rebuild.

Each function takes what one event says and brings the rows to it. Nothing here reads a clock, and
nothing is decided: what is folded was decided before it was logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.outbox import gate_store, record_store, store
from ledger.outbox.operation import Move, Operation, State
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Facts, Record
from ledger.reference import OperationKey, Position, Scope, SourceRef


@dataclass(frozen=True, slots=True)
class Cause:
    """The source event that a part of a plan belongs to."""

    position: Position
    reference: SourceRef
    source: str
    sequence: int | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Ending:
    """How an operation ended for now, as its event says."""

    key: OperationKey
    move: Move
    reason: str | None
    not_before: float
    failed: bool
    in_doubt: bool = False
    """Whether a request still has no known outcome although a person must decide first."""


def fold_plan(
    connection: Connection, scope: Scope, *, cause: Cause, plan: Plan, position: Position
) -> None:
    """Bring records, operations and gates to what was planned for one source event."""
    before = record_store.find(connection, scope, reference=cause.reference)
    named = _names(connection, scope, plan=plan)
    if not plan.late and not plan.parked:
        _follow(connection, scope, cause=cause, before=before)
    for intent in plan.intents:
        is_own = intent.reference == cause.reference
        last = before.lane if before is not None and is_own else None
        given_up = _lane_given_up(connection, scope, intent=intent, plan=plan) or last
        _insert(connection, scope, intent=intent, given_up=given_up)
        now = record_store.references_of(connection, scope, reference=intent.reference)
        every = named[intent.reference] | {each.reference for each in now}
        store.name_records(connection, scope, key=intent.key, named=every)
    for superseding in plan.supersedings:
        _supersede(connection, scope, superseding=superseding, position=position)
    for hold in plan.holds:
        operation = _the(connection, scope, key=hold.key)
        _hold(connection, scope, operation=operation, hold=hold)
    _link(connection, scope, plan=plan, position=position)
    for intent in plan.intents:
        _begin(connection, scope, intent=intent)


def _hold(connection: Connection, scope: Scope, *, operation: Operation, hold: Hold) -> None:
    if operation.state is not State.HELD:
        store.move(connection, scope, operation=operation, move=Move.HOLD)
    store.give_reason(connection, scope, key=hold.key, reason=hold.reason, concerns=hold.concerns)


def _follow(connection: Connection, scope: Scope, *, cause: Cause, before: Record | None) -> None:
    record_store.follow(
        connection,
        scope,
        reference=cause.reference,
        position=cause.position,
        source=cause.source,
        sequence=cause.sequence,
        facts=cause.facts,
    )
    was_removed = before is not None and before.removed_position is not None
    if was_removed and cause.facts.returns and not cause.facts.removes:
        gate_store.wake_record(connection, scope, reference=cause.reference)


def _names(connection: Connection, scope: Scope, *, plan: Plan) -> dict[SourceRef, set[SourceRef]]:
    """Return what the plan's records name before it: by their last state, or still under way."""
    found: dict[SourceRef, set[SourceRef]] = {}
    for reference in {intent.reference for intent in plan.intents}:
        earlier = store.open_of_record(connection, scope, reference=reference)
        stated = record_store.references_of(connection, scope, reference=reference)
        under_way = store.named_records(connection, scope, keys=[each.key for each in earlier])
        found[reference] = {each.reference for each in stated} | under_way
    return found


def _lane_given_up(
    connection: Connection, scope: Scope, *, intent: Intent, plan: Plan
) -> str | None:
    # What gives way was never sent: the remote still has the natural key that it would have given
    # up, and now its successor gives that up.
    old = [item.old for item in plan.supersedings if item.new == intent.key]
    gives_way = store.find(connection, scope, keys=old).values()
    oldest_first = sorted(gives_way, key=lambda operation: operation.stands_at)
    lanes = (operation.second_lane for operation in oldest_first)
    return next((lane for lane in lanes if lane is not None), None)


def _insert(connection: Connection, scope: Scope, *, intent: Intent, given_up: str | None) -> None:
    now = record_store.find(connection, scope, reference=intent.reference)
    lane = (now.lane if now else "") or str(intent.reference)
    state = State.HELD if intent.held else State.BLOCKED
    operation = Operation(
        key=intent.key,
        cause=intent.cause,
        payload=intent.payload,
        place=intent.place,
        concerns=intent.concerns,
        reference=intent.reference,
        kind=intent.kind,
        state=state,
        priority=intent.priority,
        lane=lane,
        second_lane=given_up if given_up and given_up != lane else None,
        reason=intent.held or intent.finished,
        completes=intent.completes,
    )
    store.insert(connection, scope, operation=operation)
    gate_store.insert(connection, scope, key=intent.key, waits_for=intent.gates)


def _supersede(
    connection: Connection, scope: Scope, *, superseding: Superseding, position: Position
) -> None:
    old = _the(connection, scope, key=superseding.old)
    store.move(
        connection,
        scope,
        operation=old,
        move=Move.SUPERSEDE,
        superseded_by=superseding.new,
        ended=position,
    )
    gate_store.pass_on(connection, scope, old=superseding.old, new=superseding.new)


def _link(connection: Connection, scope: Scope, *, plan: Plan, position: Position) -> None:
    keys = [intent.key for intent in plan.intents]
    keys += [item.old for item in plan.supersedings]
    keys += [item.key for item in plan.holds]
    store.link_event(connection, scope, keys=keys, position=position)


def _begin(connection: Connection, scope: Scope, *, intent: Intent) -> None:
    operation = _the(connection, scope, key=intent.key)
    if operation.state is State.BLOCKED and intent.finished is not None:
        store.move(connection, scope, operation=operation, move=Move.FINISH, ended=intent.cause)
        gate_store.wake_operation(connection, scope, key=intent.key)
    # Whatever its state: from now on only a wake makes anybody look at these gates.
    gate_store.open_own(connection, scope, key=intent.key)


def fold_claim(
    connection: Connection,
    scope: Scope,
    *,
    keys: Sequence[OperationKey],
    epoch: int,
    position: Position,
) -> None:
    """Mark operations as being worked on under an epoch."""
    for operation in store.find(connection, scope, keys=keys).values():
        # Claimed while in doubt, or while another owner may have sent something: still in doubt.
        in_doubt = operation.possibly_sent or operation.state is not State.READY
        store.move(
            connection,
            scope,
            operation=operation,
            move=Move.CLAIM,
            attempts=operation.attempts + 1,
            epoch=epoch,
            possibly_sent=in_doubt,
        )
    store.link_event(connection, scope, keys=keys, position=position)


def fold_ending(
    connection: Connection, scope: Scope, *, ending: Ending, position: Position
) -> Operation:
    """Move an operation to how it ended for now; returns it as it was before."""
    operation = _the(connection, scope, key=ending.key)
    values: dict[str, object] = {
        "reason": ending.reason,
        "not_before_seconds": ending.not_before,
        "failures": operation.failures + 1 if ending.failed else operation.failures,
        "possibly_sent": ending.move is Move.DOUBT or ending.in_doubt,
    }
    if ending.move is Move.FINISH:
        values["ended"] = position
    store.move(connection, scope, operation=operation, move=ending.move, **values)
    store.link_event(connection, scope, keys=[ending.key], position=position)
    if ending.move is Move.FINISH:
        gate_store.wake_operation(connection, scope, key=ending.key)
    return operation


def fold_approval(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Let held and dead operations go on; their gates are looked at again."""
    for key, operation in store.find(connection, scope, keys=keys).items():
        store.move(
            connection,
            scope,
            operation=operation,
            move=Move.APPROVE,
            reason=None,
            failures=0,
            not_before_seconds=0.0,
        )
        gate_store.look_again(connection, scope, key=key)
    store.link_event(connection, scope, keys=keys, position=position)


def fold_discard(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Give up held and dead operations; what waits for them goes on without."""
    for key, operation in store.find(connection, scope, keys=keys).items():
        store.move(connection, scope, operation=operation, move=Move.DISCARD, ended=position)
        gate_store.wake_operation(connection, scope, key=key)
    store.link_event(connection, scope, keys=keys, position=position)


def link(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Remember that an event tells of operations whose rows it leaves as they are."""
    store.link_event(connection, scope, keys=keys, position=position)


def _the(connection: Connection, scope: Scope, *, key: OperationKey) -> Operation:
    return store.find(connection, scope, keys=[key])[key]
