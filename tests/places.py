"""How settings name the ledger of a test's folder, and how to get past what guards it."""

from pathlib import Path

from sqlalchemy import Connection

from ledger.database import Server
from ledger.testing import SERVED, address_in


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


def make_older(connection: Connection) -> None:
    """Let a ledger be as the last version but one of its tables left it."""
    for statement in (
        "DROP INDEX operations_open",
        "DROP INDEX operations_lane",
        "CREATE INDEX operations_in_doubt ON operations (ledger)",
        "UPDATE schema_version SET version_num = 'main_0003'",
    ):
        connection.exec_driver_sql(statement)


async def contents_in(folder: Path) -> dict[str, bytes]:
    """Return every byte that is kept of a folder's ledger: its files, and its tables elsewhere."""
    found = _files(folder)
    address = address_in(folder)
    if isinstance(address.place, Server):
        for database in (address.main(), address.vault()):
            found |= await database.read(_tables)
            await database.close()
    return found


def _tables(connection: Connection) -> dict[str, bytes]:
    ours = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = current_schema()"
    return {
        f"{schema}.{table}": b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
            for value in row
        )
        for schema, table in connection.exec_driver_sql(ours).all()
    }


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
