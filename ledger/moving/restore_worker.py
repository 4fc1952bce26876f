"""Puts a backup in a ledger's place, once it was found to be what its manifest says.

The backup itself is only ever read. Its files are copied beside the place, opened there and
verified; what stood in the place before is kept under a dated name.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from ledger.audit.verification import Head
from ledger.audit.verify_store import verify
from ledger.clock import Clock, Entropy
from ledger.database import Server
from ledger.database.file_lock import FileLock
from ledger.errors import IntegrityError, LedgerBelongsElsewhereError, StorageError
from ledger.home import Address, initialise
from ledger.ledger import Ledger
from ledger.moving import folder_store, server_store
from ledger.moving.copy_worker import copy_quietly
from ledger.moving.manifest import FILES, MAIN, MANIFEST_BYTES_MAX, NAME, VAULT, Manifest
from ledger.moving.place_worker import mark
from ledger.moving.row_store import Row, read_ledger
from ledger.reference import Json
from ledger.schema.migrate import upgrade
from ledger.vault.generation_store import generation_file

STAMP: Final = "%Y%m%dt%H%M%S"


@dataclass(frozen=True, slots=True)
class Restored:
    """A ledger that came out of a backup, and what was kept of the one that stood there."""

    manifest: Manifest
    kept: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the restored ledger as `restore --json` prints it."""
        return {
            "ledger": self.manifest.ledger,
            "size": self.manifest.size,
            "root": self.manifest.root,
            "taken_at": self.manifest.taken_at,
            "kept": list(self.kept),
        }


async def restore(
    folder: Path, address: Address, *, replaces: bool, clock: Clock, entropy: Entropy
) -> Restored:
    """Restore a backup to where the ledger lives, and return what is there now.

    Raises `IntegrityError` for a damaged backup and `LedgerBelongsElsewhereError` where a ledger
    is already, unless it `replaces` that one.
    """
    manifest = _read_manifest(folder)
    stamp = clock.now().strftime(STAMP)
    async with AsyncExitStack() as held:
        # Two at once would empty one another's staging folder.
        held.enter_context(_alone(address))
        goes_on = address.staging.exists()
        with folder_store.telling_of("the restored ledger"):
            staged = await held.enter_async_context(_staged(folder, manifest, address))
            await _verify(staged, manifest, clock=clock, entropy=entropy)
            if isinstance(address.place, Server):
                kept = await _to_server(
                    staged, address, address.place, replaces=replaces, clock=clock, entropy=entropy
                )
            else:
                kept = await _to_files(
                    staged, address, replaces=replaces, goes_on=goes_on, stamp=stamp
                )
    return Restored(manifest, tuple(kept))


@contextmanager
def _alone(address: Address) -> Iterator[None]:
    beside = address.key_file if isinstance(address.place, Server) else address.place
    lock = FileLock(beside, "restore")
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _read_manifest(folder: Path) -> Manifest:
    try:
        with (folder / NAME).open("rb") as file:
            return Manifest.decode(file.read(MANIFEST_BYTES_MAX))
    except FileNotFoundError:
        message = f"there is no whole backup in {folder}: name the folder that `backup` made"
        raise StorageError(message) from None
    except OSError as error:
        message = f"the backup in {folder} cannot be read ({error.strerror}): mend that first"
        raise StorageError(message) from error


@asynccontextmanager
async def _staged(folder: Path, manifest: Manifest, address: Address) -> AsyncIterator[Address]:
    """Give the backup's files, copied and found to be whole, where they can be worked on."""
    staging = address.staging
    stood = staging.exists() or _has_file(address)
    folder_store.make_empty(staging)
    try:
        for name in FILES:
            try:
                digest = folder_store.copy_file(folder / name, staging / name)
            except FileNotFoundError:
                digest = ""
            if digest != manifest.files[name]:
                message = f"{folder / name} is not the file that was backed up: take another backup"
                raise IntegrityError(message)
        yield replace(address, place=staging / MAIN)
    finally:
        # What was cleared and not filled stays closed to everybody but the next restore.
        if not (stood and _is_cleared(address)):
            folder_store.remove_folder(staging)


def _has_file(address: Address) -> bool:
    return isinstance(address.place, Path) and address.place.exists()


def _is_cleared(address: Address) -> bool:
    if not isinstance(address.place, Path):
        return False
    return not address.place.exists() and folder_store.has_kept(address.place)


