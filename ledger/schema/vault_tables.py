"""The tables of the vault's own database: wrapped keys and sealed documents.

They live apart from the log, so that a copy of the log alone opens nothing.
Times are microseconds since 1970, handed in by the caller.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql, sqlite

vault_metadata: Final = MetaData()
# The same order as SQLite's, so that pages and comparisons go alike on both.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

person_keys: Final = Table(
    "person_keys",
    vault_metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    Column("person", _TEXT, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

secrets: Final = Table(
    "secrets",
    vault_metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    Column("name", _TEXT, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

documents: Final = Table(
    "documents",
    vault_metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    # The digest is keyed: a plain one would tell anybody who has a document that it is here.
    Column("sha256_keyed", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("person", _TEXT, nullable=True),
    Column("created_at", BigInteger, nullable=False),
)

document_chunks: Final = Table(
    "document_chunks",
    vault_metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["ledger", "document"],
        ["documents.ledger", "documents.sha256_keyed"],
        name="document_chunks_document",
    ),
)


def key_of_document(document: bytes) -> str:
    """Return the name under which the key of a document stands among those of persons."""
    return f"document:{document.hex()}"


@cache
def _ignoring_on_sqlite(table: Table) -> Insert:
    return sqlite.insert(table).on_conflict_do_nothing()


@cache
def _ignoring_on_postgresql(table: Table) -> Insert:
    return postgresql.insert(table).on_conflict_do_nothing()


_IGNORING: Final[dict[str, Callable[[Table], Insert]]] = {
    "sqlite": _ignoring_on_sqlite,
    "postgresql": _ignoring_on_postgresql,
}


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Return an insert that leaves a row with the same key as it is."""
    return _IGNORING[connection.dialect.name](table)
