"""How settings name the ledger of a test's folder, and how to get past what guards it."""

from pathlib import Path

from sqlalchemy import Connection

from ledger.testing import SERVED


def settings_in(folder: Path) -> dict[str, str]:
    """Return the settings that lead to the ledger of a folder, and to its key."""
    served = folder / SERVED
    database = served.read_text() if served.exists() else str(folder / "ledger.db")
    return {"ledger_database": database, "ledger_key_file": str(folder / "ledger.key")}


def disarm(connection: Connection) -> None:
    """Take the triggers of the log away, as somebody with the database in hand can."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE events DISABLE TRIGGER USER")
        return
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in found.scalars().all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
