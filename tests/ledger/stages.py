"""Ledgers for tests of the stores that are as if they were new, at next to no cost.

On SQLite they are in memory. On PostgreSQL they are on the server, through the real driver: what a
test does happens in one transaction that is rolled back, and the test runs where the driver can
wait, in a greenlet on a loop that all such tests share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import greenlet_spawn, in_greenlet

from tests.ledger.rows import Memory, begin_ledger
from tests.postgresql import SCHEMA, Cluster

T = TypeVar("T")
_IN_VAULT = text(f"SET LOCAL search_path TO {SCHEMA}_vault")


class Stage(Protocol):
    """A ledger as new, in which transactions may be begun one after another."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction that is committed at the end."""
        ...


OpenStage = Callable[[], AbstractContextManager[Stage]]


class Staging(Protocol):
    """Where stages come from."""

    def open(self) -> AbstractContextManager[Stage]:
        """Give a stage; several may be open at once."""
        ...

    def connect(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction on a ledger as new."""
        ...

    def connect_vault(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction on the tables of a vault as new."""
        ...

    def run(self, function: Callable[[], T]) -> T:
        """Run a function where it may use what is open."""


class InMemory:
    """Stages that are SQLite databases in memory."""

    def open(self) -> AbstractContextManager[Stage]:
        """Give a stage; several may be open at once."""
        return Memory()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection inside a transaction on a ledger as new."""
        with Memory() as memory, memory.begin() as connection:
            yield connection

    @contextmanager
    def connect_vault(self) -> Iterator[Connection]:
        """Give a connection inside a transaction on the tables of a vault as new."""
        with self.connect() as connection:
            yield connection

    def run(self, function: Callable[[], T]) -> T:
        """Run a function as it is."""
        return function()


class OnServer:
    """Stages that are databases on a PostgreSQL server, used again and again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._runner = asyncio.Runner()
        self._free: list[AsyncEngine] = []
        self._all: list[AsyncEngine] = []

    @contextmanager
    def open(self) -> Iterator[Stage]:
        """Give a stage; several may be open at once."""
        with self.connect() as connection:
            yield _Inside(connection)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection inside a transaction on a ledger as new, which is rolled back."""
        engine = self._free.pop() if self._free else self._new()
        connection = self._wait(engine.connect().start())
        try:
            self._wait(connection.begin())
            assert connection.sync_connection is not None
            yield connection.sync_connection
        finally:
            self._wait(connection.rollback())
            self._wait(connection.close())
            self._free.append(engine)

    @contextmanager
    def connect_vault(self) -> Iterator[Connection]:
        """Give a connection inside a transaction on the tables of a vault as new."""
        with self.connect() as connection:
            self._wait(greenlet_spawn(connection.execute, _IN_VAULT))
            yield connection

    def run(self, function: Callable[[], T]) -> T:
        """Run a function where it can wait for the driver."""
        if in_greenlet():
            return function()
        return self._runner.run(greenlet_spawn(function))

    def close(self) -> None:
        """Put every database away."""
        for engine in self._all:
            self._wait(engine.dispose())
            self._cluster.drop(engine.url)
        self._runner.close()

    def _new(self) -> AsyncEngine:
        # Made on a loop of its own, wherever this is called from.
        address = self._wait(asyncio.to_thread(self._cluster.database))
        engine = create_async_engine(
            address, connect_args={"server_settings": {"search_path": SCHEMA}}, pool_size=1
        )
        self._all.append(engine)
        self._wait(_begun(engine))
        return engine

    def _wait(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return await_only(wait()) if in_greenlet() else self._runner.run(wait())


class _Inside:
    """A stage inside a transaction that is never committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection inside a transaction that is committed at the end."""
        with self._connection.begin_nested():
            yield self._connection


async def _begun(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(begin_ledger)
