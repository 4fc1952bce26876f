"""The vault: keys and documents in a database of their own, kept apart from the log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from ledger.clock import Clock, Entropy
from ledger.database import Database
from ledger.errors import MasterKeyError
from ledger.vault.key_store import ensure_keys, load_keys
from ledger.vault.keyring import Keyring
from ledger.vault.sealed import (
    KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    MasterKey,
    commitment,
    keyed_digest,
    open_sealed,
    seal,
    unwrap_key,
    wrap_key,
)
from ledger.writer import Writer


class Vault:
    """Hands out the keys of persons, durable before anything is sealed under them."""

    def __init__(
        self, database: Database, *, ledger: int, master: MasterKey, clock: Clock, entropy: Entropy
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._master = master
        self._clock = clock
        self._entropy = entropy
        self._keyring = Keyring()
        self._writer: Writer[frozenset[str]] = Writer(self._make_keys)

    @property
    def database(self) -> Database:
        """Where keys and documents are kept."""
        return self._database

    @property
    def ledger(self) -> int:
        """The number under which this ledger's rows are kept."""
        return self._ledger

    async def close(self) -> None:
        """Commit what waits and forget every key."""
        await self._writer.close()
        self._keyring.clear()
        await self._database.close()

    async def keys(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return a key for each person, made and durable where there was none."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = wanted - known.keys()
        if missing:
            await self._writer.submit(missing)
            known |= await self.existing_keys(missing)
        return known

    async def existing_keys(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that still exist; an erased person has none."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = wanted - known.keys()
        if missing:
            known |= self._unwrapped(await self._database.read(self._loading(missing)))
        return known

    def existing_keys_now(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that still exist, for a step on the ledger's writer thread."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = wanted - known.keys()
        if missing:
            known |= self._unwrapped(self._database.read_now(self._loading(missing)))
        return known

    def seal(self, key: bytes, plaintext: bytes, *, context: bytes) -> tuple[bytes, bytes]:
        """Return plaintext sealed under a key, and the commitment to it."""
        salt = self._entropy.bytes(SALT_BYTES)
        nonce = self._entropy.bytes(NONCE_BYTES)
        sealed = seal(key, salt=salt, nonce=nonce, plaintext=plaintext, context=context)
        return sealed, commitment(salt, plaintext)

    def open(self, key: bytes, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed; raises `IntegrityError` where it does not open."""
        return open_sealed(key, sealed, context=context)[1]

    def lookup_digest(self, *parts: bytes) -> bytes:
        """Return the keyed digest under which something personal may be looked up."""
        return keyed_digest(self._master.lookup, *parts)

    def content_digest(self, *parts: bytes) -> bytes:
        """Return the keyed digest by which two contents are compared."""
        return keyed_digest(self._master.comparison, *parts)

    def document_digest(self, digest_hex: str) -> bytes:
        """Return the name under which a document with this SHA-256 is kept."""
        return self.lookup_digest(b"document", bytes.fromhex(digest_hex))

    def _cached(self, persons: Iterable[str]) -> dict[str, bytes]:
        found = {person: self._keyring.get(person) for person in persons}
        return {person: key for person, key in found.items() if key is not None}

    def _loading(self, persons: Iterable[str]) -> "_Load":
        return _Load(self._ledger, sorted(persons))

    async def _make_keys(self, batch: Sequence[frozenset[str]]) -> Sequence[None]:
        persons = sorted(frozenset().union(*batch))
        now = self._clock.now()
        made = await self._database.run(lambda connection: self._ensure(connection, persons, now))
        self._unwrapped(made)
        return [None] * len(batch)

    def _ensure(
        self, connection: Connection, persons: Sequence[str], now: datetime
    ) -> Mapping[str, bytes]:
        return ensure_keys(connection, self._ledger, persons=persons, make=self._new_key, now=now)

    def _new_key(self, person: str) -> bytes:
        key = self._entropy.bytes(KEY_BYTES)
        nonce = self._entropy.bytes(NONCE_BYTES)
        return wrap_key(self._master.wrapping, key, nonce=nonce, person=person)

    def _unwrapped(self, wrapped: Mapping[str, bytes]) -> dict[str, bytes]:
        keys: dict[str, bytes] = {}
        for person, blob in wrapped.items():
            keys[person] = unwrap_key(self._master.wrapping, blob, person=person)
            self._keyring.put(person, keys[person])
        return keys


class _Load:
    def __init__(self, ledger: int, persons: Sequence[str]) -> None:
        self._ledger = ledger
        self._persons = persons

    def __call__(self, connection: Connection) -> dict[str, bytes]:
        return load_keys(connection, self._ledger, persons=self._persons)


def require_key(found: Mapping[str, bytes], person: str) -> bytes:
    """Return a person's key out of those found; raises `MasterKeyError` when it is not there."""
    if person not in found:
        message = "a key is missing from the vault: restore the vault's database beside the ledger"
        raise MasterKeyError(message)
    return found[person]
