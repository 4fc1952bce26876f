"""Where a ledger lives: its files, its key, its row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy, to_microseconds
from ledger.database import Database, Durability, PostgresqlDatabase, Server, SqliteDatabase
from ledger.database.postgresql import WAIT_SECONDS
from ledger.errors import MasterKeyError, MigrationNeededError
from ledger.log.merkle import CompactRange
from ledger.migration_worker import Migrated, migrate
from ledger.reference import LedgerId
from ledger.schema.migrate import is_current, keep_others_out, version
from ledger.schema.tables import epochs, heads, ledgers
from ledger.shield import to_the_end
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.key_file_store import is_default, refuse_key_of_another
from ledger.vault.key_source import FROM_FILE, KeySource
from ledger.vault.making_store import make_secrets
from ledger.vault.vault_store import Vault

LEDGER_ID_BYTES = 16
LEDGER_NUMBER = 1
"""The number of the one ledger in a database; the vault knows it before the ledger is made."""
VAULT_WAIT_SECONDS = 600
"""How long to wait for another host's erasure: it wraps every key of a vault anew, at once."""
UNFINISHED = -1
"""The generation that says: a copy of a ledger was begun here, and is not whole."""

_GENERATION = select(ledgers.c.generation).where(ledgers.c.ledger == bindparam("in_ledger"))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ledger lives and how it is kept."""

    place: Path | Server
    """Its file, or its schema on a PostgreSQL server."""
    key_file: Path
    """The key file; what belongs to the keys is beside it, wherever the master key comes from."""
    durability: Durability = "full"
    """How the ledger's commits are; the vault's are always durable."""
    key_source: KeySource = FROM_FILE

    @property
    def vault_place(self) -> Path | Server:
        """The vault's own file, beside the ledger's, or its own schema."""
        if isinstance(self.place, Server):
            return self.place.vault
        return self.place.with_name(f"{self.place.stem}.vault{self.place.suffix}")

    @property
    def staging(self) -> Path:
        """The folder from which a restore fills this place, there until it has ended."""
        beside = self.key_file if isinstance(self.place, Server) else self.place
        return beside.with_name(f"{beside.name}.restoring")

    def main(self) -> Database:
        """Return the ledger's database; who asked for it closes it."""
        return _database(self.place, self.durability)

    def vault(self) -> Database:
        """Return the vault's database; who asked for it closes it."""
        # Whatever the ledger risks: an event that outlives its key could never be read again.
        return _database(self.vault_place, "full", wait_seconds=VAULT_WAIT_SECONDS)

    def cabinet(self, entropy: Entropy) -> Cabinet:
        """Return what finds the keys that open the vault."""
        return Cabinet(self.key_file, self.key_source, entropy=entropy)


def _database(
    place: Path | Server, durability: Durability, *, wait_seconds: int = WAIT_SECONDS
) -> Database:
    if isinstance(place, Server):
        return PostgresqlDatabase(place, durability=durability, wait_seconds=wait_seconds)
    return SqliteDatabase(place, durability=durability)


@dataclass(frozen=True, slots=True)
class Made:
    """What was done so that a ledger is there."""

    is_new: bool
    migrated: tuple[Migrated, ...]


async def initialise(
    address: Address, *, clock: Clock | None = None, entropy: Entropy | None = None
) -> Made:
    """Make or migrate a ledger's databases and its key file; returns what had to be done.

    Hosts that do so at the same time wait for one another.
    """
    main, vault = address.main(), address.vault()
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    try:
        return await _make(address, main, vault=vault, clock=clock, entropy=entropy)
    finally:
        await close_all(main, vault)


async def _make(
    address: Address, main: Database, *, vault: Database, clock: Clock, entropy: Entropy
) -> Made:
    if await main.is_there() and await main.read(_has_row):
        await _require_whole(address, vault, entropy)
    await _refuse_cut_short(address, main)
    if address.key_source.is_file and is_default(address.key_file) and not await vault.is_there():
        refuse_key_of_another(address.key_file, place=address.place)
    migrated = await migrate(main, vault)
    if await main.read(_has_row):
        return Made(is_new=False, migrated=migrated)
    # Drawn first: how much chance the secrets need depends on the database.
    ledger_id = LedgerId(entropy.bytes(LEDGER_ID_BYTES).hex())
    # Secrets before the ledger that counts on them: a crash between is finished by `init`.
    fingerprint = await _make_secrets(address, vault, clock=clock, entropy=entropy)
    created_at = to_microseconds(clock.now())
    is_new = await main.run(lambda c: _create(c, ledger_id, created_at, fingerprint))
    return Made(is_new=is_new, migrated=migrated)


async def _require_whole(address: Address, vault: Database, entropy: Entropy) -> None:
    if address.key_source.is_file and not address.cabinet(entropy).has_files:
        _refuse_lost_key(address)
    await refuse_lost_vault(address, vault)


async def _make_secrets(
    address: Address, vault: Database, *, clock: Clock, entropy: Entropy
) -> bytes:
    cabinet = address.cabinet(entropy)

    def make_key_file(connection: Connection) -> None:
        keep_others_out(connection)
        cabinet.make_key_file()

    await vault.run(make_key_file)
    await make_secrets(
        vault, LEDGER_NUMBER, cabinet=cabinet, entropy=entropy, generations=vault.is_shared
    )
    opened = await Vault.unlocked(
        vault, ledger=LEDGER_NUMBER, cabinet=cabinet, clock=clock, entropy=entropy
    )
    return opened.fingerprint


