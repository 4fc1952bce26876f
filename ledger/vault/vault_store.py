"""The vault: keys and documents in a database of their own, kept apart from the log."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Self, TypeVar

from sqlalchemy import Connection

from ledger.clock import Clock, Entropy
from ledger.database import Database
from ledger.errors import LedgerBusyError, MasterKeyError
from ledger.shield import to_the_end
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.key_store import ensure_keys, load_keys
from ledger.vault.keyring import Keyring
from ledger.vault.live_wrapping_store import MISSING, LiveWrapping
from ledger.vault.register_store import Register
from ledger.vault.sealed import (
    KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    MasterKey,
    commitment,
    fingerprint,
    keyed_digest,
    open_sealed,
    seal,
)
from ledger.vault.secret_store import (
    COMPARISON,
    LOOKUP,
    NAMES,
    SIGNING,
    VAULT,
    load_secrets,
    secret_owner,
)
from ledger.vault.upkeep_store import Upkeep
from ledger.writer import Writer

T = TypeVar("T")


class Vault:
    """Hands out the keys of persons, durable before anything is sealed under them."""

    def __init__(
        self,
        database: Database,
        *,
        ledger: int,
        name: bytes,
        cabinet: Cabinet,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._name = name
        self._cabinet = cabinet
        self._clock = clock
        self._entropy = entropy
        self._live = LiveWrapping(cabinet, ledger, vault=name)
        self._upkeep = Upkeep(
            database, ledger=ledger, name=name, cabinet=cabinet, live=self._live, entropy=entropy
        )
        self._secrets: Mapping[str, bytes] = {}
        self._keyring = Keyring(Lock())
        self._writer: Writer[frozenset[str]] = Writer(self._make_keys)
        self.register = Register.beside(cabinet.key_file)

    @classmethod
    async def unlocked(
        cls, database: Database, *, ledger: int, cabinet: Cabinet, clock: Clock, entropy: Entropy
    ) -> Self:
        """Return the vault with its secrets at hand; raises `MasterKeyError` where they stay shut.

        What a rotation or an erasure left undone in the files is finished first.
        """
        stored = await database.read(lambda connection: load_secrets(connection, ledger))
        if not {VAULT, *NAMES} <= stored.keys():
            raise MasterKeyError(MISSING)
        vault = cls(
            database,
            ledger=ledger,
            name=stored[VAULT],
            cabinet=cabinet,
            clock=clock,
            entropy=entropy,
        )
        await vault._unlock()
        return vault

    @property
    def database(self) -> Database:
        """Where keys and documents are kept."""
        return self._database

    @property
    def ledger(self) -> int:
        """The number under which this ledger's rows are kept."""
        return self._ledger

    @property
    def generation_file(self) -> Path | None:
        """The file that alone is wrapped by the master key; none on SQLite, where all keys are."""
        return self._cabinet.generation_file

    @property
    def fingerprint(self) -> bytes:
        """What ties a log to this vault: it names the secret by which contents are compared."""
        return fingerprint(self._secrets[COMPARISON])

    def signing_seed(self) -> bytes:
        """Return the 32 bytes of which the key that signs tree heads is made."""
        return self._secrets[SIGNING]

    async def close(self) -> None:
        """Commit what waits and forget every key."""
        await self._writer.close()
        self.forget_all()
        await self._database.close()

    def forget_all(self) -> None:
        """Keep no key at hand any longer; each is read again when it is needed."""
        self._keyring.clear()

    async def keys(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return a key for each person, made and durable where there never was one."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = wanted - known.keys()
        if missing:
            await self._writer.submit(missing)
            known |= await self.existing_keys(missing)
        return known

    async def with_keys(
        self, persons: Iterable[str], write: Callable[[Connection, Mapping[str, bytes]], T]
    ) -> T:
        """Run a write with keys as `keys` has them, which nobody can destroy before it ends."""
        wanted, now = sorted(frozenset(persons)), self._clock.now()
        return await self._live.kept_up(
            lambda: self._database.run(lambda c: write(c, self._ensure(c, wanted, now)))
        )

    async def existing_keys(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that still exist; an erased person has none."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = sorted(wanted - known.keys())
        if missing:
            era = self._keyring.era
            found = await self._live.kept_up(
                lambda: self._database.read(lambda connection: self._load(connection, missing))
            )
            known |= self._kept(found, era=era)
        return known

    def existing_keys_now(self, persons: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that still exist, for a step on the ledger's writer thread."""
        wanted = frozenset(persons)
        known = self._cached(wanted)
        missing = sorted(wanted - known.keys())
        if missing:
            era = self._keyring.era
            found = self._live.kept_up_now(
                lambda: self._database.read_now(lambda connection: self._load(connection, missing))
            )
            known |= self._kept(found, era=era)
        return known

    async def erase_person(
        self, person: str, *, also: Iterable[str] = (), documents: Iterable[bytes] = ()
    ) -> None:
        """Destroy what opens a person's data: keys, documents; again, it changes nothing.

        `also` are further names whose keys go with it, `documents` further documents by their
        keyed digests. Where the database keeps copies of what it deletes, every other key is
        wrapped anew and the old wrapping key destroyed. On SQLite `scrub` has to follow.
        """
        persons, named = [person, *also], list(documents)
        await to_the_end(self._erase(persons, named))

    async def rotate(self, secret: bytes | None = None) -> int:
        """Bring in a new master key and return how many keys were wrapped anew for it.

        Without a secret one is made for the key file. A key that came from elsewhere has to be
        followed there by this one; until then this process knows both.
        """
        if secret is None and not self._cabinet.source.is_file:
            following = self._cabinet.source.following
            if following is None:
                message = (
                    "the master key is not kept in a file: give the new one in LEDGER_KEY_NEXT"
                )
                raise MasterKeyError(message)
            secret = following.secret
        master = MasterKey(secret or self._entropy.bytes(KEY_BYTES))
        return await to_the_end(self._rotate(master))

    def seal(self, key: bytes, plaintext: bytes, *, context: bytes) -> tuple[bytes, bytes]:
        """Return plaintext sealed under a key, and the commitment to it."""
        salt = self._entropy.bytes(SALT_BYTES)
        nonce = self._nonce()
        sealed = seal(key, salt=salt, nonce=nonce, plaintext=plaintext, context=context)
        return sealed, commitment(salt, plaintext)

    def open(self, key: bytes, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed; raises `IntegrityError` where it does not open."""
        return open_sealed(key, sealed, context=context)[1]

    def lookup_digest(self, *parts: bytes) -> bytes:
        """Return the keyed digest under which something personal may be looked up."""
        return keyed_digest(self._secrets[LOOKUP], *parts)

    def content_digest(self, *parts: bytes) -> bytes:
        """Return the keyed digest by which two contents are compared."""
        return keyed_digest(self._secrets[COMPARISON], *parts)

    def document_digest(self, digest_hex: str) -> bytes:
        """Return the name under which a document with this SHA-256 is kept."""
        return self.lookup_digest(b"document", bytes.fromhex(digest_hex))

    async def _unlock(self) -> None:
        await self._cabinet.refresh()

        def read(connection: Connection) -> dict[str, bytes]:
            live = self._live.seen_by(connection)
            stored = load_secrets(connection, self._ledger)
            return {name: live.unwrap(stored[name], owner=secret_owner(name)) for name in NAMES}

        self._secrets = await self._live.kept_up(lambda: self._database.read(read))
        # Another process that is at it finishes it; until then the files hold both.
        with suppress(LedgerBusyError):
            await to_the_end(self._upkeep.settle())

    async def _erase(self, persons: Sequence[str], documents: Sequence[bytes]) -> None:
        # A rotation by another process may have touched the files alone, and no row tells of it.
        await self._cabinet.refresh()
        try:
            await self._upkeep.erase(persons, documents=documents)
        finally:
            # Also where nobody knows whether it was committed.
            self.forget_all()
        await self._upkeep.settle()

    async def _rotate(self, master: MasterKey) -> int:
        await self._cabinet.refresh()
        count = await self._upkeep.rotate(master)
        await self._upkeep.settle()
        return count

    def _nonce(self) -> bytes:
        return self._entropy.bytes(NONCE_BYTES)

    def _cached(self, persons: Iterable[str]) -> dict[str, bytes]:
        found = {person: self._keyring.get(person) for person in persons}
        return {person: key for person, key in found.items() if key is not None}

    def _kept(self, keys: dict[str, bytes], *, era: int) -> dict[str, bytes]:
        # What was read before an erasure must not be remembered after it.
        self._keyring.keep(keys, era=era)
        return keys

    def _load(self, connection: Connection, persons: Iterable[str]) -> dict[str, bytes]:
        live = self._live.seen_by(connection)
        found = load_keys(connection, self._ledger, persons=persons)
        return {person: live.unwrap(blob, owner=person) for person, blob in found.items()}

    async def _make_keys(self, batch: Sequence[frozenset[str]]) -> Sequence[None]:
        era = self._keyring.era
        made = await self.with_keys(frozenset().union(*batch), lambda _, keys: dict(keys))
        self._kept(made, era=era)
        return [None] * len(batch)

    def _ensure(
        self, connection: Connection, persons: Sequence[str], now: datetime
    ) -> dict[str, bytes]:
        live = self._live.shared_by(connection)

        def make(person: str) -> bytes:
            return live.wrap(self._entropy.bytes(KEY_BYTES), nonce=self._nonce(), owner=person)

        found = ensure_keys(connection, self._ledger, persons=persons, make=make, now=now)
        return {person: live.unwrap(blob, owner=person) for person, blob in found.items()}
