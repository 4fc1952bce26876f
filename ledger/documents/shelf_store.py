"""Documents by their content: stored sealed and durable, read back checked."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from ledger.database import Database
from ledger.documents.document_store import (
    DocumentName,
    get_document,
    has_document,
    key_owner,
    put_document,
)

T = TypeVar("T")


class Safe(Protocol):
    """What the shelf needs of the vault."""

    @property
    def database(self) -> Database:
        """Where documents are kept."""

    @property
    def ledger(self) -> int:
        """The number under which this ledger's rows are kept."""

    async def with_keys(
        self, persons: Iterable[str], write: Callable[[Connection, Mapping[str, bytes]], T]
    ) -> T:
        """Run a write with a key for each owner, which nobody can destroy before it ends."""

    async def existing_keys(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that still exist."""

    def seal(self, key: bytes, plaintext: bytes, *, context: bytes) -> tuple[bytes, bytes]:
        """Return sealed bytes and the commitment to them."""

    def open(self, key: bytes, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed."""

    def document_digest(self, digest_hex: str) -> bytes:
        """Return the name under which a document with this SHA-256 is kept."""


class Shelf:
    """The documents of one ledger."""

    def __init__(self, safe: Safe) -> None:
        self._safe = safe

    async def add(self, content: bytes, *, now: datetime) -> str:
        """Store a document and return its SHA-256 in hex; the same bytes again change nothing."""
        digest = sha256(content).hexdigest()
        name = self._name(digest)
        owner = key_owner(name)

        # A key from before could be gone by now, and the document be sealed for nobody.
        def put(connection: Connection, keys: Mapping[str, bytes]) -> bool:
            def seal(plaintext: bytes, *, context: bytes) -> bytes:
                return self._safe.seal(keys[owner], plaintext, context=context)[0]

            ledger = self._safe.ledger
            return put_document(
                connection, ledger, document=name, content=content, seal=seal, now=now
            )

        await self._safe.with_keys([owner], put)
        return digest

    async def has(self, digest: str) -> bool:
        """Tell whether the document with this SHA-256 is stored."""
        name = self._name(digest)
        return await self._safe.database.read(
            lambda connection: has_document(connection, self._safe.ledger, document=name)
        )

    async def get(self, digest: str) -> bytes | None:
        """Return a document's bytes, checked against their hash; `None` when it is not here."""
        name = self._name(digest)
        owner = key_owner(name)
        keys = await self._safe.existing_keys([owner])
        if owner not in keys:
            return None

        def unseal(sealed: bytes, *, context: bytes) -> bytes:
            return self._safe.open(keys[owner], sealed, context=context)

        def read(connection: Connection) -> bytes | None:
            ledger, checksum = self._safe.ledger, bytes.fromhex(digest)
            return get_document(connection, ledger, document=name, sha256=checksum, unseal=unseal)

        return await self._safe.database.read(read)

    def _name(self, digest: str) -> DocumentName:
        return DocumentName(self._safe.document_digest(digest))
