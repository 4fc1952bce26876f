"""Vaults for tests: made, opened by one host or by several, and looked at from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from ledger.clock import Entropy, ManualClock, SystemEntropy
from ledger.database import Database
from ledger.schema.migrate import upgrade
from ledger.schema.vault_tables import document_chunks, documents, person_keys
from ledger.testing import address_in
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.key_source import FROM_FILE, KeySource
from ledger.vault.making_store import make_secrets
from ledger.vault.vault_store import Vault

LEDGER = 1
PERSONS = ("", "student:S-1", "student:S-2", "student:S-3")
DOCUMENT = b"d" * 32
OTHER_DOCUMENT = b"o" * 32


@dataclass(frozen=True)
class Place:
    """A folder with a vault's files, and its database in there or on the server it names."""

    folder: Path
    has_generations: bool = False
    source: KeySource = FROM_FILE

    @property
    def key_file(self) -> Path:
        return self.folder / "ledger.key"

    @property
    def generation_file(self) -> Path:
        return self.folder / "ledger.key.generation"

    @property
    def names(self) -> set[str]:
        """The files beside the database."""
        return {path.name for path in self.folder.glob("ledger.key*")}

    def database(self) -> Database:
        return address_in(self.folder).vault()

    def cabinet(self, entropy: Entropy) -> Cabinet:
        return Cabinet(self.key_file, self.source, entropy=entropy)

    async def migrate(self) -> None:
        """Make the tables."""
        database = self.database()
        try:
            await database.run(lambda connection: upgrade(connection, "vault"))
        finally:
            await database.close()

    async def make(self, entropy: Entropy | None = None) -> None:
        """Make the key file and the secrets, as `init` does."""
        entropy = entropy or SystemEntropy()
        await self.migrate()
        cabinet, database = self.cabinet(entropy), self.database()
        try:
            cabinet.make_key_file()
            await make_secrets(
                database,
                LEDGER,
                cabinet=cabinet,
                entropy=entropy,
                generations=self.has_generations,
            )
        finally:
            await database.close()

    @asynccontextmanager
    async def opened(self, entropy: Entropy | None = None) -> AsyncIterator[Vault]:
        """Give the vault as one host has it open."""
        entropy = entropy or SystemEntropy()
        database = self.database()
        try:
            vault = await Vault.unlocked(
                database,
                ledger=LEDGER,
                cabinet=self.cabinet(entropy),
                clock=ManualClock(),
                entropy=entropy,
            )
            yield vault
            await vault.close()
        finally:
            await database.close()


async def fill(vault: Vault) -> dict[str, bytes]:
    """Give persons keys, and one of them a document; returns the keys."""
    owners = [*PERSONS, document_owner(DOCUMENT), document_owner(OTHER_DOCUMENT)]
    keys = await vault.keys(owners)
    await vault.database.run(_put_documents)
    return keys


def document_owner(document: bytes) -> str:
    """Return the name of a document's key."""
    return f"document:{document.hex()}"


def _put_documents(connection: Connection) -> None:
    for document, person in ((DOCUMENT, "student:S-1"), (OTHER_DOCUMENT, "student:S-2")):
        row = {"ledger": LEDGER, "sha256_keyed": document, "size": 1}
        connection.execute(insert(documents), {**row, "person": person, "created_at": 0})
        chunk = {"ledger": LEDGER, "document": document, "number": 0, "sealed": b"sealed"}
        connection.execute(insert(document_chunks), chunk)


def wrapped(connection: Connection) -> dict[str, bytes]:
    """Return what stands in the table of keys."""
    rows = connection.execute(select(person_keys.c.person, person_keys.c.wrapped))
    return {row.person: row.wrapped for row in rows}


def stored_documents(connection: Connection) -> tuple[list[bytes], list[bytes]]:
    """Return the names of documents, and those that chunks belong to."""
    return (
        list(connection.execute(select(documents.c.sha256_keyed)).scalars()),
        list(connection.execute(select(document_chunks.c.document)).scalars()),
    )
