"""Operations in SQL: written by folds only, read by everyone."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, not_, or_, select

from ledger.errors import IntegrityError
from ledger.outbox.operation import MOVES, RECHECK, Move, Operation, Priority, State
from ledger.outbox.operation_row import as_operation, as_row, encode_concerns
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.statements import about, folded_row, one_of, pages, parameters
from ledger.schema.statements import within as within_any
from ledger.schema.tables import operation_events, operation_references, operations
from ledger.schema.vault_tables import insert_or_ignore

KEYS_MAX = 500

_NAMED = and_(within_any(operations), operations.c.key == bindparam("of_key"))
_IS_OPEN = operations.c.ended.is_(None)
_OF_RECORD = (
    select(operations)
    # A look changes nothing: nothing waits for it, gives way to it or comes of it.
    .where(about(operations), operations.c.kind != RECHECK)
    .order_by(operations.c.cause)
)
_NAMING = and_(
    operation_references.c.ledger == operations.c.ledger,
    operation_references.c.generation == operations.c.generation,
    operation_references.c.operation == operations.c.key,
    operation_references.c.to_entity == bindparam("of_entity"),
    operation_references.c.to_source_id == bindparam("of_source_id"),
)

_INSERT = operations.insert()
_CHANGE = operations.update().where(_NAMED)
_FIND = select(operations).where(within_any(operations), operations.c.key.in_(one_of("keys")))
_FIND_ONE = select(operations).where(_NAMED)
_OPEN_OF_RECORD = _OF_RECORD.where(_IS_OPEN)
_IS_LATER_LOOK = and_(
    operations.c.priority == Priority.LOOK,
    operations.c.state.in_([State.BLOCKED.value, State.READY.value]),
)
_OPEN_NAMING = (
    select(operations)
    .join(operation_references, _NAMING)
    .where(within_any(operations), _IS_OPEN)
    .order_by(operations.c.cause, operations.c.key)
)
_OPEN_NAMING_OF_ENTITY = _OPEN_NAMING.where(operations.c.entity == bindparam("asked_entity"))
_NAME_RECORDS = operation_references.insert()
_NAMED_RECORDS = select(
    operation_references.c.to_entity, operation_references.c.to_source_id
).where(within_any(operation_references), operation_references.c.operation.in_(one_of("keys")))
_FORGET_NAMED = operation_references.delete().where(
    within_any(operation_references), operation_references.c.operation == bindparam("of_key")
)
_COUNT_BY_STATE = (
    select(operations.c.state, func.count())
    .where(within_any(operations), not_(_IS_LATER_LOOK))
    .group_by(operations.c.state)
)
_COUNT_LOOKS = select(func.count()).where(within_any(operations), _IS_LATER_LOOK)
_EVENTS_OF = select(operation_events.c.position, operation_events.c.operation).where(
    within_any(operation_events), operation_events.c.operation.in_(one_of("keys"))
)


def within(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that keeps a statement to one ledger and generation."""
    return and_(operations.c.ledger == scope.ledger, operations.c.generation == scope.generation)


def insert(connection: Connection, scope: Scope, *, operation: Operation) -> None:
    """Write a planned operation."""
    connection.execute(_INSERT, folded_row(scope, operation.reference, **as_row(operation)))


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
    target = _reached(operation, move)
    changes = parameters(scope, of_key=operation.key, state=target.value, **values)
    connection.execute(_CHANGE, changes)
    return target


def move_all(
    connection: Connection, scope: Scope, *, operations: Iterable[Operation], move: Move
) -> None:
    """Move several operations the same way in one statement."""
    changes = [
        parameters(scope, of_key=each.key, state=_reached(each, move).value) for each in operations
    ]
    if changes:
        connection.execute(_CHANGE, changes)


def _reached(operation: Operation, move: Move) -> State:
    target = MOVES[operation.state].get(move)
    if target is None:
        message = (
            f"operation {operation.key} is {operation.state} and cannot {move}: "
            "run `rebuild --check` to see where the outbox left the log"
        )
        raise IntegrityError(message)
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
    told = {"reason": reason, "concerns": encode_concerns(concerns)}
    connection.execute(_CHANGE, parameters(scope, of_key=key, **told))


def find(
    connection: Connection, scope: Scope, *, keys: Iterable[OperationKey]
) -> dict[OperationKey, Operation]:
    """Return the operations with these keys."""
    found: dict[OperationKey, Operation] = {}
    for page in pages(dict.fromkeys(keys), KEYS_MAX):
        asked = parameters(scope, keys=page)
        found.update((row.key, as_operation(row)) for row in connection.execute(_FIND, asked))
    return found


