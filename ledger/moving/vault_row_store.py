"""The vault's rows on the move: keys opened by one wrapping and stored under another."""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, Table

from ledger.moving.row_store import Row, pages
from ledger.schema.vault_tables import document_chunks, documents, person_keys, secrets
from ledger.vault.key_store import DESTROYED
from ledger.vault.secret_store import NAMES, load_secrets, replace_secret, secret_owner
from ledger.vault.wrapping import Wrapping

CHUNKS_PER_PAGE: Final = 16
"""Chunks of documents are large; a page of them has to fit into memory several times."""
MOVED: Final = (person_keys, documents, document_chunks)
VAULT_TABLES: Final = (secrets, *MOVED)


def vault_pages(connection: Connection, ledger: int) -> Iterator[tuple[Table, list[Row]]]:
    """Yield everything but the secrets, a page at a time, keys still wrapped."""
    for table in MOVED:
        limit = CHUNKS_PER_PAGE if table is document_chunks else 500
        for page in pages(connection, table, within={"ledger": ledger}, limit=limit):
            yield table, page


def rewrapped(page: list[Row], *, old: Wrapping, new: Wrapping, nonce: Callable[[], bytes]) -> None:
    """Store keys under another wrapping; what is left of a destroyed one stays as it is."""
    for row in page:
        if row["wrapped"] != DESTROYED:
            secret = old.unwrap(row["wrapped"], owner=row["person"])
            row["wrapped"] = new.wrap(secret, nonce=nonce(), owner=row["person"])


def open_secrets(connection: Connection, ledger: int, *, wrapping: Wrapping) -> dict[str, bytes]:
    """Return the ledger's secrets, unwrapped."""
    stored = load_secrets(connection, ledger)
    return {name: wrapping.unwrap(stored[name], owner=secret_owner(name)) for name in NAMES}


def put_secrets(
    connection: Connection,
    ledger: int,
    *,
    values: dict[str, bytes],
    wrapping: Wrapping,
    nonce: Callable[[], bytes],
) -> None:
    """Put a ledger's secrets in the place of those that were made for a new one."""
    for name, value in values.items():
        wrapped = wrapping.wrap(value, nonce=nonce(), owner=secret_owner(name))
        replace_secret(connection, ledger, name=name, wrapped=wrapped)


def clear_vault(connection: Connection, ledger: int) -> None:
    """Remove whatever an unfinished copy left beside the secrets."""
    for table in reversed(MOVED):
        connection.execute(table.delete().where(table.c.ledger == ledger))
