"""Small files that only their owner may read, and that a power cut leaves whole: old or new."""

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from ledger.errors import MasterKeyError, StorageError

FILE_BYTES_MAX: Final = 4096
OWNER_ONLY: Final = 0o600
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def beside(key_file: Path, word: str) -> Path:
    """Return the companion of a key file that this word names."""
    return key_file.with_name(f"{key_file.name}.{word}")


def read_private(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """Return a file's first bytes; raises `FileNotFoundError`, or tells what is wrong with it."""
    try:
        with path.open("rb") as file:
            refuse_open_to_others(path, os.fstat(file.fileno()))
            return file.read(bytes_max)
    except FileNotFoundError:
        raise
    except PermissionError:
        message = f"{path} may not be read by this user; run as its owner"
        raise MasterKeyError(message) from None
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); check the disk and try again"
        raise StorageError(message) from error


def refuse_open_to_others(path: Path, status: os.stat_result) -> None:
    """Refuse a file that anybody but its owner may touch."""
    if not stat.S_ISREG(status.st_mode):
        message = f"{path} is not a regular file; name the key file in LEDGER_KEY_FILE"
        raise MasterKeyError(message)
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        message = f"{path} is open to other users (mode {mode:04o}); run `chmod 600` on it"
        raise MasterKeyError(message)


def write_new(path: Path, content: bytes) -> None:
    """Make a file; raises `FileExistsError` and changes nothing where there is one."""
    # Not by an exclusive open: a crash would leave a file that is there and not whole.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(path):
            raise FileExistsError(path)
        write_over(path, content)
    finally:
        os.close(folder)


def write_over(path: Path, content: bytes) -> None:
    """Put new content in a file's place in one step; only one process may do so at a time."""
    # Always the same name: what a crash leaves of it is gone with the next writing.
    fresh = beside(path, "new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        _write_through(descriptor, content)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    move(fresh, path)


def move(path: Path, to: Path) -> None:
    """Give a file the name and place of another in one step, durably."""
    path.replace(to)
    sync_folder(to.parent)


def remove(path: Path) -> None:
    """Remove a file durably, if there is one."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file can be on disk and yet have no entry."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def not_written(path: Path, error: OSError) -> StorageError:
    """Return the error for a file that the disk refused."""
    return StorageError(
        f"the key file {path} could not be written ({error.strerror}): {way_out(path, error)}, or "
        "name another place in LEDGER_KEY_FILE; nothing is lost"
    )


def way_out(path: Path, error: OSError) -> str:
    """Return what a person has to do before a file beside the key file can be written."""
    if error.errno in _FORBIDDEN:
        return f"let this user write to {path} and to its folder {path.absolute().parent}"
    return "free or mend the disk"


def _write_through(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