async def _verify(staged: Address, manifest: Manifest, *, clock: Clock, entropy: Entropy) -> None:
    # A backup of an earlier version is brought to this one before it is looked at.
    await initialise(staged, clock=clock, entropy=entropy)
    async with await Ledger.open(staged, clock=clock, entropy=entropy) as ledger:
        stated = Head(manifest.size, bytes.fromhex(manifest.root))
        found = await verify(ledger, published=[stated])
        if ledger.ledger_id != manifest.ledger or found.first_bad_position is not None:
            message = (
                "the backup's log is not whole: take another backup"
                if found.what is None
                else f"the backup's log is broken at position {found.first_bad_position} "
                f"({found.what}): take another backup"
            )
            raise IntegrityError(message, position=found.first_bad_position)
        # What opening wrote has to be in the files themselves before they are moved.
        await ledger.database.scrub()
        await ledger.vault.database.scrub()


async def _to_files(
    staged: Address, address: Address, *, replaces: bool, goes_on: bool, stamp: str
) -> list[str]:
    assert isinstance(address.place, Path), "servers are copied to"
    assert isinstance(address.vault_place, Path), "a ledger in a file has its vault in one"
    # What a restore that was cut short left is no ledger, and nothing to be asked about.
    held_already = (address.place,) if goes_on else (address.place, address.vault_place)
    there = [each for each in held_already if each.exists()]
    if there and not replaces:
        message = f"{there[0]} is there already: add --replace to keep it aside and restore"
        raise LedgerBelongsElsewhereError(message)
    async with AsyncExitStack() as held:
        main = address.main()
        held.push_async_callback(main.close)
        await held.enter_async_context(main.undisturbed())
        databases = (address.place, address.vault_place)
        stamp = (folder_store.cut_short(databases) if goes_on else None) or stamp
        kept = folder_store.keep_aside(databases, stamp=stamp)
        # The vault first: a crash in between leaves no ledger, and never one without its vault.
        for name, place in ((VAULT, address.vault_place), (MAIN, address.place)):
            folder_store.move_in(Path(str(staged.place)).with_name(name), place)
    return [str(each) for each in kept]


async def _to_server(
    staged: Address,
    address: Address,
    server: Server,
    *,
    replaces: bool,
    clock: Clock,
    entropy: Entropy,
) -> list[str]:
    stamp = clock.now().strftime(STAMP)
    async with await Ledger.open(staged, clock=clock, entropy=entropy) as ledger:
        row = await ledger.read(read_ledger)
        assert row is not None, "an open ledger has its row"
        clearing = _Clearing(server, row, stamp)
        kept = await _keep_server_aside(address, clearing, replaces=replaces)
        await copy_quietly(ledger, staged, address, clock=clock, entropy=entropy)
    return kept


@dataclass(frozen=True, slots=True)
class _Clearing:
    """Keeps aside what a place on a server holds, and marks the place for what is to come."""

    server: Server
    row: Row
    stamp: str

    def __call__(self, connection: Connection) -> list[str]:
        kept = server_store.keep_aside(connection, self.server, stamp=self.stamp)
        # In one transaction: no other host may ever take the place for an empty one.
        upgrade(connection, "main")
        mark(connection, self.row)
        return kept

    def is_done(self, connection: Connection) -> bool:
        """Tell whether the copying was begun: the vault is made after all was kept aside."""
        is_marked = server_store.state_of(connection) is server_store.PlaceState.UNFINISHED
        return is_marked and server_store.is_there(connection, self.server.vault)


async def _keep_server_aside(address: Address, clearing: _Clearing, *, replaces: bool) -> list[str]:
    """Give schemas that hold a ledger other names, and the file that opens them too."""
    async with AsyncExitStack() as held:
        database = address.main()
        held.push_async_callback(database.close)
        await held.enter_async_context(database.undisturbed())
        if await database.run(clearing.is_done):
            return []
        kept = []
        if await database.run(server_store.state_of) is server_store.PlaceState.TAKEN:
            if not replaces:
                message = (
                    f"{clearing.server} holds a ledger: add --replace to keep it aside and restore"
                )
                raise LedgerBelongsElsewhereError(message)
            kept = await database.run(clearing)
    generations = generation_file(address.key_file)
    if generations.exists():
        # It opens the ledger that is kept, or one that is gone, and never the one to come.
        aside = generations.with_name(f"{generations.name}.{clearing.stamp}")
        generations.rename(aside)
        kept.append(str(aside))
    return kept
