"""Sealed documents in the vault's database: put, get, find.

How to seal and open comes in as a parameter; the key of a document is the caller's to keep.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NewType, Protocol

from sqlalchemy import ColumnElement, Connection, insert, select, update

from ledger.clock import to_microseconds
from ledger.errors import IntegrityError
from ledger.schema.vault_tables import (
    document_chunks,
    documents,
    insert_or_ignore,
    key_of_document,
)

CHUNK_BYTES: Final = 256 * 1024

DocumentName = NewType("DocumentName", bytes)
"""A document's keyed digest: its row key, meaningless without the master key."""


class Seal(Protocol):
    """What turns a chunk into bytes that may be stored."""

    def __call__(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Return the plaintext sealed under the document's key, for this context only."""


class Open(Protocol):
    """What turns stored bytes back into the chunk they were."""

    def __call__(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return the plaintext, or raise IntegrityError for anything else than was sealed."""


def key_owner(document: DocumentName) -> str:
    """Return the name under which the vault keeps the document's own key."""
    return key_of_document(document)


def put_document(
    connection: Connection,
    ledger: int,
    *,
    document: DocumentName,
    content: bytes,
    seal: Seal,
    now: datetime,
    person: str | None = None,
) -> bool:
    """Store a document and tell whether it is new; the same one again changes nothing."""
    row = {
        "ledger": ledger,
        "sha256_keyed": document,
        "size": len(content),
        "person": person,
        "created_at": to_microseconds(now),
    }
    if connection.execute(insert_or_ignore(connection, documents), row).rowcount == 0:
        return False
    # One chunk at a time: sealed and plain bytes of a whole document never pile up together.
    for number, chunk in enumerate(_chunks(content)):
        sealed = seal(chunk, context=_context(document, number))
        values = {"ledger": ledger, "document": document, "number": number, "sealed": sealed}
        connection.execute(insert(document_chunks), values)
    return True


def get_document(
    connection: Connection, ledger: int, *, document: DocumentName, sha256: bytes, unseal: Open
) -> bytes | None:
    """Return a document's bytes, checked against their hash, or None when it is not here."""
    if not has_document(connection, ledger, document=document):
        return None
    query = (
        select(document_chunks.c.number, document_chunks.c.sealed)
        .where(document_chunks.c.ledger == ledger, document_chunks.c.document == document)
        .order_by(document_chunks.c.number)
    )
    content = b"".join(
        unseal(chunk.sealed, context=_context(document, chunk.number))
        for chunk in connection.execute(query)
    )
    if hashlib.sha256(content).digest() != sha256:
        message = "a stored document differs from the one that was put; restore the vault's backup"
        raise IntegrityError(message)
    return content


def has_document(connection: Connection, ledger: int, *, document: DocumentName) -> bool:
    """Tell whether the document is here."""
    query = select(documents.c.size).where(*_is(ledger, document))
    return connection.execute(query).first() is not None


def assign_document(
    connection: Connection, ledger: int, *, document: DocumentName, person: str
) -> None:
    """Note whose document this is, once an event has told."""
    statement = update(documents).where(*_is(ledger, document)).values(person=person)
    connection.execute(statement)


def _is(ledger: int, document: DocumentName) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return documents.c.ledger == ledger, documents.c.sha256_keyed == document


def _chunks(content: bytes) -> Iterator[bytes]:
    for begin in range(0, len(content), CHUNK_BYTES):
        yield content[begin : begin + CHUNK_BYTES]


def _context(document: DocumentName, number: int) -> bytes:
    """Return what a chunk is sealed for, so that none can stand in another's place."""
    return b"chunk" + document + number.to_bytes(8)