async def close_all(*databases: Database) -> None:
    """Let go of databases, all of them whoever is cancelled meanwhile."""
    await to_the_end(_close(*databases))


async def _close(*databases: Database) -> None:
    for database in databases:
        await database.close()


async def refuse_lost_vault(address: Address, vault: Database) -> None:
    """Refuse to go on without the vault: its persons would all look as if they were erased."""
    if not await vault.is_there():
        message = (
            f"the vault {address.vault_place} is missing but its ledger exists: restore it from "
            "the backup that holds the ledger; without it nothing personal can be read"
        )
        raise MasterKeyError(message)


async def require_current_vault(vault: Database) -> None:
    """Refuse a vault of another version, such as one restored from an old backup."""
    if not await vault.read(lambda connection: is_current(connection, "vault")):
        message = "the vault is not at this program's version: run `dokstamp-ledger init`"
        raise MigrationNeededError(message)


async def _refuse_cut_short(address: Address, main: Database) -> None:
    """Refuse to take a place for empty that a restore cleared and has not filled yet."""
    if address.staging.exists() and not (await main.is_there() and await main.read(_has_row)):
        message = (
            f"a restore to {address.place} was cut short, or is under way: let it end, or run the "
            "same `dokstamp-ledger restore` once more"
        )
        raise MigrationNeededError(message)


def _refuse_lost_key(address: Address) -> None:
    message = (
        f"the key file {address.key_file} is missing but its ledger exists: restore the key "
        "file from its backup; a new one could not open what is sealed"
    )
    raise MasterKeyError(message)


def _create(
    connection: Connection, ledger_id: LedgerId, created_at: int, fingerprint: bytes
) -> bool:
    keep_others_out(connection)
    if connection.execute(select(ledgers.c.ledger)).first() is not None:
        return False
    connection.execute(
        ledgers.insert(),
        {
            "ledger": LEDGER_NUMBER,
            "ledger_id": ledger_id,
            "created_at": created_at,
            "generation": 0,
            "key_fingerprint": fingerprint,
        },
    )
    empty = CompactRange()
    connection.execute(
        heads.insert(), {"ledger": LEDGER_NUMBER, "size": 0, "compact_range": empty.to_bytes()}
    )
    connection.execute(epochs.insert(), {"ledger": LEDGER_NUMBER, "epoch": 0})
    return True


def _has_row(connection: Connection) -> bool:
    if version(connection, "main") is None:
        return False
    generation = connection.execute(select(ledgers.c.generation)).scalar_one_or_none()
    _refuse_unfinished(generation)
    return generation is not None


def _refuse_unfinished(generation: int | None) -> None:
    if generation == UNFINISHED:
        message = (
            "a ledger was being copied to this place and is not whole: run the same "
            "`dokstamp-ledger copy` or `restore` once more"
        )
        raise MigrationNeededError(message)


def read_row(connection: Connection) -> Row[Any]:
    """Return the ledger's own row; raises a `SchemaError` where program and database do not fit."""
    if not is_current(connection, "main"):
        message = "the database is not at this program's version: run `dokstamp-ledger init`"
        raise MigrationNeededError(message)
    row = connection.execute(select(ledgers)).one_or_none()
    if row is None:
        message = "the ledger was not made to its end: run `dokstamp-ledger init` once more"
        raise MigrationNeededError(message)
    _refuse_unfinished(row.generation)
    return row


def read_generation(connection: Connection, ledger: int) -> int:
    """Return which folding of the log is live: another process may have made a new one so."""
    return int(connection.execute(_GENERATION, {"in_ledger": ledger}).scalar_one())


def require_same_vault(fingerprint: bytes, vault: Vault) -> None:
    """Refuse a vault that is not the one this ledger was made with."""
    if fingerprint != vault.fingerprint:
        message = (
            "the vault belongs to another ledger: restore the vault and the ledger from the same "
            "backup, and check the setting LEDGER_DATABASE"
        )
        raise MasterKeyError(message)


@dataclass(frozen=True, slots=True)
class Home:
    """What is open once a ledger was found to be whole."""

    main: Database
    vault: Vault
    row: Row[Any]


async def open_home(
    address: Address, *, clock: Clock, entropy: Entropy, makes: bool = False
) -> Home:
    """Return a ledger's parts, open, made or migrated first where that is asked for.

    Raises `MigrationNeededError` where `init` must run first.
    """
    main, vault = address.main(), address.vault()
    try:
        if makes:
            await _make(address, main, vault=vault, clock=clock, entropy=entropy)
        await _refuse_cut_short(address, main)
        if not await main.is_there():
            message = f"there is no ledger at {address.place}: run `dokstamp-ledger init` first"
            raise MigrationNeededError(message)
        row = await main.read(read_row)
        await refuse_lost_vault(address, vault)
        await require_current_vault(vault)
        cabinet = address.cabinet(entropy)
        opened = await Vault.unlocked(
            vault, ledger=row.ledger, cabinet=cabinet, clock=clock, entropy=entropy
        )
        require_same_vault(row.key_fingerprint, opened)
    except BaseException:
        await close_all(main, vault)
        raise
    return Home(main, opened, row)
