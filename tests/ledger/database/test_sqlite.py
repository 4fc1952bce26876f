import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ledger.database import SqliteDatabase, translated
from ledger.errors import IntegrityError, LedgerBusyError, StorageError
from tests.ledger.database.nobody import as_nobody

pytestmark = pytest.mark.one_database("what only a file does")

ROOT = Path(__file__).parents[3]
TASKS = 60


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT sum(number) FROM counter")).scalar_one())


def raise_by_one(connection: Connection) -> int:
    found = count(connection)
    connection.execute(text("UPDATE counter SET number = :n"), {"n": found + 1})
    return found


def begin_counter(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE counter (number INTEGER, filler BLOB)"))
    connection.execute(text("INSERT INTO counter VALUES (0, NULL)"))


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "counter.db", durability="normal")
    await opened.run(begin_counter)
    yield opened
    await opened.close()


async def test_what_was_written_stays_after_reopening(counting: SqliteDatabase) -> None:
    await counting.run(raise_by_one)
    await counting.close()

    again = SqliteDatabase(counting.path)
    found = await again.run(count)
    await again.close()

    assert found == 1


async def test_many_tasks_read_and_write_without_meeting_a_lock(counting: SqliteDatabase) -> None:
    other = SqliteDatabase(counting.path)
    both = [counting, other]

    seen = await asyncio.gather(*(both[task % 2].run(raise_by_one) for task in range(TASKS)))

    await other.close()
    assert sorted(seen) == list(range(TASKS))


async def test_a_failing_function_leaves_nothing(counting: SqliteDatabase) -> None:
    def fail(connection: Connection) -> None:
        raise_by_one(connection)
        message = "this function fails after it wrote"
        raise LookupError(message)

    with pytest.raises(LookupError):
        await counting.run(fail)

    found = await counting.read(count)
    assert found == 0


async def test_cancelling_the_caller_never_cuts_a_transaction_in_half(
    counting: SqliteDatabase,
) -> None:
    loop = asyncio.get_running_loop()
    entered, may_go_on = asyncio.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        raise_by_one(connection)
        loop.call_soon_threadsafe(entered.set)
        may_go_on.wait()
        raise_by_one(connection)

    caller = asyncio.create_task(counting.run(slowly))
    await entered.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_go_on.set()

    found = await counting.run(count)
    assert found == 2