def find_one(connection: Connection, scope: Scope, *, key: OperationKey) -> Operation | None:
    """Return the operation with this key."""
    row = connection.execute(_FIND_ONE, parameters(scope, of_key=key)).one_or_none()
    return None if row is None else as_operation(row)


def the(connection: Connection, scope: Scope, *, key: OperationKey) -> Operation:
    """Return the operation with this key; raises `IntegrityError` where there is none."""
    operation = find_one(connection, scope, key=key)
    if operation is None:
        message = f"operation {key} is in no table: run `rebuild` to fold the log again"
        raise IntegrityError(message)
    return operation


def of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return every operation on one record, looks aside, in the order of their causes."""
    rows = connection.execute(_OF_RECORD, parameters(scope, reference))
    return tuple(as_operation(row) for row in rows)


def open_of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return the operations on one record that something may still happen to, looks aside."""
    rows = connection.execute(_OPEN_OF_RECORD, parameters(scope, reference))
    return tuple(as_operation(row) for row in rows)


def open_naming(
    connection: Connection, scope: Scope, *, reference: SourceRef, entity: str | None = None
) -> tuple[Operation, ...]:
    """Return open operations (of one entity) that name a record, oldest first."""
    if entity is None:
        rows = connection.execute(_OPEN_NAMING, parameters(scope, reference))
    else:
        asked = parameters(scope, reference, asked_entity=entity)
        rows = connection.execute(_OPEN_NAMING_OF_ENTITY, asked)
    return tuple(as_operation(row) for row in rows)


def name_records(
    connection: Connection, scope: Scope, *, key: OperationKey, named: Iterable[SourceRef]
) -> None:
    """Remember which records an operation's record names, until the operation has ended."""
    rows = [
        folded_row(scope, operation=key, to_entity=each.entity, to_source_id=each.source_id)
        for each in sorted(set(named))
    ]
    if rows:
        connection.execute(_NAME_RECORDS, rows)


def forget_named(connection: Connection, scope: Scope, *, keys: Iterable[OperationKey]) -> None:
    """Forget what operations name that came to their end: nobody asks who named a record once."""
    ended = [parameters(scope, of_key=key) for key in keys]
    if ended:
        connection.execute(_FORGET_NAMED, ended)


def named_records(
    connection: Connection, scope: Scope, *, keys: Collection[OperationKey]
) -> set[SourceRef]:
    """Return the records that these operations' records name."""
    if not keys:
        return set()
    rows = connection.execute(_NAMED_RECORDS, parameters(scope, keys=list(keys)))
    return {SourceRef(row.to_entity, row.to_source_id) for row in rows}


def read_page(
    connection: Connection,
    scope: Scope,
    *,
    states: Sequence[State] = (),
    entity: str | None = None,
    reason: str | None = None,
    after: tuple[Position, OperationKey] | None = None,
    limit: int,
) -> list[Operation]:
    """Return up to `limit` operations by cause, after a (cause, key)."""
    statement = _selected(scope).order_by(operations.c.cause, operations.c.key).limit(limit)
    if states:
        statement = statement.where(operations.c.state.in_([state.value for state in states]))
    if entity is not None:
        statement = statement.where(operations.c.entity == entity)
    if reason is not None:
        statement = statement.where(operations.c.reason == reason)
    if after is not None:
        cause, key = after
        later = and_(operations.c.cause == cause, operations.c.key > key)
        statement = statement.where(or_(operations.c.cause > cause, later))
    return [as_operation(row) for row in connection.execute(statement)]


def count_by_state(connection: Connection, scope: Scope) -> dict[State, int]:
    """Return how many operations stand in each state, but for looks that are not due yet."""
    rows = connection.execute(_COUNT_BY_STATE, parameters(scope))
    return {State(row[0]): row[1] for row in rows}


def count_looks(connection: Connection, scope: Scope) -> int:
    """Return how many records are to be looked at once more, now or later."""
    return int(connection.execute(_COUNT_LOOKS, parameters(scope)).scalar_one())


def link_event(
    connection: Connection, scope: Scope, *, keys: Iterable[OperationKey], position: Position
) -> None:
    """Remember that an outcome event tells of these operations."""
    rows = [folded_row(scope, operation=key, position=position) for key in dict.fromkeys(keys)]
    if rows:
        # The parts of one plan are one event, and a later part may tell of an earlier one's.
        connection.execute(insert_or_ignore(connection, operation_events), rows)


def events_of(
    connection: Connection, scope: Scope, *, keys: Collection[OperationKey]
) -> dict[Position, OperationKey]:
    """Return the positions of the events that tell of these operations, and of which one each."""
    rows = connection.execute(_EVENTS_OF, parameters(scope, keys=list(keys)))
    return {row.position: row.operation for row in rows}


def _selected(scope: Scope) -> Select[Any]:
    return select(operations).where(within(scope))
