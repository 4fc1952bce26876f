"""What SQLite is told of how many rows there will be, because it plans before there are any.

Left to itself it takes every table for a small one and each further column of an index for much
the same: it would rather read all of a ledger's rows in one index than look up three in another.
Nobody notices on the first day, and everything becomes slower with every event. So each index is
given the figures of a big ledger when it is made, and again when somebody had SQLite count what
few rows there were. PostgreSQL counts its rows by itself.

A host may keep tables of its own in the same file. Nothing is said of those, and what is known of
them is kept.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from ledger.schema.revisions import VERSION_TABLES, Line
from ledger.schema.tables import metadata
from ledger.schema.vault_tables import vault_metadata

ROWS: Final = 1_000_000
OF_ONE_VALUE: Final = 10
"""How many rows share one value of a column that is not named below."""
VALUES: Final = {
    "entity": 10,
    "generation": 1,
    "is_open": 2,
    "is_outcome": 2,
    "kind": 5,
    "ledger": 1,
    "level": 3,
    "priority": 4,
    "source": 2,
    "state": 10,
    "to_entity": 10,
    "type": 20,
}
"""How many different values a column has that many rows share."""

_INDEXES: Final = text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'")
_COLUMNS: Final = text("SELECT name FROM pragma_index_info(:index) ORDER BY seqno")
_IS_UNIQUE: Final = text('SELECT "unique" FROM pragma_index_list(:of_table) WHERE name = :index')
_OURS: Final = frozenset({*metadata.tables, *vault_metadata.tables, *VERSION_TABLES.values()})
_HAS_FIGURES: Final = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
_TOLD: Final = text("SELECT idx FROM sqlite_stat1 WHERE stat LIKE :of_many")
_FORGET: Final = text("DELETE FROM sqlite_stat1 WHERE tbl = :of_table AND idx IS :index")
_TELL: Final = text(
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:of_table, :index, :figures)"
)
# Looking at one small table makes the table of figures, where there is none yet.
_MAKE: Final = {line: text(f"ANALYZE {table}") for line, table in VERSION_TABLES.items()}
# Lets this connection plan by them.
_HEED: Final = text("ANALYZE sqlite_master")


def expects_many_rows(connection: Connection) -> bool:
    """Tell whether every index has its figures; `ANALYZE` replaces them by those of the moment."""
    if connection.dialect.name != "sqlite":
        return True
    if connection.execute(_HAS_FIGURES).first() is None:
        return False
    told = set(connection.execute(_TOLD, {"of_many": f"{ROWS} %"}).scalars())
    return all(index in told for index, _ in _our_indexes(connection))


def expect_many_rows(connection: Connection, line: Line) -> None:
    """Tell a SQLite database, in the caller's transaction, how its indexes will look one day."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(_MAKE[line])
    for index, table in _our_indexes(connection):
        named = {"index": index, "of_table": table}
        columns = connection.execute(_COLUMNS, {"index": index}).scalars().all()
        is_unique = bool(connection.execute(_IS_UNIQUE, named).scalar_one())
        shown = " ".join(str(count) for count in figures(columns, is_unique=is_unique))
        connection.execute(_FORGET, named)
        connection.execute(_TELL, {**named, "figures": shown})
    connection.execute(_HEED)


def _our_indexes(connection: Connection) -> list[tuple[str, str]]:
    found = connection.execute(_INDEXES).all()
    return [(index, table) for index, table in found if table in _OURS]


def figures(columns: Sequence[str], *, is_unique: bool) -> list[int]:
    """Return how many rows an index has, and how many agree in its first columns, one by one."""
    counts = [ROWS]
    for column in columns:
        shared = counts[-1] // VALUES[column] if column in VALUES else OF_ONE_VALUE
        counts.append(max(1, min(counts[-1], shared)))
    return [*counts[:-1], 1] if is_unique else counts
