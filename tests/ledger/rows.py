"""The rows that tests begin with, and a ledger in memory to put them in."""

import sqlite3
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import ClassVar, Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from ledger.log.merkle import CompactRange
from ledger.reference import LedgerId, Scope
from ledger.schema.migrate import upgrade
from ledger.schema.tables import epochs, heads, ledgers

LEDGER_ID = LedgerId("00" * 16)
LEDGER_SCOPE = Scope(ledger=1, generation=0)


def begin_ledger(connection: Connection) -> None:
    """Migrate a database and begin one empty ledger in it."""
    upgrade(connection, "main")
    connection.execute(
        ledgers.insert(),
        {
            "ledger": LEDGER_SCOPE.ledger,
            "ledger_id": LEDGER_ID,
            "created_at": 0,
            "generation": LEDGER_SCOPE.generation,
            "key_fingerprint": b"",
        },
    )
    connection.execute(
        heads.insert(),
        {
            "ledger": LEDGER_SCOPE.ledger,
            "size": 0,
            "compact_range": CompactRange().to_bytes(),
        },
    )
    connection.execute(epochs.insert(), {"ledger": LEDGER_SCOPE.ledger, "epoch": 0})


@cache
def begun() -> bytes:
    """Return a database with one empty ledger and the tables of a vault, made once for all."""
    engine = _engine()
    with engine.begin() as connection:
        begin_ledger(connection)
        upgrade(connection, "vault")
    image = _driver(engine).serialize()
    engine.dispose()
    return image


def _engine() -> Engine:
    engine = create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA foreign_keys = ON"))
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


class Memory:
    """A ledger in memory: the same tables and triggers, as new for every test.

    Engines are used again, because each of them learns anew how to write every statement.
    """

    _free: ClassVar[list[Engine]] = []

    def __init__(self) -> None:
        self.engine = self._free.pop() if self._free else _engine()

    def __enter__(self) -> Self:
        _driver(self.engine).deserialize(begun())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._free.append(self.engine)

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction that is committed at the end."""
        return self.engine.begin()

    @classmethod
    def forget(cls) -> None:
        """Let go of every engine."""
        while cls._free:
            cls._free.pop().dispose()


def _driver(engine: Engine) -> sqlite3.Connection:
    driver = engine.raw_connection().driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
