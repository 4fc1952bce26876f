"""Whether a log goes on from what was once seen of it elsewhere, or fell behind.

Two things outside the database know of it: the newest published tree, and the register of erased
persons, whose every line names the event that it was written for.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, select, union

from ledger import doubting
from ledger.audit.verification import Head
from ledger.clock import from_microseconds
from ledger.log import store as log_store
from ledger.log.merkle import tree_root
from ledger.log.tile_store import TileSource
from ledger.mapping.binding import BindingState
from ledger.outbox.operation import FINAL, RECHECK
from ledger.reference import Position, Scope
from ledger.schema.statements import parameters, within
from ledger.schema.tables import bindings, operations
from ledger.vault.register_store import Erased

ERASED: Final = "subject.erased"
"""The events that the register keeps the positions of."""

_TOLD_NOBODY_KNOWS_WHAT: Final = select(bindings.c.entity, bindings.c.source_id).where(
    within(bindings), bindings.c.state == BindingState.LIVE.value, bindings.c.sent.is_(None)
)
# What is in doubt by a request of its own was tried.
_MAYBE_DONE_IN_LOST_PART: Final = select(operations.c.entity, operations.c.source_id).where(
    within(operations),
    operations.c.kind != RECHECK,
    operations.c.state.not_in(sorted(state.value for state in FINAL)),
    operations.c.possibly_sent.is_(True),
    operations.c.attempts == 0,
)
_IN_DOUBT: Final = select(func.count()).select_from(
    union(_TOLD_NOBODY_KNOWS_WHAT, _MAYBE_DONE_IN_LOST_PART).subquery()
)


class Standing(StrEnum):
    """How a log stands to a tree that was published of it."""

    CONTINUED = "continued"
    OLDER = "older"
    """The log is shorter: a backup from before was restored, or its end was cut off."""
    OTHER = "other"
    """The log had another root at that size: it went another way, or was written anew."""


def standing(connection: Connection, ledger: int, *, published: Head) -> Standing:
    """Tell how the log stands to a published tree; it reads a few rows, however long the log."""
    size = log_store.read_head(connection, ledger).size
    if size < published.size:
        return Standing.OLDER
    root = tree_root(published.size, TileSource(connection, ledger))
    return Standing.CONTINUED if root == published.root else Standing.OTHER


def lost_erasure(
    connection: Connection, scope: Scope, *, entries: Sequence[Erased]
) -> Position | None:
    """Return where the register's last erasure stood if the log lacks it, else `None`.

    What was registered before an older ledger was accepted is no news: those persons were erased
    again, at other positions.
    """
    since = _accepted_at(connection, scope)
    since_then = (each for each in entries if each.recorded_at > since)
    last = max(since_then, key=lambda each: each.position, default=None)
    if last is None or _stands(connection, scope.ledger, entry=last):
        return None
    return last.position


def accepted(connection: Connection, scope: Scope) -> tuple[Position, int] | None:
    """Return where an older ledger was accepted, and how many records are in doubt since.

    Those are live records of which it is not known what they were last told, and those with an
    operation that the lost part may have carried out. `None` where it was never accepted, or a
    person has compared since.
    """
    position = doubting.accepted_older(connection, scope)
    if position is None or doubting.is_compared(connection, scope, accepted=position):
        return None
    return position, connection.execute(_IN_DOUBT, parameters(scope)).scalar_one()


def _stands(connection: Connection, ledger: int, *, entry: Erased) -> bool:
    if log_store.read_head(connection, ledger).size <= entry.position:
        return False
    if entry.root:
        # Who came back with a backup is erased again, maybe at the very same position.
        return tree_root(entry.position + 1, TileSource(connection, ledger)).hex() == entry.root
    found = log_store.read_at(connection, ledger, positions=[entry.position])
    return any(each.type == ERASED for each in found)


def _accepted_at(connection: Connection, scope: Scope) -> str:
    position = doubting.accepted_older(connection, scope)
    if position is None:
        return ""
    (accepted,) = log_store.read_at(connection, scope.ledger, positions=[position])
    return from_microseconds(accepted.recorded_at_microseconds).isoformat()
