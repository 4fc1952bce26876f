"""Takes a backup of an open ledger while hosts go on working on it.

The main database is read first and the vault after it: every key that an event needs was durable
before the event. A file is written as SQLite itself writes a database anew, so that nothing that
was deleted comes along. On a server the ledger is copied into files out of one snapshot.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ledger.clock import Clock, Entropy
from ledger.database import Server, translated
from ledger.home import Address
from ledger.ledger import Ledger
from ledger.log.envelope import format_time
from ledger.log.merkle import CompactRange
from ledger.moving import folder_store
from ledger.moving.copy_worker import copy_quietly
from ledger.moving.manifest import FILES, MAIN, NAME, VAULT, Manifest
from ledger.reference import Json
from ledger.shield import to_the_end

Sign = Callable[[CompactRange], str]
"""Returns the signed note of a tree head."""
UNFINISHED: Final = ".unfinished"
BUSY_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that is whole and durable."""

    folder: Path
    manifest: Manifest

    def to_json(self) -> dict[str, Json]:
        """Return the backup as `backup --json` prints it."""
        return {
            "ledger": self.manifest.ledger,
            "size": self.manifest.size,
            "root": self.manifest.root,
            "files": [*sorted(self.manifest.files), NAME],
            "folder": str(self.folder),
            "taken_at": self.manifest.taken_at,
            "key_file_included": False,
        }


async def backup(
    ledger: Ledger,
    address: Address,
    folder: Path,
    *,
    clock: Clock,
    entropy: Entropy,
    sign: Sign,
) -> BackedUp:
    """Write a backup to a folder that is not there yet, or is empty, and return what is in it.

    The key file is not part of it. Raises `LedgerBelongsElsewhereError` for a folder that holds
    anything, and `StorageError` where the disk refuses; nothing half is left under that name.
    """
    folder = folder_store.free_name(folder)
    making = folder.with_name(f"{folder.name}{UNFINISHED}")
    async with ledger.database.alone("backup"):
        with folder_store.telling_of(f"the backup {folder}"):
            folder_store.make_empty(making)
            try:
                await _write_databases(ledger, address, making, clock=clock, entropy=entropy)
                manifest = _finish(ledger, making, taken_at=format_time(clock.now()), sign=sign)
                folder_store.put_in_place(making, folder)
            finally:
                folder_store.remove_folder(making)
    return BackedUp(folder, manifest)


async def _write_databases(
    ledger: Ledger, address: Address, folder: Path, *, clock: Clock, entropy: Entropy
) -> None:
    if isinstance(address.place, Server) or isinstance(address.vault_place, Server):
        files = replace(address, place=folder / MAIN, durability="normal")
        await copy_quietly(ledger, address, files, clock=clock, entropy=entropy)
        for name in FILES:
            folder_store.remove_locks(folder / name)
            (folder / name).chmod(folder_store.OWNER_ONLY)
        return
    await _write_anew(address.place, folder / MAIN)
    await _write_anew(address.vault_place, folder / VAULT)


async def _write_anew(path: Path, to: Path) -> None:
    """Write a database's content, as it stands at one moment, into a file of its own."""
    folder_store.make_file(to)
    source = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(source):
        writing = asyncio.ensure_future(asyncio.to_thread(_vacuum, source, to))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            source.interrupt()
            await to_the_end(_over(writing))
            raise


def _vacuum(source: sqlite3.Connection, to: Path) -> None:
    try:
        source.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        source.execute("VACUUM INTO ?", (str(to),))
    except sqlite3.Error as error:
        raise translated(error) from error


async def _over(writing: asyncio.Future[None]) -> None:
    await asyncio.wait([writing])
    writing.exception()


def _finish(ledger: Ledger, folder: Path, *, taken_at: str, sign: Sign) -> Manifest:
    head = _head_in(folder / MAIN)
    for name in FILES:
        folder_store.sync(folder / name)
    manifest = Manifest(
        ledger=ledger.ledger_id,
        size=head.size,
        root=head.root().hex(),
        taken_at=taken_at,
        checkpoint=sign(head),
        files={name: folder_store.sha256_of(folder / name) for name in FILES},
    )
    folder_store.write_file(folder / NAME, manifest.encode())
    return manifest


def _head_in(path: Path) -> CompactRange:
    # Nobody writes there, and nothing may appear beside it.
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        row = connection.execute("SELECT compact_range FROM heads").fetchone()
    return CompactRange.from_bytes(row[0])
