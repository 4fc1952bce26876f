"""What a log that fell behind makes of the outbox: nothing unfinished is known to be unsent.

An older ledger was accepted in the place of one that went further. What it holds as unsent may
have been sent by the lost part, so it counts as possibly sent, and as never tried: that is how
`sync` tells it from what is in doubt by a request of its own.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, select

from ledger.outbox.operation import POSSIBLY_SENT, RECHECK, Operation, State
from ledger.outbox.operation_row import as_operation
from ledger.reference import OperationKey, Scope
from ledger.schema.statements import one_of, parameters, within
from ledger.schema.tables import operations

_UNSENT: Final = (State.BLOCKED, State.READY, State.HELD, State.DEAD)
_DOUBTED: Final = {"possibly_sent": True, "attempts": 0}
# A look sends nothing, so that nothing of it can be in doubt.
_SENDING = operations.update().where(within(operations), operations.c.kind != RECHECK)
_DOUBT = _SENDING.where(
    operations.c.state.in_([state.value for state in _UNSENT]),
    operations.c.possibly_sent.is_(False),
)
_KEEP_IN_DOUBT = _SENDING.where(
    operations.c.state.in_(sorted(state.value for state in POSSIBLY_SENT))
)
_NEW = select(operations).where(
    within(operations),
    operations.c.key.in_(one_of("keys")),
    operations.c.state.in_([State.BLOCKED.value, State.READY.value]),
)
_DOUBT_ONE = operations.update().where(within(operations), operations.c.key == bindparam("of_key"))


def doubt_all(connection: Connection, scope: Scope) -> None:
    """Count every operation that is not final and no look as possibly sent."""
    connection.execute(_DOUBT.values(**_DOUBTED), parameters(scope))
    connection.execute(_KEEP_IN_DOUBT.values(possibly_sent=True), parameters(scope))


def unsent_among(
    connection: Connection, scope: Scope, *, keys: Collection[OperationKey]
) -> tuple[Operation, ...]:
    """Return which of these operations wait to be sent."""
    rows = connection.execute(_NEW, parameters(scope, keys=list(keys)))
    return tuple(as_operation(row) for row in rows)


def doubt(connection: Connection, scope: Scope, *, keys: Collection[OperationKey]) -> None:
    """Count new operations as possibly sent, by the part of the log that is lost."""
    for key in keys:
        connection.execute(_DOUBT_ONE.values(**_DOUBTED), parameters(scope, of_key=key))