async def test_a_full_disk_is_told_and_loses_nothing(counting: SqliteDatabase) -> None:
    await counting.run(raise_by_one)
    pages = await counting.run(lambda c: int(c.exec_driver_sql("PRAGMA page_count").scalar_one()))
    await counting.run(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close())

    def fill(connection: Connection) -> None:
        raise_by_one(connection)
        connection.execute(text("INSERT INTO counter VALUES (9, zeroblob(1000000))"))

    with pytest.raises(StorageError, match="disk is full: free space"):
        await counting.run(fill)
    assert await counting.read(count) == 1
    await counting.run(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").close())
    await counting.run(fill)
    found = await counting.read(count)

    assert found == 2 + 9


async def test_a_file_that_may_not_be_written_is_told(counting: SqliteDatabase) -> None:
    def forbid(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    await counting.run(forbid)

    with pytest.raises(StorageError, match="read-only: make the file and its folder writable"):
        await counting.run(raise_by_one)


def test_a_read_only_file_is_told() -> None:
    async def count_up(path: Path, step: Callable[[Connection], object]) -> None:
        database = SqliteDatabase(path, durability="normal")
        try:
            await database.run(step)
        finally:
            await database.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counter.db"
        asyncio.run(count_up(path, begin_counter))
        path.chmod(0o400)
        told = as_nobody(path.parent, lambda: asyncio.run(count_up(path, raise_by_one)))

    assert (
        told
        == "StorageError: the ledger's database is read-only: make the file and its folder writable"
    )


async def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "nowhere" / "ledger.db")

    with pytest.raises(StorageError, match="cannot be opened: check that its folder exists"):
        await database.run(count)
    with pytest.raises(StorageError):
        await database.read(count)
    await database.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is a letter, not a database. " * 100)
    database = SqliteDatabase(path)

    with pytest.raises(IntegrityError, match="LEDGER_DATABASE"):
        await database.run(count)
    await database.close()


async def test_a_writer_that_does_not_get_its_turn_says_so(counting: SqliteDatabase) -> None:
    await counting.run(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 0").close())
    other = sqlite3.connect(counting.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerBusyError, match="try again later"):
        await counting.run(raise_by_one)
    other.execute("ROLLBACK")
    other.close()
    await counting.run(raise_by_one)


async def test_reading_does_not_wait_for_a_writer(counting: SqliteDatabase) -> None:
    other = sqlite3.connect(counting.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE counter SET number = 5")

    found = await counting.read(count)

    other.execute("ROLLBACK")
    other.close()
    assert found == 0


async def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(
    counting: SqliteDatabase,
) -> None:
    loop = asyncio.get_running_loop()
    entered, may_go_on = asyncio.Event(), threading.Event()

    def twice(connection: Connection) -> tuple[int, int]:
        first = count(connection)
        loop.call_soon_threadsafe(entered.set)
        return first, count(connection)

    def beside(connection: Connection) -> tuple[int, int]:
        first = count(connection)
        loop.call_soon_threadsafe(entered.set)
        may_go_on.wait()
        return first, count(connection)

    reading = asyncio.create_task(asyncio.to_thread(counting.read_now, beside))
    await entered.wait()
    await counting.run(raise_by_one)
    may_go_on.set()

    assert await reading == (0, 0)
    assert await counting.read(twice) == (1, 1)


async def test_a_reader_cannot_write(counting: SqliteDatabase) -> None:
    with pytest.raises(StorageError, match="read-only"):
        await counting.read(raise_by_one)


async def test_closing_twice_is_safe(counting: SqliteDatabase) -> None:
    await counting.close()
    await counting.close()


async def test_a_second_process_writes_to_the_same_file(counting: SqliteDatabase) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from ledger.database import SqliteDatabase\n"
        "from tests.ledger.database.test_sqlite import raise_by_one\n"
        "async def main():\n"
        "    database = SqliteDatabase(Path(sys.argv[1]), durability='normal')\n"
        "    await asyncio.gather(*(database.run(raise_by_one) for _ in range(20)))\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(counting.path), cwd=ROOT, stderr=subprocess.PIPE
    )

    await asyncio.gather(*(counting.run(raise_by_one) for _ in range(20)))
    _, complaint = await process.communicate()

    found = await counting.read(count)
    assert (complaint.decode(), found) == ("", 40)


def test_an_error_that_has_no_translation_is_handed_on_as_it_is() -> None:
    error = sqlite3.OperationalError("no such table: counter")

    assert translated(error) is error


async def test_an_error_handed_on_is_not_its_own_cause(counting: SqliteDatabase) -> None:
    with pytest.raises(Exception, match="no such table") as caught:
        await counting.run(lambda c: c.execute(text("SELECT 1 FROM missing")))

    assert caught.value.__cause__ is not caught.value


async def test_scrubbing_leaves_no_byte_of_what_was_deleted(counting: SqliteDatabase) -> None:
    marker = b"a name that must go"
    written = {"marker": marker}
    await counting.run(lambda c: c.execute(text("UPDATE counter SET filler = :marker"), written))
    await counting.run(lambda c: c.execute(text("UPDATE counter SET filler = NULL")))
    await counting.scrub()

    files = list(counting.path.parent.glob(f"{counting.path.name}*"))
    assert len(files) > 1
    assert not [file for file in files if marker in file.read_bytes()]


async def test_scrubbing_says_so_when_a_reader_needs_the_old_pages(
    counting: SqliteDatabase,
) -> None:
    await counting.run(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 0").close())
    reader = sqlite3.connect(counting.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM counter").fetchall()
    await counting.run(raise_by_one)

    with pytest.raises(LedgerBusyError, match="at the next start"):
        await counting.scrub()
    reader.close()
    await counting.scrub()
