"""Which connections of a host can commit its own write and an event of the inbox as one."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from ledger.errors import LedgerError

SQLITE_RECIPE: Final = (
    "give your SQLite engine connect_args={'isolation_level': None}, emit 'BEGIN IMMEDIATE' from "
    "its 'begin' event and 'PRAGMA synchronous = FULL' from its 'connect' event"
)
POSTGRESQL_RECIPE: Final = (
    "connect your engine to the ledger's own server and database, work in a transaction (no "
    "AUTOCOMMIT), and leave synchronous_commit on"
)
FULL_SYNCHRONOUS: Final = 2
Identity = tuple[str, str]
"""Which server, and which database on it; the same by whatever name it is reached."""

WHICH: Final = "SELECT system_identifier::text, current_database()::text FROM pg_control_system()"
_HOW: Final = (
    "SELECT current_setting('synchronous_commit'), current_setting('transaction_read_only')"
)


def require_sqlite_recipe(connection: Connection, path: Path) -> None:
    """Refuse a connection on which the host's write and the event might part."""
    files = connection.exec_driver_sql("PRAGMA database_list").all()
    if not any(row[2] and Path(row[2]).resolve() == path.resolve() for row in files):
        message = f"the inbox is a table of {path}: put events on a connection to that file"
        raise LedgerError(message)
    driver = connection.connection.dbapi_connection
    is_in_transaction = bool(getattr(driver, "in_transaction", False))
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    has_own_begin = getattr(driver, "isolation_level", "") is None and is_in_transaction
    if not has_own_begin or synchronous < FULL_SYNCHRONOUS:
        message = f"this connection cannot commit your write and the event as one: {SQLITE_RECIPE}"
        raise LedgerError(message)


def require_postgresql_recipe(connection: Connection, identity: Identity | None) -> None:
    """Refuse a connection on which the host's write and the event might part."""
    is_server = connection.dialect.name == "postgresql"
    if not is_server or tuple(connection.exec_driver_sql(WHICH).one()) != identity:
        message = f"the inbox is a table on another server or database: {POSTGRESQL_RECIPE}"
        raise LedgerError(message)
    is_autocommit = getattr(connection.connection.dbapi_connection, "autocommit", False)
    synchronous, read_only = connection.exec_driver_sql(_HOW).one()
    if is_autocommit or synchronous == "off" or read_only == "on":
        message = (
            f"this connection cannot commit your write and the event as one: {POSTGRESQL_RECIPE}"
        )
        raise LedgerError(message)
