"""Whether a log goes on from what was once seen of it elsewhere, or fell behind.

Two things outside the database know of it: the newest published tree, and the register of erased
persons, whose every line names the event that it was written for.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from ledger import doubting
from ledger.audit.verification import Head
from ledger.clock import from_microseconds
from ledger.log import store as log_store
from ledger.log.merkle import tree_root
from ledger.log.tile_store import TileSource
from ledger.reference import Position, Scope
from ledger.vault.register_store import Erased

ERASED: Final = "subject.erased"
"""The events that the register keeps the positions of."""


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
