"""Whether a log goes on from a tree that was published of it, or fell behind."""

from enum import StrEnum

from sqlalchemy import Connection

from ledger.audit.verification import Head
from ledger.log import store as log_store
from ledger.log.merkle import tree_root
from ledger.log.tile_store import TileSource


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
