"""Operations in SQL: written by folds only, read by everyone."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from ledger.errors import IntegrityError
from ledger.outbox.operation import FINAL, MOVES, Move, Operation, State
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.tables import operation_events, operation_references, operations
from ledger.schema.vault_tables import insert_or_ignore

KEYS_MAX = 500
_OPEN_STATES = [state.value for state in State if state not in FINAL]


def within(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that keeps a statement to one ledger and generation."""
    return and_(operations.c.ledger == scope.ledger, operations.c.generation == scope.generation)


def insert(connection: Connection, scope: Scope, *, operation: Operation) -> None:
    """Write a planned operation."""
    connection.execute(
        operations.insert(),
        {
            "ledger": scope.ledger,
            "generation": scope.generation,
            "key": operation.key,
            "cause": operation.cause,
            "payload": operation.payload,
            "place": operation.place,
            "concerns": _encode_concerns(operation.concerns),
            "entity": operation.reference.entity,
            "source_id": operation.reference.source_id,
            "kind": operation.kind,
            "state": operation.state.value,
            "priority": operation.priority,
            "lane": operation.lane,
            "second_lane": operation.second_lane,
            "attempts": 0,
            "failures": 0,
            "not_before_seconds": 0.0,
            "reason": operation.reason,
            "possibly_sent": False,
            "completes": operation.completes,
            "epoch": 0,
        },
    )


def move(
    connection: Connection,
    scope: Scope,
    *,
    operation: Operation,
    move: Move,
    **values: object,
) -> State:
    """Move an operation along the table of moves; raises `IntegrityError` if it has no such move.

    Keyword arguments are further columns to write in the same statement.
    """
    target = MOVES[operation.state].get(move)
    if target is None:
        message = (
            f"operation {operation.key} is {operation.state} and cannot {move}: "
            "run `rebuild --check` to see where the outbox left the log"
        )
        raise IntegrityError(message)
    connection.execute(
        operations.update()
        .where(within(scope), operations.c.key == operation.key)
        .values(state=target.value, **values)
    )
    return target


def give_reason(
    connection: Connection,
    scope: Scope,
    *,
    key: OperationKey,
    reason: str,
    concerns: Sequence[SourceRef],
) -> None:
    """Write why an operation is held, and which other records that is about."""
    connection.execute(
        operations.update()
        .where(within(scope), operations.c.key == key)
        .values(reason=reason, concerns=_encode_concerns(concerns))
    )


def find(
    connection: Connection, scope: Scope, *, keys: Iterable[OperationKey]
) -> dict[OperationKey, Operation]:
    """Return the operations with these keys."""
    wanted = list(dict.fromkeys(keys))
    found: dict[OperationKey, Operation] = {}
    for start in range(0, len(wanted), KEYS_MAX):
        statement = _selected(scope).where(operations.c.key.in_(wanted[start : start + KEYS_MAX]))
        found.update((row.key, as_operation(row)) for row in connection.execute(statement))
    return found


def of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return every operation on one record, in the order of their causes."""
    statement = _selected(scope).where(_about(reference)).order_by(operations.c.cause)
    return tuple(as_operation(row) for row in connection.execute(statement))


def last_of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> Operation | None:
    """Return the newest operation on one record that was not superseded or discarded."""
    given_up = [State.SUPERSEDED.value, State.DISCARDED.value]
    statement = (
        _selected(scope)
        .where(_about(reference), operations.c.state.not_in(given_up))
        .order_by(operations.c.cause.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else as_operation(row)


def open_of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return the operations on one record that something may still happen to."""
    statement = _selected(scope).where(_about(reference), operations.c.state.in_(_OPEN_STATES))
    rows = connection.execute(statement.order_by(operations.c.cause))
    return tuple(as_operation(row) for row in rows)


def open_naming(
    connection: Connection, scope: Scope, *, reference: SourceRef, entity: str | None = None
) -> tuple[Operation, ...]:
    """Return open operations (of one entity) that name a record, oldest first."""
    statement = (
        _selected(scope)
        .join(
            operation_references,
            and_(
                operation_references.c.ledger == operations.c.ledger,
                operation_references.c.generation == operations.c.generation,
                operation_references.c.operation == operations.c.key,
            ),
        )
        .where(
            operation_references.c.to_entity == reference.entity,
            operation_references.c.to_source_id == reference.source_id,
            operations.c.state.in_(_OPEN_STATES),
        )
        .order_by(operations.c.cause, operations.c.key)
    )
    if entity is not None:
        statement = statement.where(operations.c.entity == entity)
    return tuple(as_operation(row) for row in connection.execute(statement))


