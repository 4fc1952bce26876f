"""Where the ledger of a trial lives: a copy of a template that costs a few milliseconds."""

import asyncio
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import URL

from sync.runtime.settings import Settings
from tests.sync.system.killing.remote import service

Row = Sequence[Any]
Part = Literal["main", "vault"]
SCHEMA = "dokstamp_ledger"
QUIET_SECONDS_MAX = 20.0
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_WHOLE = "SELECT generation FROM ledgers WHERE generation >= 0"
_LOG = "SELECT envelope FROM events ORDER BY position"


class Home(Protocol):
    """A folder with the key file, and the databases of one ledger."""

    folder: Path

    @property
    def address(self) -> str:
        """Where the database is, as the setting says it."""

    @property
    def settings(self) -> Settings:
        """How a ledger here is opened."""

    def order(self, statement: str) -> None:
        """Change something behind the ledger's back."""

    def copy(self) -> "Home":
        """Return a home that holds the same."""

    def rows(self, query: str, part: Part = "main") -> list[Row]:
        """Return what a query finds, by a driver of our own."""

    def tables(self, part: Part = "main") -> frozenset[str]:
        """Return the tables that are there, if anything is."""

    def is_made(self) -> bool:
        """Tell whether a whole ledger is there."""

    def kept_aside(self) -> list[list[bytes]]:
        """Return the logs of ledgers that gave way to another."""

    def outlast(self) -> None:
        """Let the leases of whoever died run out, which only several hosts have to wait for."""

    def settle_down(self) -> None:
        """Return once nothing of a process that died is at work any longer."""

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Name everything that is kept here, with every byte of it."""

    def remove(self) -> None:
        """Leave nothing behind."""


def settings_of(folder: Path, address: str) -> Settings:
    """Return the settings of a ledger at an address, with its key file in a folder."""
    return Settings.load(
        environment={},
        ledger_database=address,
        ledger_key_file=folder / "ledger.key",
        durability="normal",
        requests_per_second_max=0,
        concurrency_max=1,
        **cast("dict[str, Any]", service()),
    )


@dataclass(slots=True)
class FolderHome:
    """A ledger on SQLite."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        """Where the database is, as the setting says it."""
        return str(self.folder / "ledger.db")

    @property
    def settings(self) -> Settings:
        """How a ledger here is opened."""
        return settings_of(self.folder, self.address)

    def order(self, statement: str) -> None:
        """Change something behind the ledger's back."""
        with closing(sqlite3.connect(self.address)) as file, file:
            file.execute(statement)

    def copy(self) -> "FolderHome":
        """Return a home that holds the same."""
        return FolderHome(_copied(self.folder, next(self._numbers)))

    def rows(self, query: str, part: Part = "main") -> list[Row]:
        """Return what a query finds, by a driver of our own."""
        name = "ledger.db" if part == "main" else "ledger.vault.db"
        # Read through a copy: whoever opens a log that was left behind would clear it away.
        with closing(sqlite3.connect(":memory:")) as memory:
            with closing(sqlite3.connect(self.folder / name)) as file:
                file.execute("PRAGMA query_only = ON")
                file.backup(memory)
            return memory.execute(query).fetchall()

    def tables(self, part: Part = "main") -> frozenset[str]:
        """Return the tables that are there, if anything is."""
        name = "ledger.db" if part == "main" else "ledger.vault.db"
        if not (self.folder / name).exists():
            return frozenset()
        return frozenset(row[0] for row in self.rows(_TABLES, part))

    def is_made(self) -> bool:
        """Tell whether a whole ledger is there."""
        return "ledgers" in self.tables() and bool(self.rows(_WHOLE))

    def kept_aside(self) -> list[list[bytes]]:
        """Return the logs of ledgers that gave way to another."""
        found = []
        for path in sorted(self.folder.glob("ledger.replaced-*.db")):
            with closing(sqlite3.connect(path)) as file:
                found.append([bytes(row[0]) for row in file.execute(_LOG)])
        return found

    def outlast(self) -> None:
        """Return at once: who works alone ends the leases of who is gone."""

    def settle_down(self) -> None:
        """Return at once: a dead process holds no file."""

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Name everything that is kept here, with every byte of it."""
        yield from _files(self.folder)

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)


@dataclass(slots=True)
class ServerHome:
    """A ledger in a database of its own on a PostgreSQL server."""

    folder: Path
    server: URL
    name: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        """Where the database is, as the setting says it."""
        address = self.server.set(database=self.name).update_query_dict({"schema": SCHEMA})
        return address.render_as_string(hide_password=False)

    @property
    def settings(self) -> Settings:
        """How a ledger here is opened."""
        return settings_of(self.folder, self.address)

    def order(self, statement: str) -> None:
        """Change something behind the ledger's back."""
        asyncio.run(self._ask(statement, self.name, schema=SCHEMA))

    def make(self) -> None:
        """Make the database, empty."""
        self._command(f'CREATE DATABASE "{self.name}" TEMPLATE template0')

    def copy(self) -> "ServerHome":
        """Return a home that holds the same."""
        number = next(self._numbers)
        name = f"{self.name}_{number}_{os.getpid()}"
        self._command(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        return ServerHome(_copied(self.folder, number), self.server, name)

    def rows(self, query: str, part: Part = "main") -> list[Row]:
        """Return what a query finds, by a driver of our own."""
        schema = SCHEMA if part == "main" else f"{SCHEMA}_vault"
        return asyncio.run(self._ask(query, self.name, schema=schema))

    def tables(self, part: Part = "main") -> frozenset[str]:
        """Return the tables that are there, if anything is."""
        schema = SCHEMA if part == "main" else f"{SCHEMA}_vault"
        found = self.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
        return frozenset(row[0] for row in found)

    def is_made(self) -> bool:
        """Tell whether a whole ledger is there."""
        return "ledgers" in self.tables() and bool(self.rows(_WHOLE))

    def kept_aside(self) -> list[list[bytes]]:
        """Return the logs of ledgers that gave way to another."""
        found = self.rows(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'events'"
            f" AND schemaname LIKE '{SCHEMA}_replaced_%'"
        )
        logs = [self.rows(_LOG.replace(" events", f' "{row[0]}".events')) for row in found]
        return [[bytes(row[0]) for row in log] for log in logs]

    def outlast(self) -> None:
        """Let the leases of whoever died run out."""
        self.order("UPDATE leases SET until_seconds = 0")

    def settle_down(self) -> None:
        """Return once the server has noticed that its client is gone."""
        query = f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.name}'"
        end = time.monotonic() + QUIET_SECONDS_MAX
        while asyncio.run(self._ask(query, "postgres")):
            assert time.monotonic() < end, "a session of a dead process lives on"
            time.sleep(0.005)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Name everything that is kept here, with every byte of it as a client can see it."""
        yield from _files(self.folder)
        yield from asyncio.run(self._dump())

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)
        self._command(f'DROP DATABASE "{self.name}" WITH (FORCE)')

    def _command(self, statement: str) -> None:
        asyncio.run(self._ask(statement, "postgres"))

    async def _connect(self, database: str) -> Any:
        options = self.server.translate_connect_args(username="user")
        return await asyncpg.connect(**{**options, **self.server.query, "database": database})

    async def _ask(self, statement: str, database: str, *, schema: str = "public") -> list[Row]:
        connection = await self._connect(database)
        try:
            await connection.execute(f"SET search_path = {schema}")
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    async def _dump(self) -> list[tuple[str, bytes]]:
        connection = await self._connect(self.name)
        try:
            tables = await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE $1",
                f"{SCHEMA}%",
            )
            found = []
            for schema, table in tables:
                rows = await connection.fetch(f'SELECT * FROM "{schema}"."{table}"')
                content = b"\n".join(_flat(value) for row in rows for value in row)
                found.append((f"{schema}.{table}", content))
            return found
        finally:
            await connection.close()


def _flat(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _copied(folder: Path, number: int) -> Path:
    copy = folder.with_name(f"{folder.name}-{number}-{os.getpid()}")
    shutil.copytree(folder, copy)
    return copy


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
