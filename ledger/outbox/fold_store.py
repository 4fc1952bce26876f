"""What outcome events make of the outbox: the same code live and in a rebuild.

Each function takes what one event says and brings the rows to it. Nothing here reads a clock, and
nothing is decided: what is folded was decided before it was logged.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ledger.outbox import gate_store, record_store, store
from ledger.outbox.operation import Move, Operation, State
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Facts, Record
from ledger.reference import Position, Scope, SourceRef


@dataclass(frozen=True, slots=True)
class Cause:
    """The source event that a part of a plan belongs to."""

    position: Position
    reference: SourceRef
    source: str
    sequence: int | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Part:
    """What is folded of a plan, and the record of its event as it was before."""

    cause: Cause
    plan: Plan
    before: Record | None

    @property
    def is_followed(self) -> bool:
        return not self.plan.late and not self.plan.parked

    @property
    def tells_state(self) -> bool:
        return self.is_followed and not self.cause.facts.removes

    @property
    def lane(self) -> str:
        """The lane of the event's record from now on."""
        if self.before is None:
            return ""
        return self.cause.facts.lane if self.tells_state else self.before.lane


def fold_plan(
    connection: Connection, scope: Scope, *, cause: Cause, plan: Plan, position: Position
) -> None:
    """Bring records, operations and gates to what was planned for one source event."""
    part = _Part(
        cause, plan, before=record_store.find(connection, scope, reference=cause.reference)
    )
    named = _names(connection, scope, part=part)
    if part.is_followed:
        _follow(connection, scope, cause=cause, before=part.before)
    planned = [_insert(connection, scope, intent=intent, part=part) for intent in plan.intents]
    for intent in plan.intents:
        store.name_records(connection, scope, key=intent.key, named=named[intent.reference])
    for superseding in plan.supersedings:
        supersede(connection, scope, superseding=superseding, position=position)
    for hold in plan.holds:
        operation = store.the(connection, scope, key=hold.key)
        _hold(connection, scope, operation=operation, hold=hold)
    _link(connection, scope, plan=plan, position=position)
    changed = {each.old for each in plan.supersedings} | {each.key for each in plan.holds}
    for intent, operation in zip(plan.intents, planned, strict=True):
        is_changed = operation.key in changed
        now = store.the(connection, scope, key=operation.key) if is_changed else operation
        _begin(connection, scope, operation=now, intent=intent)


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


def _names(connection: Connection, scope: Scope, *, part: _Part) -> dict[SourceRef, set[SourceRef]]:
    """Return what the plan's records name: by their last state, this one, or still under way."""
    found: dict[SourceRef, set[SourceRef]] = {}
    for reference in {intent.reference for intent in part.plan.intents}:
        earlier = store.open_of_record(connection, scope, reference=reference)
        stated = record_store.references_of(connection, scope, reference=reference)
        under_way = store.named_records(connection, scope, keys=[each.key for each in earlier])
        found[reference] = {each.reference for each in stated} | under_way
        if reference == part.cause.reference and part.tells_state:
            found[reference] |= {each.reference for each in part.cause.facts.references}
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


def _lanes(
    connection: Connection, scope: Scope, *, intent: Intent, part: _Part
) -> tuple[str, str | None]:
    """Return the lane of an operation's record, and the one that the record gives up."""
    is_own = intent.reference == part.cause.reference
    record = (
        part.before if is_own else record_store.find(connection, scope, reference=intent.reference)
    )
    known = record.lane if record is not None else ""
    lane = (part.lane if is_own else known) or str(intent.reference)
    given_up = _lane_given_up(connection, scope, intent=intent, plan=part.plan)
    if given_up is None and is_own:
        given_up = known
    return lane, given_up if given_up and given_up != lane else None


def _insert(connection: Connection, scope: Scope, *, intent: Intent, part: _Part) -> Operation:
    lane, second_lane = _lanes(connection, scope, intent=intent, part=part)
    operation = Operation(
        key=intent.key,
        cause=intent.cause,
        payload=intent.payload,
        place=intent.place,
        concerns=intent.concerns,
        reference=intent.reference,
        kind=intent.kind,
        state=State.HELD if intent.held else State.BLOCKED,
        priority=intent.priority,
        lane=lane,
        second_lane=second_lane,
        reason=intent.held or intent.finished,
        completes=intent.completes,
    )
    store.insert(connection, scope, operation=operation)
    gate_store.insert(connection, scope, key=intent.key, waits_for=intent.gates)
    return operation


def supersede(
    connection: Connection, scope: Scope, *, superseding: Superseding, position: Position
) -> None:
    """Let an operation that was never sent give way; gates on it pass to its successor."""
    old = store.the(connection, scope, key=superseding.old)
    store.move(
        connection,
        scope,
        operation=old,
        move=Move.SUPERSEDE,
        superseded_by=superseding.new,
        ended=position,
    )
    store.forget_named(connection, scope, keys=[superseding.old])
    gate_store.pass_on(connection, scope, old=superseding.old, new=superseding.new)


def _link(connection: Connection, scope: Scope, *, plan: Plan, position: Position) -> None:
    keys = [intent.key for intent in plan.intents]
    keys += [item.old for item in plan.supersedings]
    keys += [item.key for item in plan.holds]
    store.link_event(connection, scope, keys=keys, position=position)


def _begin(connection: Connection, scope: Scope, *, operation: Operation, intent: Intent) -> None:
    if operation.state is State.BLOCKED and intent.finished is not None:
        ended = store.move(
            connection, scope, operation=operation, move=Move.FINISH, ended=intent.cause
        )
        operation = replace(operation, state=ended)
        store.forget_named(connection, scope, keys=[intent.key])
        gate_store.wake_operation(connection, scope, key=intent.key)
    # Whatever its state: from now on only a wake makes anybody look at these gates.
    gate_store.open_own(connection, scope, operation=operation)
