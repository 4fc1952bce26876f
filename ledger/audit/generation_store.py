"""Two foldings of one log, side by side: compared row by row, and dropped page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
    tuple_,
)

from ledger.reference import Json
from ledger.schema.tables import FOLDED, ledgers, wakes

ROWS_PER_PAGE: Final = 500
_SCOPE: Final = ("ledger", "generation")
_DROPPED: Final = (*FOLDED, wakes)
_LIVE: Final = select(ledgers.c.generation).where(ledgers.c.ledger == bindparam("in_ledger"))


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two foldings say different things."""

    table: str
    key: Mapping[str, Json]
    column: str | None
    """`None` when one of the two has no such row."""
    live: Json
    rebuilt: Json

    def to_json(self) -> dict[str, Json]:
        """Return the difference as JSON; it names rows by pseudonyms and digests only."""
        return {
            "table": self.table,
            "key": dict(self.key),
            "column": self.column,
            "live": self.live,
            "rebuilt": self.rebuilt,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows agree, up to the first difference."""

    rows: int
    first_difference: Difference | None = None


def compare(connection: Connection, ledger: int, *, live: int, rebuilt: int) -> Comparison:
    """Return how the rows of two generations compare, in the order of tables and keys."""
    rows = 0
    for table in FOLDED:
        found = _compare_table(connection, table, (ledger, live), (ledger, rebuilt))
        rows += found.rows
        if found.first_difference is not None:
            return Comparison(rows, found.first_difference)
    return Comparison(rows)


def strays(connection: Connection, ledger: int) -> set[int]:
    """Return generations that have rows although they are not the live one."""
    live = read_live(connection, ledger)
    found: set[int] = set()
    for table in _DROPPED:
        row = connection.execute(_ends(table), {"in_ledger": ledger}).one()
        found |= {generation for generation in row if generation is not None}
    return found - {live}


def read_live(connection: Connection, ledger: int) -> int:
    """Return the generation that is read and written."""
    return int(connection.execute(_LIVE, {"in_ledger": ledger}).scalar_one())


def make_live(connection: Connection, ledger: int, *, generation: int) -> None:
    """Let a generation be the one that is read and written from this commit on."""
    connection.execute(
        ledgers.update().where(ledgers.c.ledger == ledger).values(generation=generation)
    )


def drop_page(connection: Connection, ledger: int, *, generation: int, limit: int) -> bool:
    """Delete up to `limit` rows of a generation; returns whether there were any.

    The live one is left alone, whoever made it live meanwhile.
    """
    if generation == read_live(connection, ledger):
        return False
    left = limit
    for table in _DROPPED:
        where = {**_within(ledger, generation), "row_count": left}
        left -= connection.execute(_drop(table), where).rowcount
        if left <= 0:
            return True
    return left < limit


def _compare_table(
    connection: Connection, table: Table, live: tuple[int, int], rebuilt: tuple[int, int]
) -> Comparison:
    rows, after = 0, None
    while True:
        ours = _page(connection, table, live, after=after)
        theirs = _page(connection, table, rebuilt, after=after)
        for one, other in zip_longest(ours, theirs):
            difference = _difference(table, one, other)
            if difference is not None:
                return Comparison(rows, difference)
            rows += 1
        if len(ours) < ROWS_PER_PAGE:
            return Comparison(rows)
        after = _key_of(table, ours[-1])


def _page(
    connection: Connection, table: Table, scope: tuple[int, int], *, after: Sequence[Any] | None
) -> Sequence[Row[Any]]:
    statement, within = _first_page(table), _within(*scope)
    if after is not None:
        statement = statement.where(tuple_(*_key(table)) > tuple(after))
    return connection.execute(statement, within).all()


# Building these takes longer than what most of them find, so each is built once.
@cache
def _first_page(table: Table) -> Select[Any]:
    rows = select(*_compared(table)).where(_of(table)).order_by(*_key(table))
    return rows.limit(ROWS_PER_PAGE)


@cache
def _drop(table: Table) -> Delete:
    doomed = select(*_key(table)).where(_of(table)).limit(bindparam("row_count"))
    return table.delete().where(_of(table), tuple_(*_key(table)).in_(doomed))


@cache
def _ends(table: Table) -> Select[Any]:
    ends = select(func.min(table.c.generation), func.max(table.c.generation))
    return ends.where(table.c.ledger == bindparam("in_ledger"))


def _difference(table: Table, live: Row[Any] | None, rebuilt: Row[Any] | None) -> Difference | None:
    if live is None or rebuilt is None or _key_of(table, live) != _key_of(table, rebuilt):
        return _missing(table, live, rebuilt)
    for column, ours, theirs in zip(_compared(table), live, rebuilt, strict=True):
        if ours != theirs:
            name = column.name
            return Difference(table.name, _named(table, live), name, _shown(ours), _shown(theirs))
    return None


def _missing(table: Table, live: Row[Any] | None, rebuilt: Row[Any] | None) -> Difference:
    # Of two keys the smaller one is the one that the other side passed over.
    is_ours = rebuilt is None or (
        live is not None and tuple(_key_of(table, live)) < tuple(_key_of(table, rebuilt))
    )
    row = live if is_ours else rebuilt
    assert row is not None, "two rows that are both absent do not differ"
    here, there = ("a row", "no such row") if is_ours else ("no such row", "a row")
    return Difference(table.name, _named(table, row), None, here, there)


def _key(table: Table) -> list[Column[Any]]:
    return [column for column in table.primary_key.columns if column.name not in _SCOPE]


def _compared(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if column.name not in _SCOPE]


def _key_of(table: Table, row: Row[Any]) -> list[Any]:
    return [getattr(row, column.name) for column in _key(table)]


def _named(table: Table, row: Row[Any]) -> dict[str, Json]:
    # SQLAlchemy's names are of a kind of their own, which JSON takes for a value but not for a key.
    return {str(column.name): _shown(getattr(row, column.name)) for column in _key(table)}


def _shown(value: object) -> Json:
    match value:
        case bytes():
            return value.hex()
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)


def _of(table: Table) -> ColumnElement[bool]:
    is_in_ledger = table.c.ledger == bindparam("in_ledger")
    return and_(is_in_ledger, table.c.generation == bindparam("in_generation"))


def _within(ledger: int, generation: int) -> dict[str, int]:
    return {"in_ledger": ledger, "in_generation": generation}
