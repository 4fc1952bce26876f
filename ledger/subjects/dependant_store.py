"""Which operations an erasure touches: those on the person's records, and those that wait."""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, select

from ledger.outbox import gate_store, look_store, store
from ledger.outbox.operation import POSSIBLY_SENT, Operation, State
from ledger.reference import OperationKey, Scope, SourceRef
from ledger.schema.statements import parameters, within
from ledger.schema.tables import gates

WAITING_MAX: Final = 10_000

_WAITING = (
    select(gates.c.operation)
    .where(
        within(gates),
        gates.c.entity == bindparam("of_entity"),
        gates.c.source_id == bindparam("of_source_id"),
        gates.c.is_open.is_(False),
    )
    .distinct()
    .order_by(gates.c.operation)
    .limit(WAITING_MAX)
)


def open_on(
    connection: Connection, scope: Scope, *, records: Iterable[SourceRef]
) -> list[Operation]:
    """Return the operations on these records that something may still happen to, looks included."""
    return [
        operation
        for reference in records
        for find in (store.open_of_record, look_store.open_of_record)
        for operation in find(connection, scope, reference=reference)
    ]


def is_in_doubt(operation: Operation) -> bool:
    """Tell whether something of an operation may have been sent without a known outcome."""
    return operation.state in POSSIBLY_SENT or operation.possibly_sent


def waiting_on(
    connection: Connection, scope: Scope, *, records: Collection[SourceRef]
) -> dict[OperationKey, tuple[SourceRef, ...]]:
    """Return the blocked operations of other records that wait for these, and for which."""
    mine = frozenset(records)
    keys = [
        OperationKey(row.operation)
        for reference in sorted(mine)
        for row in connection.execute(_WAITING, parameters(scope, reference))
    ]
    found: dict[OperationKey, tuple[SourceRef, ...]] = {}
    for key, operation in store.find(connection, scope, keys=keys).items():
        if operation.state is State.BLOCKED and operation.reference not in mine:
            closed = gate_store.closed_of(connection, scope, operation=operation)
            awaited = {gate.reference for gate, _ in closed} & mine
            if awaited:
                found[key] = tuple(sorted(awaited))
    return found
