"""A migrated database with one ledger in it, for every test of the stores."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ledger.database import SqliteDatabase
from ledger.reference import Scope
from tests.ledger.outbox.histories import Outbox
from tests.ledger.rows import LEDGER_SCOPE, Memory, begin_ledger


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """Give a real database file, migrated, with the rows of one empty ledger."""
    opened = SqliteDatabase(tmp_path / "ledger.db", durability="normal")
    await opened.run(begin_ledger)
    yield opened
    await opened.close()


@pytest.fixture(scope="session", autouse=True)
def _memories() -> Iterator[None]:
    """Let go of the ledgers in memory at the end."""
    yield
    Memory.forget()


@pytest.fixture
def scope() -> Scope:
    """Name the rows of the one ledger."""
    return LEDGER_SCOPE


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Give a ledger in memory, for what needs neither files nor threads."""
    with Memory() as held:
        yield held


@pytest.fixture
def connection(memory: Memory) -> Iterator[Connection]:
    """Give a connection inside a transaction on the ledger in memory."""
    with memory.engine.begin() as inside:
        yield inside


@pytest.fixture
def outbox(connection: Connection) -> Outbox:
    """Give an empty outbox in memory."""
    return Outbox(connection)
