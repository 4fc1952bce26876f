"""Ways to damage a ledger's file behind its back, as somebody with the file in hand can."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, create_engine, event
from sqlalchemy.pool import StaticPool

from ledger.audit.verification import Head, Verification
from ledger.audit.verify_store import verify
from ledger.log.event import NewEvent
from ledger.reference import Json, Scope, SourceRef
from ledger.testing import ledger_in

T = TypeVar("T")
COLUMNS = (
    "source",
    "event_id",
    "type",
    "entity",
    "source_id",
    "is_outcome",
    "recorded_at",
    "person",
    "envelope",
    "sealed",
    "content_digest",
    "leaf",
)


@dataclass(frozen=True, slots=True)
class Harm:
    """One way to damage the file, and the first position that is bad then."""

    name: str
    statements: tuple[tuple[str, tuple[Any, ...]], ...]
    first_bad: int


async def write_ledger(folder: Path, size: int) -> None:
    """Make a ledger of so many events: batches and single ones, of all kinds of rows."""
    async with ledger_in(folder) as ledger:
        while (await ledger.head()).size < size:
            first = (await ledger.head()).size
            count = min(1 + first % 7, size - first)
            await ledger.append([an_event(first + each) for each in range(count)])
            if first + count < size:
                public: dict[str, Json] = {"number": str(first), "reasons": ["a", "b"]}
                await ledger.transact(lambda step: step.record("ingest.x", public=public))  # noqa: B023


def an_event(number: int) -> NewEvent:
    """Return one of many events, with and without a private part."""
    return NewEvent(
        source="urn:sis",
        id=f"e-{number}",
        type="student.upserted",
        subject=SourceRef("student", f"S-{number % 50}"),
        private={"data": {"name": f"N{number}"}} if number % 3 else None,
        person=f"student:S-{number % 50}",
        sequence=number,
    )


class Victim:
    """A ledger's real file, damaged in a transaction that is rolled back after each look."""

    scope = Scope(1, 0)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on the damaged file."""
        return function(self._connection)

    def rows(self, table: str) -> Sequence[Row[Any]]:
        """Return every row of a table."""
        return self._connection.exec_driver_sql(f"SELECT * FROM {table}").all()

    def verified(self, harm: Harm | None = None, *published: Head) -> Verification:
        """Return what is found of a damage, and undo the damage."""
        with self._connection.begin_nested() as point:
            for statement, values in harm.statements if harm else ():
                self._connection.exec_driver_sql(statement, values)
            found = asyncio.run(verify(self, published=published))
            point.rollback()
        return found


@contextmanager
def victim(file: Path) -> Iterator[Victim]:
    """Give a file to damage, without the triggers that keep its past as it is."""
    engine = create_engine(
        f"sqlite:///{file}", poolclass=StaticPool, connect_args={"isolation_level": None}
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in found.scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        # It would refuse an event that a changed byte gives the name of another.
        connection.exec_driver_sql("DROP INDEX events_name")
        yield Victim(connection)
    engine.dispose()


def flipped(value: Any, place: int, bits: int = 1) -> Any:
    """Return a stored value with one byte changed; what is empty or absent becomes something."""
    match value:
        case None | "":
            return "x"
        case b"":
            return b"x"
        case int():
            return value ^ bits
        case bytes():
            return value[:place] + bytes([value[place] ^ bits]) + value[place + 1 :]
        case str():
            raw = value.encode()
            return (raw[:place] + bytes([raw[place] ^ bits]) + raw[place + 1 :]).decode(
                errors="surrogateescape"
            )
    raise AssertionError(type(value))


def byte_changes(rows: Sequence[Row[Any]], rng: Random, *, count: int) -> Iterator[Harm]:
    """Yield a change of a single byte in every column, of so many rows each."""
    for column in COLUMNS:
        for row in rng.sample(rows, count):
            value, position = getattr(row, column), row.position
            length = len(value) if isinstance(value, str | bytes) else 0
            changed = flipped(value, rng.randrange(length) if length else 0, 1 << rng.randrange(7))
            if isinstance(value, str):
                changed = changed.encode(errors="surrogateescape")
                set_column = f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE position = ?"
            else:
                set_column = f"UPDATE events SET {column} = ? WHERE position = ?"
            yield Harm(f"{column} of {position}", ((set_column, (changed, position)),), position)


def key_changes(rows: Sequence[Row[Any]], rng: Random, *, count: int) -> Iterator[Harm]:
    """Yield rows given to another ledger, or to a position that no row has."""
    for row in rng.sample(rows, count):
        for column, value in (("ledger", row.ledger ^ 2), ("position", row.position ^ 1 << 20)):
            change = f"UPDATE events SET {column} = ? WHERE position = ?"
            position = row.position
            yield Harm(f"{column} of {position}", ((change, (value, position)),), position)


def row_changes(size: int, rng: Random, *, count: int) -> Iterator[Harm]:
    """Yield rows deleted, swapped, moved, inserted, cut off, and written otherwise with care."""
    move = "UPDATE events SET position = ? WHERE position = ?"
    # Among the last ones, too: their tile is not complete.
    pairs = [sorted(rng.sample(range(size), 2)) for _ in range(count)]
    pairs += [sorted(rng.sample(range(size - size % 256, size), 2)) for _ in range(count)]
    for first, second in pairs:
        swap = ((move, (-1, first)), (move, (first, second)), (move, (second, -1)))
        yield Harm(f"{first} swapped with {second}", swap, first)
        delete = ("DELETE FROM events WHERE position = ?", (first,))
        yield Harm(f"{first} deleted", (delete,), first)
        shift = (
            ("UPDATE events SET position = -position WHERE position > ?", (first,)),
            ("UPDATE events SET position = -position - 1 WHERE position < 0", ()),
        )
        yield Harm(f"{first} deleted, the rest moved up", (delete, *shift), first)
        cut = ("DELETE FROM events WHERE position >= ?", (first,))
        yield Harm(f"cut off at {first}", (cut,), first)
        copy = (
            "INSERT INTO events SELECT ledger, ?, source, event_id || 'x', type, entity, source_id,"
            " is_outcome, recorded_at, person, envelope, sealed, content_digest, leaf"
            " FROM events WHERE position = ?"
        )
        yield Harm(f"{first} again at the end", ((copy, (size, first)),), size)
        gone = ("DELETE FROM events WHERE position = ?", (second,))
        yield Harm(f"{first} in place of {second}", (gone, (copy, (second, first))), second)


def tree_changes(
    tiles: Sequence[Row[Any]], size: int, *, compact_range: bytes, step: int = 1
) -> Iterator[Harm]:
    """Yield every stored tile and the head row changed or gone; -1 is any position."""
    for row in tiles:
        where = " WHERE level = ? AND number = ?"
        name = (row.level, row.number)
        first = row.number if row.level < 0 else row.number << 8 * (row.level + 1)
        for column in ("hashes", "root"):
            changed = flipped(getattr(row, column), 0)
            statement = f"UPDATE tiles SET {column} = ?{where}"
            yield Harm(f"{column} of tile {name}", ((statement, (changed, *name)),), first)
        if row.level >= 0:
            yield Harm(f"tile {name} deleted", ((f"DELETE FROM tiles{where}", name),), first)
            moved = "UPDATE tiles SET number = number + 1000" + where
            yield Harm(f"tile {name} moved", ((moved, name),), -1)
    stray = "INSERT INTO tiles SELECT ledger, 7, 7, hashes, root FROM tiles LIMIT 1"
    yield Harm("a stray tile", ((stray, ()),), size)
    for place in range(0, len(compact_range), step):
        flip = ("UPDATE heads SET compact_range = ?", (flipped(compact_range, place),))
        yield Harm(f"byte {place} of the head row", (flip,), -1)
    for wrong in (size - 1, size + 1, 0):
        yield Harm(f"a head row of {wrong}", (("UPDATE heads SET size = ?", (wrong,)),), -1)
