"""The rows of a ledger in SQL, read and written a page at a time, whichever database it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, tuple_

from ledger.log import store as log_store
from ledger.log.merkle import CompactRange
from ledger.reference import Scope
from ledger.schema.tables import (
    FOLDED,
    epochs,
    events,
    heads,
    inbox,
    leases,
    ledgers,
    pace_hosts,
    paces,
    sightings,
    tiles,
    wakes,
)

Row = dict[str, Any]
ROWS_PER_PAGE: Final = 500
LEAVES_PER_PAGE: Final = 5_000
REPLACEABLE: Final = (tiles, *FOLDED, wakes, leases, epochs, paces, pace_hosts, sightings, inbox)
"""Everything that a copy may write again from the beginning; events are only ever added."""


def pages(
    connection: Connection,
    table: Table,
    *,
    within: Mapping[str, object],
    after: Sequence[object] | None = None,
    limit: int = ROWS_PER_PAGE,
) -> Iterator[list[Row]]:
    """Yield a table's rows within these columns' values, in the order of their keys."""
    mine = and_(*(table.c[name] == value for name, value in within.items()))
    keys = [column for column in table.primary_key if column.name not in within]
    statement = select(table).where(mine).order_by(*keys).limit(limit)
    while True:
        page = statement if after is None else statement.where(_follows(keys, after))
        rows = [dict(row) for row in connection.execute(page).mappings()]
        if rows:
            yield rows
        if len(rows) < limit:
            return
        after = [rows[-1][key.name] for key in keys]


def _follows(keys: Sequence[ColumnElement[Any]], after: Sequence[object]) -> ColumnElement[bool]:
    return keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after)


def own(table: Table, scope: Scope) -> dict[str, object]:
    """Return which rows of a table belong to one ledger, and to its live folding."""
    mine: dict[str, object] = {"ledger": scope.ledger}
    return mine | ({"generation": scope.generation} if "generation" in table.c else {})


def read_ledger(connection: Connection) -> Row | None:
    """Return the ledger's own row, or `None` where there is none."""
    row = connection.execute(select(ledgers)).mappings().one_or_none()
    return None if row is None else dict(row)


def begin_ledger(connection: Connection, row: Row) -> None:
    """Write a ledger's own row and a head of nothing."""
    connection.execute(ledgers.insert(), row)
    empty = {"ledger": row["ledger"], "size": 0, "compact_range": CompactRange().to_bytes()}
    connection.execute(heads.insert(), empty)


def clear(connection: Connection, ledger: int) -> None:
    """Remove whatever an unfinished copy left beside the log."""
    for table in REPLACEABLE:
        connection.execute(table.delete().where(table.c.ledger == ledger))


def next_position(connection: Connection, ledger: int) -> int:
    """Return the first position that is not there yet."""
    last = select(func.max(events.c.position)).where(events.c.ledger == ledger)
    found = connection.execute(last).scalar_one()
    return 0 if found is None else int(found) + 1


def tree(connection: Connection, ledger: int) -> CompactRange:
    """Return the tree over the leaves that are there, whatever the head row says."""
    statement = (
        select(events.c.leaf)
        .where(events.c.ledger == ledger)
        .order_by(events.c.position)
        .limit(LEAVES_PER_PAGE)
    )
    found = CompactRange()
    while True:
        # Positions have no gaps, so the size of what was read is where the next page begins.
        page = statement.where(events.c.position >= found.size)
        leaves = connection.execute(page).scalars().all()
        found = found.extend(leaves)
        if len(leaves) < LEAVES_PER_PAGE:
            return found


def write_head(connection: Connection, ledger: int, head: CompactRange) -> None:
    """Let the head row say what the log holds."""
    log_store.write_head(connection, ledger, head=head)


def has_rows(connection: Connection, table: Table) -> bool:
    """Tell whether a table holds anything."""
    return connection.execute(select(table).limit(1)).first() is not None


def is_leased(connection: Connection, ledger: int, *, now: float) -> bool:
    """Tell whether a host is in a conversation with the remote."""
    held = select(leases.c.lane).where(
        leases.c.ledger == ledger, leases.c.host != "", leases.c.until_seconds > now
    )
    return connection.execute(held.limit(1)).first() is not None


def set_generation(connection: Connection, ledger: int, *, generation: int) -> None:
    """Say which folding of a ledger is live."""
    mine = ledgers.c.ledger == ledger
    connection.execute(ledgers.update().where(mine).values(generation=generation))


def read_head(connection: Connection, ledger: int) -> CompactRange:
    """Return the tree as the head row has it."""
    kept = select(heads.c.compact_range).where(heads.c.ledger == ledger)
    return CompactRange.from_bytes(connection.execute(kept).scalar_one())
