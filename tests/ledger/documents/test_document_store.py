import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select, update

from ledger.clock import START_OF_MANUAL_TIME, SeededEntropy
from ledger.documents.document_store import (
    CHUNK_BYTES,
    DocumentName,
    assign_document,
    get_document,
    has_document,
    key_owner,
    put_document,
)
from ledger.errors import IntegrityError
from ledger.schema.vault_tables import document_chunks, documents
from ledger.vault.sealed import NONCE_BYTES, SALT_BYTES, keyed_digest, open_sealed, seal

NOW = START_OF_MANUAL_TIME
LEDGER = 1
KEY = b"k" * 32
LOOKUP = b"l" * 32
ENTROPY = SeededEntropy(1)
SMALL = b"%PDF-1.7 of Maria"
LARGE = b"%PDF-1.7 " + SeededEntropy(2).bytes(2 * CHUNK_BYTES + 5)


@pytest.fixture
def connection(vault_connection: Connection) -> Connection:
    return vault_connection


def name_of(content: bytes) -> DocumentName:
    return DocumentName(keyed_digest(LOOKUP, hashlib.sha256(content).digest()))


def sealing(plaintext: bytes, *, context: bytes) -> bytes:
    salt, nonce = ENTROPY.bytes(SALT_BYTES), ENTROPY.bytes(NONCE_BYTES)
    return seal(KEY, salt=salt, nonce=nonce, plaintext=plaintext, context=context)


def unsealing(sealed: bytes, *, context: bytes) -> bytes:
    return open_sealed(KEY, sealed, context=context)[1]


def put(connection: Connection, content: bytes, *, ledger: int = LEDGER) -> bool:
    return put_document(
        connection, ledger, document=name_of(content), content=content, seal=sealing, now=NOW
    )


def get(connection: Connection, content: bytes, *, ledger: int = LEDGER) -> bytes | None:
    return get_document(
        connection,
        ledger,
        document=name_of(content),
        sha256=hashlib.sha256(content).digest(),
        unseal=unsealing,
    )


@pytest.mark.parametrize("content", [b"", b"x", SMALL, LARGE[:CHUNK_BYTES], LARGE])
def test_a_document_comes_back_as_it_was_put(connection: Connection, content: bytes) -> None:
    is_new = put(connection, content)

    assert is_new
    assert get(connection, content) == content
    assert has_document(connection, LEDGER, document=name_of(content))


@given(st.binary(max_size=100))
def test_any_bytes_come_back(
    open_vault: Callable[[], AbstractContextManager[Connection]], content: bytes
) -> None:
    with open_vault() as connection:
        put(connection, content)

        assert get(connection, content) == content


def test_the_same_document_again_changes_nothing(connection: Connection) -> None:
    put(connection, LARGE)
    before = connection.execute(select(document_chunks)).all()

    is_new = put(connection, LARGE)

    assert not is_new
    assert connection.execute(select(document_chunks)).all() == before
    assert len(before) == 3


def test_a_document_that_is_not_here_is_none(connection: Connection) -> None:
    put(connection, SMALL, ledger=2)

    assert get(connection, SMALL) is None
    assert not has_document(connection, LEDGER, document=name_of(SMALL))


def test_neither_the_bytes_nor_their_hash_are_stored_in_the_clear(connection: Connection) -> None:
    put(connection, SMALL)

    stored = repr(connection.execute(select(documents)).all())
    stored += repr(connection.execute(select(document_chunks)).all())

    assert repr(hashlib.sha256(SMALL).digest())[2:-1] not in stored
    assert "Maria" not in stored


def test_a_missing_chunk_is_found(connection: Connection) -> None:
    put(connection, LARGE)
    connection.execute(delete(document_chunks).where(document_chunks.c.number == 2))

    with pytest.raises(IntegrityError, match="restore the vault's backup"):
        get(connection, LARGE)


def test_chunks_that_changed_places_are_found(connection: Connection) -> None:
    put(connection, LARGE)
    first = connection.scalar(select(document_chunks.c.sealed).limit(1))
    connection.execute(
        update(document_chunks).where(document_chunks.c.number == 1).values(sealed=first)
    )

    with pytest.raises(IntegrityError, match="was moved"):
        get(connection, LARGE)


def test_content_under_a_wrong_name_is_found(connection: Connection) -> None:
    put_document(connection, LEDGER, document=name_of(SMALL), content=LARGE, seal=sealing, now=NOW)

    with pytest.raises(IntegrityError, match="differs from the one that was put"):
        get(connection, SMALL)


def test_the_person_may_become_known_after_the_bytes(connection: Connection) -> None:
    put(connection, SMALL)
    before = connection.scalar(select(documents.c.person))

    assign_document(connection, LEDGER, document=name_of(SMALL), person="student:S-1")

    assert before is None
    assert connection.scalar(select(documents.c.person)) == "student:S-1"
    assert get(connection, SMALL) == SMALL


def test_a_document_has_a_key_of_its_own_named_by_its_digest() -> None:
    assert key_owner(DocumentName(b"\x01\xff")) == "document:01ff"
