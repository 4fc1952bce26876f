"""The tree as it stands, ready to be signed, if it still continues what was signed before."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.audit.verification import Head
from ledger.errors import IntegrityError
from ledger.log import store as log_store
from ledger.log.merkle import tree_root
from ledger.log.tile_store import TileSource


def read_tree(connection: Connection, ledger: int, *, published: Sequence[Head] = ()) -> Head:
    """Return the log's size and root; raises `IntegrityError` where it contradicts a published one.

    Signing two trees of which neither continues the other would make the evidence worthless.
    """
    head = log_store.read_head(connection, ledger)
    now = Head(head.size, head.root())
    source = TileSource(connection, ledger)
    for known in published:
        _require_continued(known, now, source)
    return now


def _require_continued(known: Head, now: Head, source: TileSource) -> None:
    if known.size > now.size:
        message = (
            f"the log has {now.size} events, but a checkpoint of {known.size} was published: "
            "it was cut off, or an older backup was restored; run `audit verify`"
        )
        raise IntegrityError(message, position=now.size)
    root = now.root if known.size == now.size else tree_root(known.size, source)
    if root != known.root:
        message = (
            f"the log is not what its checkpoint of {known.size} events was made of: run "
            "`audit verify`, then restore a backup"
        )
        raise IntegrityError(message)
