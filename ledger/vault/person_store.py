"""What the vault holds of a person, deleted: keys, documents, and the keys of those."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import Connection, delete, select

from ledger.schema.statements import pages
from ledger.schema.vault_tables import document_chunks, documents, key_of_document, person_keys
from ledger.vault.key_store import destroy_key

ROWS_PER_STATEMENT: Final = 500


def delete_person(
    connection: Connection, ledger: int, *, persons: Iterable[str], named: Iterable[bytes]
) -> int:
    """Destroy the keys of these persons, delete their documents and those named; count the rows."""
    owners = list(dict.fromkeys(persons))
    names = list(dict.fromkeys([*named, *_documents_of(connection, ledger, owners)]))
    count = _delete_documents(connection, ledger, names)
    # The same bytes may be somebody else's document one day: only a person's key is gone for ever.
    count += _delete_keys(connection, ledger, [key_of_document(name) for name in names])
    return count + sum(destroy_key(connection, ledger, person=owner) for owner in owners)


def _documents_of(connection: Connection, ledger: int, persons: list[str]) -> Iterator[bytes]:
    for page in pages(persons, ROWS_PER_STATEMENT):
        query = select(documents.c.sha256_keyed).where(
            documents.c.ledger == ledger, documents.c.person.in_(page)
        )
        yield from connection.execute(query).scalars()


def _delete_documents(connection: Connection, ledger: int, names: list[bytes]) -> int:
    count = 0
    for page in pages(names, ROWS_PER_STATEMENT):
        chunks = delete(document_chunks).where(
            document_chunks.c.ledger == ledger, document_chunks.c.document.in_(page)
        )
        connection.execute(chunks)
        wholes = delete(documents).where(
            documents.c.ledger == ledger, documents.c.sha256_keyed.in_(page)
        )
        count += connection.execute(wholes).rowcount
    return count


def _delete_keys(connection: Connection, ledger: int, owners: list[str]) -> int:
    count = 0
    for page in pages(owners, ROWS_PER_STATEMENT):
        statement = delete(person_keys).where(
            person_keys.c.ledger == ledger, person_keys.c.person.in_(page)
        )
        count += connection.execute(statement).rowcount
    return count
