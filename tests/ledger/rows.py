"""The rows that tests begin with, and a ledger in memory to put them in."""

from types import TracebackType
from typing import Self

from sqlalchemy import Connection, create_engine, event
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


class Memory:
    """A ledger in memory: the same tables and triggers, gone with the test."""

    def __init__(self) -> None:
        self.engine = create_engine(
            "sqlite://",
            poolclass=StaticPool,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        event.listen(self.engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))

    def __enter__(self) -> Self:
        with self.engine.begin() as connection:
            begin_ledger(connection)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.engine.dispose()
