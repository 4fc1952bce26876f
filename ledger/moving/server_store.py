"""What a schema on a server holds already, and how it is kept under another name."""

from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, text

from ledger.database import Server
from ledger.home import UNFINISHED
from ledger.moving import row_store
from ledger.schema.migrate import version

NAME_MAX: Final = 57
"""The longest name of a schema whose vault's name still fits."""
_SCHEMAS: Final = text("SELECT count(*) FROM pg_namespace WHERE nspname = :schema")


class PlaceState(StrEnum):
    """What a schema holds."""

    EMPTY = "empty"
    UNFINISHED = "unfinished"
    """A copy that was begun and is not whole."""
    TAKEN = "taken"


def state_of(connection: Connection) -> PlaceState:
    """Tell what the schema of this connection holds."""
    row = None if version(connection, "main") is None else row_store.read_ledger(connection)
    if row is None:
        return PlaceState.EMPTY
    is_unfinished = row["generation"] == UNFINISHED
    return PlaceState.UNFINISHED if is_unfinished else PlaceState.TAKEN


def is_there(connection: Connection, server: Server) -> bool:
    """Tell whether a schema exists."""
    return bool(connection.execute(_SCHEMAS, {"schema": server.schema}).scalar_one())


def keep_aside(connection: Connection, server: Server, *, stamp: str) -> list[str]:
    """Give both schemas of a ledger other names, together or not at all; returns the names."""
    ending = f"_replaced_{stamp}"
    aside = f"{server.schema[: NAME_MAX - len(ending)]}{ending}"
    renamed = Server(server.url, aside)
    kept: list[str] = []
    for old, new in ((server, renamed), (server.vault, renamed.vault)):
        if is_there(connection, old):
            connection.execute(text(f'ALTER SCHEMA "{old.schema}" RENAME TO "{new.schema}"'))
            kept.append(str(new))
    return kept
