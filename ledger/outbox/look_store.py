"""Looks that wait for their time, in SQL: one for each operation that was ever in doubt.

A look is an operation of the kind `recheck`. It waits for the operation that was in doubt to come
to its end, by a gate, and then for its moment. It wants what that operation wanted, in its lane,
and changes nothing; so it stands outside of everything that planning asks about a record.
"""

from sqlalchemy import Connection, select

from ledger.outbox import gate_store, store
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import RECHECK, Operation, Priority, State
from ledger.outbox.operation_row import as_operation
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.statements import about, parameters
from ledger.schema.tables import operations

REASON = "late_look"
"""The reason code of a look that waits."""

_WAITING = (State.BLOCKED.value, State.READY.value)
_OF_RECORD = select(operations).where(about(operations), operations.c.kind == RECHECK)
_ORDERED = _OF_RECORD.order_by(operations.c.cause)
_FIND_WAITING = _OF_RECORD.where(operations.c.state.in_(_WAITING)).limit(1)
_POSTPONE = operations.update().where(
    about(operations), operations.c.kind == RECHECK, operations.c.state.in_(_WAITING)
)


def plan(
    connection: Connection,
    scope: Scope,
    *,
    of: Operation,
    key: OperationKey,
    not_before: float,
    position: Position,
) -> None:
    """Have a record looked at once more, some time after an operation on it has ended."""
    if store.find_one(connection, scope, key=key) is not None:
        postpone(connection, scope, reference=of.reference, not_before=not_before)
        return
    look = Operation(
        key=key,
        cause=of.cause,
        reference=of.reference,
        kind=RECHECK,
        state=State.BLOCKED,
        priority=Priority.LOOK,
        payload=of.payload,
        lane=of.lane,
        not_before=not_before,
        reason=REASON,
    )
    store.insert(connection, scope, operation=look)
    gate = Gate(GateKind.AFTER, of.reference, operation=of.key)
    gate_store.insert(connection, scope, key=key, waits_for=[gate])
    store.link_event(connection, scope, keys=[key], position=position)


def postpone(
    connection: Connection, scope: Scope, *, reference: SourceRef, not_before: float
) -> None:
    """Put off what waits to look at a record until a moment."""
    connection.execute(_POSTPONE, parameters(scope, reference, not_before_seconds=not_before))


def is_waiting(connection: Connection, scope: Scope, *, reference: SourceRef) -> bool:
    """Tell whether a record is still to be looked at once more."""
    return connection.execute(_FIND_WAITING, parameters(scope, reference)).first() is not None


def of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return every look at one record, in the order of the causes."""
    rows = connection.execute(_ORDERED, parameters(scope, reference))
    return tuple(as_operation(row) for row in rows)


def open_of_record(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Operation, ...]:
    """Return the looks at one record that have not come to their end."""
    looks = of_record(connection, scope, reference=reference)
    return tuple(look for look in looks if look.is_open)
