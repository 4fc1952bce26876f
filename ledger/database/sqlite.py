"""A ledger's database in a file: one thread writes, a few threads read.

All writes run on one thread that owns one connection, so a whole transaction costs one hop. So does
a read, on one of a few threads: these never wait for the writer, nor does the event loop for them.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool, StaticPool

from ledger.database.checkpointer import Checkpointer, Version, has_reset_bug
from ledger.database.file_lock import FileLock
from ledger.database.meanings import raise_translated
from ledger.database.port import Database, Durability
from ledger.database.recipe import require_sqlite_recipe
from ledger.errors import LedgerBusyError, LedgerError, StorageError
from ledger.shield import to_the_end

T = TypeVar("T")

BUSY_SECONDS: Final = 30
READERS_MAX: Final = 4
CHECKPOINT_PAGES: Final = 1000
WAL_BYTES_KEPT: Final = 8 * 2**20


class SqliteDatabase(Database):
    """A SQLite file with one writer and a few readers."""

    is_shared = False

    def __init__(
        self,
        path: Path,
        *,
        durability: Durability = "full",
        version: Version = sqlite3.sqlite_version_info,
    ) -> None:
        self.path = path
        self._one_checkpoints = has_reset_bug(version)
        self._durability = durability
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix=f"write {path.name}")
        self._reader_threads = ThreadPoolExecutor(
            READERS_MAX, thread_name_prefix=f"read {path.name}"
        )
        self._checkpointer = Checkpointer(path)
        self._is_checkpointing = False
        self._is_closed = False
        self._writer = self._writing_engine()
        self._readers = self._reading_engine()

    async def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one write transaction and return its result once that is durable.

        Cancelling the caller never cuts the transaction in half: it commits or rolls back whole.
        """
        self._refuse_when_closed()
        loop = asyncio.get_running_loop()
        return await asyncio.shield(
            loop.run_in_executor(self._writer_thread, self._write, function)
        )

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot, in a thread of its own."""
        self._refuse_when_closed()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader_threads, self.read_now, function)

    async def read_waiting(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads and may wait with `await_only` on the way."""
        # Asked for seldom, and nothing else here needs an asynchronous engine.
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

        url = make_url("sqlite+aiosqlite://").set(database=str(self.path))
        engine = create_async_engine(
            url, connect_args={"isolation_level": None}, hide_parameters=True
        )
        _only_reads(engine.sync_engine)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(function)
        except (DBAPIError, sqlite3.Error) as error:
            raise_translated(error)
        finally:
            await to_the_end(engine.dispose())

    def read_now(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, in the calling thread: for steps of another database.

        Only one thread may do so beside our own: the writer thread of the database whose step
        needs it.
        """
        try:
            with self._readers.connect() as connection:
                return function(connection)
        except (DBAPIError, sqlite3.Error) as error:
            raise_translated(error)

    async def scrub(self) -> None:
        """Leave nothing readable of what was deleted: overwritten already, cut from the WAL now.

        Raises `LedgerBusyError` while something that reads needs the old pages, or where only
        another process may cut.
        """
        if await self._in_writer_thread(self._truncate):
            message = (
                "something reads from the ledger all the time: stop it, and the traces of what "
                "was deleted are removed at the next start"
            )
            raise LedgerBusyError(message)

    async def make_durable(self) -> None:
        """Bring to the disk whatever was committed, also where commits do not wait for it."""
        await self._in_writer_thread(self._flush)

    async def is_there(self) -> bool:
        """Tell whether the file exists."""
        return self.path.exists()

    @asynccontextmanager
    async def alone(self, task: str) -> AsyncIterator[None]:
        """Keep every other process from the same task; raises `LedgerBusyError` if one is at it."""
        lock = FileLock(self.path, task)
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def now_seconds(self, connection: Connection) -> None:  # noqa: ARG002 - as the port has it
        """Return nothing: every process on this machine has the same clock."""
        return

    def tell_hosts(self, connection: Connection) -> None:
        """Do nothing: other processes look for themselves."""

    def listen(self, ring: Callable[[], None]) -> None:
        """Do nothing: what other processes commit is found by looking."""

    def require_recipe(self, connection: Connection) -> None:
        """Refuse a host's connection on which its write and the event might part."""
        require_sqlite_recipe(connection, self.path)

    @property
    def schema(self) -> None:
        """A file has no schemas."""
        return

    async def close(self) -> None:
        """Finish what runs and let go of every connection, thread and lock; twice is safe."""
        if self._is_closed:
            return
        self._is_closed = True
        await to_the_end(self._let_go())

    async def _let_go(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer_thread, self._let_go_of_connections)
        self._writer_thread.shutdown(wait=True)
        self._checkpointer.close()

    def _let_go_of_connections(self) -> None:
        self._reader_threads.shutdown(wait=True)
        self._readers.dispose()
        self._writer.dispose()

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            message = "the ledger is closed: open it again before using it"
            raise LedgerError(message)

    async def _in_writer_thread(self, function: Callable[[], T]) -> T:
        self._refuse_when_closed()
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._writer_thread, function))

    def _flush(self) -> None:
        # Whoever moves pages out of the write-ahead log brings them to the disk by himself.
        log = self.path.with_name(f"{self.path.name}-wal")
        try:
            with suppress(FileNotFoundError), log.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            message = "the disk failed while writing: check it and start again"
            raise StorageError(message) from error

    def _truncate(self) -> bool:
        """Copy the write-ahead log into the file and cut it; returns whether a reader was in it."""
        if not self._checkpointer.is_ours() and self._one_checkpoints:
            message = (
                "another process has the ledger open: it removes the traces of what was deleted "
                "if it is a `run`, and the next start does if it is not"
            )
            raise LedgerBusyError(message)
        driver = self._writer.raw_connection()
        try:
            is_busy = driver.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            raise_translated(error)
        finally:
            driver.close()
        return bool(is_busy)

    def _write(self, function: Callable[[Connection], T]) -> T:
        try:
            with self._writer.begin() as connection:
                self._take_over_checkpoints(connection)
                return function(connection)
        except (DBAPIError, sqlite3.Error) as error:
            raise_translated(error)

    def _writing_engine(self) -> Engine:
        # One connection for the life of the process; the thread pool keeps it in one thread.
        engine = create_engine(
            make_url("sqlite+pysqlite://").set(database=str(self.path)),
            poolclass=StaticPool,
            connect_args={"isolation_level": None, "check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(engine, "connect", self._prepare_writer)
        # SELECT then write in a deferred transaction fails at once under a second writer.
        event.listen(engine, "begin", lambda c: _execute(c.connection, "BEGIN IMMEDIATE"))
        return engine

    def _reading_engine(self) -> Engine:
        engine = create_engine(
            make_url("sqlite+pysqlite://").set(database=str(self.path)),
            poolclass=QueuePool,
            # One for each thread that reads, and one for the step of another database.
            pool_size=READERS_MAX + 1,
            max_overflow=0,
            connect_args={"isolation_level": None, "check_same_thread": False},
            hide_parameters=True,
        )
        _only_reads(engine)
        return engine

    def _prepare_writer(self, driver: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        _execute(
            driver,
            f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {self._durability.upper()}",
            "PRAGMA foreign_keys = ON",
            # Without it INSERT OR REPLACE deletes a row of the log past its trigger.
            "PRAGMA recursive_triggers = ON",
            "PRAGMA secure_delete = ON",
            "PRAGMA wal_autocheckpoint = 0",
            # What grew while somebody read for long is given back once nobody does.
            f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}",
        )

    def _take_over_checkpoints(self, connection: Connection) -> None:
        # Asked before every write, for the process that did it may be gone by now: the
        # write-ahead log would grow for as long as this one lives.
        if not self._is_checkpointing and self._checkpointer.is_ours():
            connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").close()
            self._is_checkpointing = True


def _only_reads(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_reader)
    event.listen(engine, "begin", lambda c: _execute(c.connection, "BEGIN"))


def _prepare_reader(driver: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    _execute(driver, f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}", "PRAGMA query_only = ON")


def _execute(driver: DBAPIConnection | PoolProxiedConnection, *statements: str) -> None:
    cursor = driver.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
