"""A ledger's database on PostgreSQL: one bounded pool, shared by all that read and write.

Writes are READ COMMITTED and ordered by the locks that they take; reads are snapshots. A commit
whose answer is lost with the connection is an error to the caller although it may stand: whatever
is written is keyed, so writing it again is a duplicate and does no harm.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import Connection, TextClause, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from ledger.database.discretion import say_less
from ledger.database.file_lock import busy_with
from ledger.database.listener import Listener
from ledger.database.meanings import is_for_again, raise_translated
from ledger.database.port import Database, Durability
from ledger.database.recipe import WHICH, Identity, require_postgresql_recipe
from ledger.database.server import Server
from ledger.errors import LedgerError, StorageError
from ledger.shield import to_the_end

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

CONNECTIONS_MAX: Final = 7
WAIT_SECONDS: Final = 30
CONNECT_SECONDS: Final = 15
STANDSTILL_SECONDS: Final = 60
"""After this long without a statement the server ends a transaction: its host may be gone."""
PAUSES_SECONDS: Final = (0.05, 0.25, 1.0)
"""How long to wait before each further attempt: a server that restarts is not there at once."""
ATTEMPTS_MAX: Final = len(PAUSES_SECONDS) + 1
STATEMENTS_MAX: Final = 500
_SYNCHRONOUS: Final[dict[Durability, str]] = {"full": "on", "normal": "off"}
_ALONE: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_TOGETHER: Final = text("SELECT pg_try_advisory_lock_shared(hashtextextended(:name, 0))")
_NOW: Final = text("SELECT extract(epoch FROM clock_timestamp())::double precision")
_TELL: Final = text("SELECT pg_notify(:channel, :host)")
_WAIT: Final = text("SET LOCAL synchronous_commit = on")
_LAST_WORD: Final = text("SELECT pg_logical_emit_message(true, 'dokstamp-ledger', '')")
_IS_THERE: Final = text("SELECT true FROM pg_namespace WHERE nspname = :schema")


class PostgresqlDatabase(Database):
    """A schema on a server, with a bounded pool of connections."""

    is_shared = True

    def __init__(
        self,
        server: Server,
        *,
        durability: Durability = "full",
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self.server = server
        self._durability = durability
        self._identity: Identity | None = None
        self._engine = _engine(server, durability, wait_seconds)
        event.listen(self._engine.sync_engine, "connect", self._get_to_know)
        event.listen(self._engine.sync_engine, "handle_error", say_less)
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._readers = self._engine.execution_options(**snapshot)
        self._running: set[asyncio.Task[object]] = set()
        self._listener = Listener(self._engine, channel=server.schema)
        self._is_closed = False

    async def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one write transaction and return its result once that is durable.

        Cancelling the caller never cuts the transaction in half. Rolled back because of others or
        of a lost connection, the function is run again; where the connection is lost while it
        commits, the caller gets an error although the transaction may stand.
        """
        if self._is_closed:
            message = "the ledger is closed: open it again before writing to it"
            raise LedgerError(message)
        task: asyncio.Task[T] = asyncio.create_task(self._write(function), name="transaction")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                async with self._readers.connect() as connection:
                    return await connection.run_sync(function)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                may_repeat = is_for_again(error) or _is_connection_lost(error)
                if attempt == ATTEMPTS_MAX - 1 or not may_repeat:
                    raise_translated(error)
            await asyncio.sleep(PAUSES_SECONDS[attempt])
        raise AssertionError

    def read_now(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, for a step of another database on the same server."""
        return await_only(self.read(function))

    async def scrub(self) -> None:
        """Do nothing: dead rows and archives stay, so what they hold is sealed under a lost key."""

    async def make_durable(self) -> None:
        """Bring to the disk whatever was committed, also where commits do not wait for it."""
        if self._durability == "normal":
            await self.run(_flush)

    async def is_there(self) -> bool:
        """Tell whether the schema exists."""
        found = {"schema": self.server.schema}
        return await self.read(lambda connection: bool(connection.scalar(_IS_THERE, found)))

    def alone(self, task: str) -> AbstractAsyncContextManager[None]:
        """Keep every other host from the same task; raises `LedgerBusyError` if one is at it."""
        return self._locked(task, _ALONE)

    def together(self, task: str) -> AbstractAsyncContextManager[None]:
        """Be at a task with other hosts; raises `LedgerBusyError` if one is `alone` at it."""
        return self._locked(task, _TOGETHER)

    @asynccontextmanager
    async def _locked(self, task: str, lock: TextClause) -> AsyncIterator[None]:
        name = f"dokstamp-ledger {self.server.schema} {task}"
        try:
            # The lock lives and dies with this connection, so it is never put back to be used.
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                is_ours = await connection.scalar(lock, {"name": name})
                try:
                    if not is_ours:
                        raise busy_with(task)
                    yield
                finally:
                    await to_the_end(connection.invalidate())
        except DBAPIError as error:
            raise_translated(error)

    def now_seconds(self, connection: Connection) -> float:
        """Return the time since 1970 by the server's clock."""
        return float(connection.execute(_NOW).scalar_one())

    def tell_hosts(self, connection: Connection) -> None:
        """Let the listeners of other hosts ring once this transaction is committed."""
        told = {"channel": self.server.schema, "host": self._listener.name}
        connection.execute(_TELL, told)

    def listen(self, ring: Callable[[], None]) -> None:
        """Ring at what other hosts commit, until this is closed; one may be missed."""
        if not self._is_closed:
            self._listener.start(ring)

    def require_recipe(self, connection: Connection) -> None:
        """Refuse a host's connection on which its write and the event might part."""
        require_postgresql_recipe(connection, self._identity)

    @property
    def schema(self) -> str:
        """The schema of the tables."""
        return self.server.schema

    async def close(self) -> None:
        """Finish what runs and let go of every connection; twice is safe."""
        if self._is_closed:
            return
        self._is_closed = True
        await to_the_end(self._let_go())

    async def _let_go(self) -> None:
        await self._listener.stop()
        while self._running:
            await asyncio.wait(self._running)
        await self._engine.dispose()

    def _get_to_know(self, driver: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        if self._identity is None:
            cursor = driver.cursor()
            cursor.execute(WHICH)
            self._identity = cursor.fetchone()
            cursor.close()
            driver.rollback()

    async def _write(self, function: Callable[[Connection], T]) -> T:
        for attempt in range(ATTEMPTS_MAX):
            is_committing = False
            try:
                async with self._engine.connect() as connection:
                    result = await connection.run_sync(function)
                    is_committing = True
                    await connection.commit()
                    return result
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                # A server that breaks off a commit may have made it last.
                may_repeat = is_for_again(error) or (
                    _is_connection_lost(error) and not is_committing
                )
                if attempt == ATTEMPTS_MAX - 1 or not may_repeat:
                    raise_translated(error)
            await asyncio.sleep(PAUSES_SECONDS[attempt])
        raise AssertionError


def _engine(server: Server, durability: Durability, wait_seconds: int) -> "AsyncEngine":
    # It brings the whole ORM along, which a ledger in a file never needs.
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    try:
        return create_async_engine(
            server.url,
            isolation_level="READ COMMITTED",
            pool_size=CONNECTIONS_MAX,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
            # The last connection used knows most statements already.
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "prepared_statement_cache_size": STATEMENTS_MAX,
                "server_settings": {
                    "application_name": "dokstamp-ledger",
                    "search_path": server.schema,
                    "synchronous_commit": _SYNCHRONOUS[durability],
                    "lock_timeout": f"{wait_seconds}s",
                    "idle_in_transaction_session_timeout": f"{STANDSTILL_SECONDS}s",
                    "jit": "off",
                },
            },
        )
    except ModuleNotFoundError as error:
        message = "PostgreSQL needs a driver: install dokstamp-ledger[postgres]"
        raise StorageError(message) from error


def _flush(connection: Connection) -> None:
    # Who waits for his own last word has waited for all that was written before it; without a
    # word of his own there would be nothing to wait for.
    connection.execute(_WAIT)
    connection.execute(_LAST_WORD)


def _is_connection_lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
