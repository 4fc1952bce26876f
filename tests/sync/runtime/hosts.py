"""A host with tables of its own in the ledger's database, and its own connections to them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ledger.database import Server
from ledger.testing import address_in

Work = Callable[[Connection], object]


class Host(Protocol):
    """Somebody who writes in transactions of his own."""

    async def commit(self, work: Work) -> None:
        """Do something in a transaction and commit it."""

    async def roll_back(self, work: Work) -> None:
        """Do something in a transaction and undo it."""


class FileHost:
    """A host on the ledger's file, with the recipe that its connections need."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def commit(self, work: Work) -> None:
        """Do something in a transaction and commit it."""
        with self._engine.begin() as connection:
            work(connection)

    async def roll_back(self, work: Work) -> None:
        """Do something in a transaction and undo it."""
        with self._engine.connect() as connection:
            work(connection)
            connection.rollback()


class ServerHost:
    """A host on the ledger's server."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def commit(self, work: Work) -> None:
        """Do something in a transaction and commit it."""
        async with self._engine.begin() as connection:
            await connection.run_sync(work)

    async def roll_back(self, work: Work) -> None:
        """Do something in a transaction and undo it."""
        async with self._engine.connect() as connection:
            await connection.run_sync(work)
            await connection.rollback()


@asynccontextmanager
async def host_in(folder: Path, *, is_careless: bool = False) -> AsyncIterator[Host]:
    """Give a host of the ledger in a folder; a careless one did not follow the recipe."""
    async with host_at(address_in(folder).place, is_careless=is_careless) as host:
        yield host


@asynccontextmanager
async def host_at(place: Path | Server, *, is_careless: bool = False) -> AsyncIterator[Host]:
    """Give a host of the ledger at a place."""
    if isinstance(place, Server):
        # The server of the tests is told not to wait for its disk; a host insists on it.
        durable = {"server_settings": {"synchronous_commit": "on"}}
        options = {"isolation_level": "AUTOCOMMIT"} if is_careless else {}
        served = create_async_engine(place.url, connect_args=durable, **options)
        yield ServerHost(served)
        await served.dispose()
    else:
        engine = create_engine(f"sqlite:///{place}") if is_careless else _careful(place)
        yield FileHost(engine)
        engine.dispose()


def _careful(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}", connect_args={"isolation_level": None})
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(engine, "connect", lambda d, _: d.execute("PRAGMA synchronous = FULL"))
    return engine
