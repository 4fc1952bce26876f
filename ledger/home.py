"""Where a ledger lives: its files, its key, its row, and the tenant it belongs to for ever."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy, to_microseconds
from ledger.database import Database, Durability, PostgresqlDatabase, Server, SqliteDatabase
from ledger.errors import (
    LedgerBelongsElsewhereError,
    MasterKeyError,
    MigrationNeededError,
)
from ledger.log.merkle import CompactRange
from ledger.reference import LedgerId
from ledger.schema.migrate import is_current, keep_others_out, upgrade, version
from ledger.schema.tables import epochs, heads, ledgers
from ledger.shield import to_the_end
from ledger.vault.key_file_store import make_key_file, read_key_file
from ledger.vault.sealed import KEY_BYTES, MasterKey

LEDGER_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ledger lives and how it is kept."""

    place: Path | Server
    """Its file, or its schema on a PostgreSQL server."""
    key_file: Path
    durability: Durability = "full"

    @property
    def vault_place(self) -> Path | Server:
        """The vault's own file, beside the ledger's, or its own schema."""
        if isinstance(self.place, Server):
            return self.place.vault
        return self.place.with_name(f"{self.place.stem}.vault{self.place.suffix}")

    def main(self) -> Database:
        """Return the ledger's database; who asked for it closes it."""
        return _database(self.place, self.durability)

    def vault(self) -> Database:
        """Return the vault's database; who asked for it closes it."""
        return _database(self.vault_place, self.durability)


def _database(place: Path | Server, durability: Durability) -> Database:
    if isinstance(place, Server):
        return PostgresqlDatabase(place, durability=durability)
    return SqliteDatabase(place, durability=durability)


async def initialise(
    address: Address, *, clock: Clock | None = None, entropy: Entropy | None = None
) -> bool:
    """Make or migrate a ledger's databases and its key file; returns whether it is new.

    Hosts that do so at the same time wait for one another.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    main, vault = address.main(), address.vault()
    try:
        is_there = await main.is_there()
        if not address.key_file.exists():
            if is_there and await main.read(_has_row):
                _refuse_lost_key(address)
            make_key_file(address.key_file, entropy.bytes(KEY_BYTES))
        master = read_key_file(address.key_file)
        if is_there:
            await refuse_lost_vault(address, vault)
        await vault.run(lambda connection: upgrade(connection, "vault"))
        await main.run(lambda connection: upgrade(connection, "main"))
        ledger_id = LedgerId(entropy.bytes(LEDGER_ID_BYTES).hex())
        created_at = to_microseconds(clock.now())
        return await main.run(
            lambda connection: _create(connection, ledger_id, created_at, master.fingerprint)
        )
    finally:
        await close_all(main, vault)


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
    made = connection.execute(
        ledgers.insert().returning(ledgers.c.ledger),
        {
            "ledger_id": ledger_id,
            "created_at": created_at,
            "generation": 0,
            "key_fingerprint": fingerprint,
        },
    ).scalar_one()
    empty = CompactRange()
    connection.execute(
        heads.insert(), {"ledger": made, "size": 0, "compact_range": empty.to_bytes()}
    )
    connection.execute(epochs.insert(), {"ledger": made, "epoch": 0})
    return True


def _has_row(connection: Connection) -> bool:
    is_made = version(connection, "main") is not None
    return is_made and connection.execute(select(ledgers.c.ledger)).first() is not None


def read_row(connection: Connection) -> Row[Any]:
    """Return the ledger's own row; raises a `SchemaError` where program and database do not fit."""
    if not is_current(connection, "main"):
        message = "the database is not at this program's version: run `dokstamp-ledger init`"
        raise MigrationNeededError(message)
    row = connection.execute(select(ledgers)).one_or_none()
    if row is None:
        message = "the ledger was not made to its end: run `dokstamp-ledger init` once more"
        raise MigrationNeededError(message)
    return row


def read_generation(connection: Connection, ledger: int) -> int:
    """Return which folding of the log is live: another process may have made a new one so."""
    statement = select(ledgers.c.generation).where(ledgers.c.ledger == ledger)
    return int(connection.execute(statement).scalar_one())


def require_same_key(fingerprint: bytes, master: MasterKey, *, key_file: Path) -> None:
    """Refuse a key file that is not the one this ledger was made with."""
    if fingerprint != master.fingerprint:
        message = (
            f"the key file {key_file} is not the one this ledger was made with: "
            "point the setting LEDGER_KEY_FILE to the right one"
        )
        raise MasterKeyError(message)


def claim_home(connection: Connection, ledger: int, *, base_url: str, tenant: str) -> None:
    """Tie a ledger to its first tenant and address; refuses any other."""
    if not require_home(connection, ledger, base_url=base_url, tenant=tenant):
        mine = ledgers.c.ledger == ledger
        connection.execute(ledgers.update().where(mine).values(base_url=base_url, tenant=tenant))


def require_home(connection: Connection, ledger: int, *, base_url: str, tenant: str) -> bool:
    """Refuse any tenant and address but the ledger's; returns whether it has any yet."""
    mine = ledgers.c.ledger == ledger
    row = connection.execute(select(ledgers.c.base_url, ledgers.c.tenant).where(mine)).one()
    if row.tenant is not None and (row.base_url, row.tenant) != (base_url, tenant):
        message = (
            f"this ledger belongs to tenant {row.tenant} at {row.base_url}: "
            "set TENANT and BASE_URL back, or use another LEDGER_DATABASE"
        )
        raise LedgerBelongsElsewhereError(message)
    return row.tenant is not None
