"""Who waits for whom: the gates of the kind `after`, followed in both directions."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, bindparam, select

from ledger.outbox.gate import GateKind
from ledger.outbox.operation import FINAL
from ledger.reference import OperationKey, Scope
from ledger.schema.statements import one_of, parameters, within
from ledger.schema.tables import gates, operations

WAVE_MAX = 400

_FOLLOWERS = (
    select(gates.c.operation)
    .join(
        operations,
        and_(
            operations.c.ledger == gates.c.ledger,
            operations.c.generation == gates.c.generation,
            operations.c.key == gates.c.operation,
        ),
    )
    .where(
        within(gates),
        gates.c.kind == GateKind.AFTER.value,
        gates.c.waits_for.in_(one_of("keys")),
        operations.c.state.not_in([state.value for state in FINAL]),
    )
)
_WAITERS = select(gates.c.operation).where(within(gates), gates.c.waits_for == bindparam("awaited"))
_AWAITED = select(gates.c.waits_for).where(
    within(gates),
    gates.c.operation == bindparam("of_operation"),
    gates.c.waits_for.is_not(None),
)


def followers(
    connection: Connection, scope: Scope, *, keys: Collection[OperationKey]
) -> frozenset[OperationKey]:
    """Return the open operations that wait for these, directly or through others."""
    found: set[OperationKey] = set()
    wave = list(keys)
    while wave:
        page, wave = wave[:WAVE_MAX], wave[WAVE_MAX:]
        rows = connection.execute(_FOLLOWERS, parameters(scope, keys=page))
        fresh = {OperationKey(row.operation) for row in rows} - found
        found |= fresh
        wave += sorted(fresh)
    return frozenset(found)


def waiting_for(
    connection: Connection, scope: Scope, *, key: OperationKey
) -> frozenset[OperationKey]:
    """Return the operations that have a gate on this one."""
    rows = connection.execute(_WAITERS, parameters(scope, awaited=key))
    return frozenset(OperationKey(row.operation) for row in rows)


def awaited_by(
    connection: Connection, scope: Scope, *, key: OperationKey
) -> frozenset[OperationKey]:
    """Return the operations that this one has a gate on."""
    rows = connection.execute(_AWAITED, parameters(scope, of_operation=key))
    return frozenset(OperationKey(row.waits_for) for row in rows)
