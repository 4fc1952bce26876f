"""Files of a backup: hashed, made durable, put in their place, kept aside; theirs alone to read."""

import glob
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.errors import LedgerBelongsElsewhereError, StorageError

OWNER_ONLY: Final = 0o600
FOLDER_MODE: Final = 0o700
CHUNK_BYTES: Final = 1024 * 1024
BESIDE: Final = ("", "-wal", "-shm")
"""What a database file may have beside it that belongs to its content."""
LOCKS: Final = ("-checkpointer", "-sync.lock", "-rebuild.lock", "-backup.lock")


@contextmanager
def telling_of(what: str) -> Iterator[None]:
    """Say in one way what the disk refused."""
    try:
        yield
    except StorageError as error:
        # A database of ours says what is wrong, but not which of the two it was.
        message = f"{what} could not be written: {error}"
        raise StorageError(message) from error
    except OSError as error:
        message = (
            f"{what} could not be written ({error.strerror}): free or mend the disk, or name "
            "another place"
        )
        raise StorageError(message) from error


def make_empty(folder: Path) -> None:
    """Make a folder that only its owner may enter; what was left under this name goes."""
    if not folder.is_dir() or folder.is_symlink():
        folder.mkdir(mode=FOLDER_MODE)
        return
    # Emptied and never gone in between: that it is there may keep others from the place.
    folder.chmod(FOLDER_MODE)
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours with everything in it, if it is there."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))


def write_file(path: Path, content: bytes) -> None:
    """Write a new file of the owner's, durably."""
    make_file(path)
    path.write_bytes(content)
    sync(path)


def copy_file(path: Path, to: Path) -> str:
    """Copy a file durably and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    make_file(to)
    with path.open("rb") as source, to.open("wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
    sync(to)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_name(folder: Path) -> Path:
    """Return where a backup may be made: nothing is there yet, or an empty folder."""
    folder = folder.absolute()
    is_empty_folder = folder.is_dir() and next(folder.iterdir(), None) is None
    if folder.exists() and not is_empty_folder:
        message = f"{folder} holds something already: name a folder that is not there yet"
        raise LedgerBelongsElsewhereError(message)
    return folder


def put_in_place(folder: Path, to: Path) -> None:
    """Give a finished folder its name, durably; an empty folder of that name gives way."""
    sync(folder)
    folder.rename(to)
    sync(to.parent)


def move_in(path: Path, to: Path) -> None:
    """Give a file a place that is free, durably."""
    sync(path)
    path.rename(to)
    sync(to.parent)


def remove_locks(database: Path) -> None:
    """Remove what an opened database leaves beside its file and no content is in."""
    for ending in LOCKS:
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)


def keep_aside(databases: Iterable[Path], *, stamp: str) -> list[Path]:
    """Give database files other names, their logs with them, and return the new names."""
    moves = [_moves(database, stamp) for database in databases]
    # Looked at before anything is renamed: what is kept already is never written over.
    for aside in (aside for each in moves for _, aside in each if aside.exists()):
        message = f"{aside} is there already: move it away and try again"
        raise LedgerBelongsElsewhereError(message)
    for each in moves:
        for path, aside in each:
            path.rename(aside)
            sync(aside.parent)
    asides = {_aside(database, stamp) for database in databases}
    return [aside for each in moves for _, aside in each if aside in asides]


def _moves(database: Path, stamp: str) -> list[tuple[Path, Path]]:
    aside = _aside(database, stamp)
    both = [
        (database.with_name(f"{database.name}{ending}"), aside.with_name(f"{aside.name}{ending}"))
        for ending in BESIDE
    ]
    return [(path, to) for path, to in both if path.exists()]


def has_kept(database: Path) -> bool:
    """Tell whether a database that stood in this place is kept aside."""
    return bool(_stamps(database))


def cut_short(databases: Sequence[Path]) -> str | None:
    """Return the stamp under which files were being kept aside by somebody who died at it.

    What is left of them goes the same way: a database is nothing without its log and its vault.
    """
    first, *others = databases
    stamps = _stamps(first)
    if first.exists() or not stamps:
        return None
    has_all = all(_aside(each, stamps[-1]).exists() for each in databases)
    # The first one's log went before the others: where they went, it is of somebody else.
    logs = [each.with_name(f"{each.name}-wal") for each in others if not each.exists()]
    return None if has_all and not any(log.exists() for log in logs) else stamps[-1]


def _stamps(database: Path) -> list[str]:
    before, after = f"{database.stem}.replaced-", database.suffix
    found = database.parent.glob(f"{glob.escape(before)}*{glob.escape(after)}")
    return sorted(each.name.removeprefix(before).removesuffix(after) for each in found)


def _aside(database: Path, stamp: str) -> Path:
    return database.with_name(f"{database.stem}.replaced-{stamp}{database.suffix}")
