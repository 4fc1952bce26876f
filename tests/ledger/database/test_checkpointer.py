"""One process checkpoints a file and clears it of what was deleted, never two at once."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ledger.database import SqliteDatabase
from ledger.database.checkpointer import has_reset_bug
from ledger.database.sqlite import WAL_BYTES_KEPT
from ledger.errors import LedgerBusyError

pytestmark = pytest.mark.one_database("only a file has a write-ahead log of its own to be cut")

MARKER = b"a name that must go"
WITH_THE_FAULT = (3, 40, 1)
WITHOUT = (3, 51, 3)


@pytest.fixture
async def names(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "names.db", durability="normal")
    await opened.run(lambda c: c.execute(text("CREATE TABLE names (name BLOB)")))
    yield opened
    await opened.close()


async def write_and_delete(database: SqliteDatabase) -> None:
    values = {"name": MARKER}
    await database.run(lambda c: c.execute(text("INSERT INTO names VALUES (:name)"), values))
    await database.run(lambda c: c.execute(text("DELETE FROM names")))


def is_readable(database: SqliteDatabase) -> bool:
    files = database.path.parent.glob(f"{database.path.name}*")
    return any(MARKER in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("version", "is_bad"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_the_versions_that_lose_pages_are_known(version: tuple[int, ...], *, is_bad: bool) -> None:
    assert has_reset_bug(version) is is_bad


async def test_who_is_not_the_one_that_checkpoints_leaves_clearing_to_it(
    names: SqliteDatabase,
) -> None:
    other = SqliteDatabase(names.path, durability="normal", version=WITH_THE_FAULT)
    await write_and_delete(other)

    with pytest.raises(LedgerBusyError, match="another process has the ledger open"):
        await other.scrub()
    is_left = is_readable(names)
    await names.scrub()
    await other.close()

    assert is_left
    assert not is_readable(names)


async def test_where_two_may_checkpoint_everybody_clears_for_himself(
    names: SqliteDatabase,
) -> None:
    other = SqliteDatabase(names.path, durability="normal", version=WITHOUT)
    await write_and_delete(other)

    await other.scrub()

    await other.close()
    assert not is_readable(names)


async def test_who_is_left_alone_clears_for_himself(names: SqliteDatabase) -> None:
    other = SqliteDatabase(names.path, durability="normal")
    await write_and_delete(other)
    await names.close()
    await other.scrub()

    assert not is_readable(other)
    await other.close()


async def test_what_is_made_durable_needs_nobody_who_checkpoints(names: SqliteDatabase) -> None:
    other = SqliteDatabase(names.path, durability="normal")
    await write_and_delete(other)
    await other.make_durable()
    await other.close()

    await names.close()
    with pytest.raises(Exception, match="closed"):
        await names.make_durable()


async def test_only_the_first_to_open_a_file_checkpoints_it(names: SqliteDatabase) -> None:
    def pages(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one())

    second = SqliteDatabase(names.path)

    found = (await names.run(pages), await second.run(pages))

    await second.close()
    assert found == (1000, 0)


async def test_a_log_that_grew_while_somebody_read_is_cut_afterwards(
    names: SqliteDatabase,
) -> None:
    log = names.path.with_name(f"{names.path.name}-wal")
    filling = text("INSERT INTO names SELECT randomblob(1000000)")
    begun, may_end = threading.Event(), threading.Event()

    def read_slowly(connection: Connection) -> None:
        connection.execute(text("SELECT count(*) FROM names")).scalar_one()
        begun.set()
        may_end.wait()

    reading = asyncio.create_task(names.read(read_slowly))
    await asyncio.to_thread(begun.wait)
    for _ in range(12):
        await names.run(lambda c: c.execute(filling))
    grown = log.stat().st_size
    may_end.set()
    await reading
    for _ in range(3):
        await names.run(lambda c: c.execute(filling))

    assert grown > WAL_BYTES_KEPT
    assert log.stat().st_size <= WAL_BYTES_KEPT


async def test_who_stays_takes_over_checkpoints_from_who_leaves(names: SqliteDatabase) -> None:
    def pages(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one())

    await write_and_delete(names)
    second = SqliteDatabase(names.path)
    before = await second.run(pages)
    await names.close()

    found = await second.run(pages)

    await second.close()
    assert (before, found) == (0, 1000)
