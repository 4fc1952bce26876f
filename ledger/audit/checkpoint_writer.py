"""Where checkpoints are written: outside the database, whole or not at all, and durable.

The newest one that was published is also kept beside the key file: the *mark* that the log may
never fall below again.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Final

from ledger.errors import IntegrityError, StorageError

NOTE_BYTES_MAX: Final = 64 * 1024
_READABLE: Final = 0o644


def mark_of(key_file: Path) -> Path:
    """Return where the newest published checkpoint is kept."""
    return key_file.with_name(f"{key_file.name}.checkpoint")


def file_for(target: str | Path, *, size: int) -> Path:
    """Return the file that a checkpoint goes into: one for each size where a folder is named.

    A name with a slash at its end is a folder's; raises `StorageError` where there is none.
    """
    place = Path(target)
    if place.is_dir():
        return place / f"checkpoint.{size}"
    if str(target).endswith(os.sep):
        # Not made here: it may be a medium that is not mounted, and this disk is no other place.
        message = (
            f"there is no folder {target}: make or mount it, or name a file, without the slash "
            "at its end"
        )
        raise StorageError(message)
    return place


def write_note(path: Path, note: str) -> None:
    """Put a note in a file's place in one step, so that a reader sees the old one or the new."""
    # Two processes or threads may publish at the same time; the last one stands, whole.
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.new")
    try:
        _write_through(fresh, note.encode())
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        message = (
            f"the checkpoint {path} could not be written ({error.strerror}): free or mend the "
            "disk, or name another place in CHECKPOINTS"
        )
        raise StorageError(message) from error


def raise_note(path: Path, note: str, *, size_of: Callable[[str], int]) -> None:
    """Put a checkpoint in a file's place, unless one of as large a tree stands there already."""
    # Without the lock, the slower of two publishers would lower what the faster one raised.
    with _alone_in(path.parent):
        kept = read_note(path)
        if kept is None or size_of(kept) < size_of(note):
            write_note(path, note)


def read_note(path: Path) -> str | None:
    """Return the note in a file, or `None` where there is no file."""
    try:
        with path.open("rb") as file:
            content = file.read(NOTE_BYTES_MAX)
        return content.decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        message = f"{path} is no checkpoint: give the file as `audit checkpoint` wrote it"
        raise IntegrityError(message) from None
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); check the disk and try again"
        raise StorageError(message) from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        message = f"{folder} cannot be opened ({error.strerror}): make the key file's folder usable"
        raise StorageError(message) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _READABLE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