def name_records(
    connection: Connection, scope: Scope, *, key: OperationKey, named: Iterable[SourceRef]
) -> None:
    """Remember which records an operation's record names, in any state it may stand in."""
    rows = [
        {
            "ledger": scope.ledger,
            "generation": scope.generation,
            "operation": key,
            "to_entity": reference.entity,
            "to_source_id": reference.source_id,
        }
        for reference in sorted(set(named))
    ]
    if rows:
        connection.execute(operation_references.insert(), rows)


def named_records(
    connection: Connection, scope: Scope, *, keys: Iterable[OperationKey]
) -> set[SourceRef]:
    """Return the records that these operations' records name."""
    statement = select(operation_references.c.to_entity, operation_references.c.to_source_id).where(
        operation_references.c.ledger == scope.ledger,
        operation_references.c.generation == scope.generation,
        operation_references.c.operation.in_(list(keys)),
    )
    rows = connection.execute(statement)
    return {SourceRef(row.to_entity, row.to_source_id) for row in rows}


def read_page(
    connection: Connection,
    scope: Scope,
    *,
    states: Sequence[State] = (),
    entity: str | None = None,
    after: tuple[Position, OperationKey] | None = None,
    limit: int,
) -> list[Operation]:
    """Return up to `limit` operations by cause, after a (cause, key)."""
    statement = _selected(scope).order_by(operations.c.cause, operations.c.key).limit(limit)
    if states:
        statement = statement.where(operations.c.state.in_([state.value for state in states]))
    if entity is not None:
        statement = statement.where(operations.c.entity == entity)
    if after is not None:
        cause, key = after
        later = and_(operations.c.cause == cause, operations.c.key > key)
        statement = statement.where(or_(operations.c.cause > cause, later))
    return [as_operation(row) for row in connection.execute(statement)]


def count_by_state(connection: Connection, scope: Scope) -> dict[State, int]:
    """Return how many operations stand in each state."""
    rows = connection.execute(
        select(operations.c.state, func.count()).where(within(scope)).group_by(operations.c.state)
    )
    return {State(row[0]): row[1] for row in rows}


def link_event(
    connection: Connection, scope: Scope, *, keys: Iterable[OperationKey], position: Position
) -> None:
    """Remember that an outcome event tells of these operations."""
    rows = [
        {
            "ledger": scope.ledger,
            "generation": scope.generation,
            "operation": key,
            "position": position,
        }
        for key in dict.fromkeys(keys)
    ]
    if rows:
        # The parts of one plan are one event, and a later part may tell of an earlier one's.
        connection.execute(insert_or_ignore(connection, operation_events), rows)


def events_of(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey]
) -> dict[Position, OperationKey]:
    """Return the positions of the events that tell of these operations, and of which one each."""
    statement = select(operation_events.c.position, operation_events.c.operation).where(
        operation_events.c.ledger == scope.ledger,
        operation_events.c.generation == scope.generation,
        operation_events.c.operation.in_(keys),
    )
    return {row.position: row.operation for row in connection.execute(statement)}


def as_operation(row: Row[Any]) -> Operation:
    """Return the operation that a row of the table holds."""
    return Operation(
        key=OperationKey(row.key),
        cause=row.cause,
        reference=SourceRef(row.entity, row.source_id),
        kind=row.kind,
        state=State(row.state),
        priority=row.priority,
        payload=row.payload,
        place=row.place,
        concerns=_decode_concerns(row.concerns),
        lane=row.lane,
        second_lane=row.second_lane,
        attempts=row.attempts,
        failures=row.failures,
        not_before=row.not_before_seconds,
        reason=row.reason,
        possibly_sent=bool(row.possibly_sent),
        completes=bool(row.completes),
        superseded_by=row.superseded_by,
        epoch=row.epoch,
    )


def _selected(scope: Scope) -> Select[Any]:
    return select(operations).where(within(scope))


def _about(reference: SourceRef) -> ColumnElement[bool]:
    return and_(
        operations.c.entity == reference.entity, operations.c.source_id == reference.source_id
    )


def _encode_concerns(concerns: Sequence[SourceRef]) -> str | None:
    return json.dumps([[each.entity, each.source_id] for each in concerns]) if concerns else None


def _decode_concerns(text: str | None) -> tuple[SourceRef, ...]:
    return tuple(SourceRef(entity, source_id) for entity, source_id in json.loads(text or "[]"))
