"""The secrets of a ledger in the vault's database, and the name of the wrapping that is live.

Two rows are no secrets. `vault` names the vault, so that no other's generation file is taken for
its own. `wrapping` names the live wrapping; whoever changes it, or wraps a key, holds that row, so
that nothing is ever wrapped by a key that is being destroyed.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select, text, update

from ledger.schema.vault_tables import insert_or_ignore, secrets

VAULT: Final = "vault"
WRAPPING: Final = "wrapping"
LOOKUP: Final = "lookup"
COMPARISON: Final = "comparison"
SIGNING: Final = "signing"
NAMES: Final = (LOOKUP, COMPARISON, SIGNING)
_THROUGH: Final = text("SET LOCAL synchronous_commit = on")
_NAME: Final = select(secrets.c.wrapped).where(
    secrets.c.ledger == bindparam("in_ledger"), secrets.c.name == WRAPPING
)
_SHARED_NAME: Final = _NAME.with_for_update(read=True)
_HELD_NAME: Final = _NAME.with_for_update()


def secret_owner(name: str) -> str:
    """Return for whom a secret is wrapped, so that no other key can stand in its place."""
    return f"secret:{name}"


def load_secrets(connection: Connection, ledger: int) -> dict[str, bytes]:
    """Return every row of a ledger's secrets, by name."""
    query = select(secrets.c.name, secrets.c.wrapped).where(secrets.c.ledger == ledger)
    return {row.name: row.wrapped for row in connection.execute(query)}


def add_secrets(connection: Connection, ledger: int, *, rows: Mapping[str, bytes]) -> None:
    """Add secrets; what stands already stays as it is."""
    values = [{"ledger": ledger, "name": name, "wrapped": value} for name, value in rows.items()]
    connection.execute(insert_or_ignore(connection, secrets), values)


def replace_secret(connection: Connection, ledger: int, *, name: str, wrapped: bytes) -> None:
    """Put another value in a secret's row."""
    mine = (secrets.c.ledger == ledger, secrets.c.name == name)
    connection.execute(update(secrets).where(*mine).values(wrapped=wrapped))


def live_name(connection: Connection, ledger: int) -> bytes | None:
    """Return the name of the live wrapping, as this transaction sees it."""
    return _first(connection, _NAME, ledger)


def share_name(connection: Connection, ledger: int) -> bytes | None:
    """Return the name of the live wrapping, which stays live until this transaction ends."""
    return _first(connection, _SHARED_NAME, ledger)


def hold_name(connection: Connection, ledger: int) -> bytes | None:
    """Return the name of the live wrapping, which nobody else may change or wrap by meanwhile."""
    return _first(connection, _HELD_NAME, ledger)


def commit_through(connection: Connection) -> None:
    """Let this transaction be durable when it is committed, whatever the others are."""
    # On SQLite nothing can be asked for within a transaction: `make_durable` has to follow.
    if connection.dialect.name == "postgresql":
        connection.execute(_THROUGH)


def _first(connection: Connection, statement: Select[Any], ledger: int) -> bytes | None:
    found: bytes | None = connection.execute(statement, {"in_ledger": ledger}).scalar_one_or_none()
    return found
