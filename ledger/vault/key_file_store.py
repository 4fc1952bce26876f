"""The key file: the one secret that no database holds.

```
dokstamp-ledger master key 1
<the key in base64>
```

It is made once, readable by its owner only, and never written over: whoever loses it loses
every sealed payload, so it belongs in a backup of its own, apart from the databases.
"""

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Final

from ledger.errors import MasterKeyError, StorageError
from ledger.vault.sealed import MasterKey

FIRST_LINE: Final = "dokstamp-ledger master key 1"
FILE_BYTES_MAX: Final = 4096
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_key_file(path: Path, secret: bytes) -> MasterKey:
    """Return the master key of a new key file that survives a power cut.

    A file that is there already, whatever it holds, is refused and left alone.
    """
    master = MasterKey(secret)
    content = f"{FIRST_LINE}\n{base64.b64encode(secret).decode()}\n".encode("ascii")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        message = f"{path} exists already and is never written over; use it or name another"
        raise MasterKeyError(message) from None
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        _write_through(descriptor, content, path.parent)
    except OSError as error:
        # A key that is not safely on disk has sealed nothing yet: better none than half.
        path.unlink(missing_ok=True)
        raise _not_written(path, error) from error
    return master


def read_key_file(path: Path) -> MasterKey:
    """Return the master key of a key file that its owner alone can read."""
    try:
        with path.open("rb") as file:
            _refuse_open_to_others(path, os.fstat(file.fileno()))
            content = file.read(FILE_BYTES_MAX)
    except FileNotFoundError:
        message = (
            f"no key file at {path}: restore it from its backup, or name it in the setting "
            "LEDGER_KEY_FILE; `init` makes one for a new ledger"
        )
        raise MasterKeyError(message) from None
    except PermissionError:
        message = f"{path} may not be read by this user; run as its owner"
        raise MasterKeyError(message) from None
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); check the disk and try again"
        raise StorageError(message) from error
    return _parsed(path, content)


def _write_through(descriptor: int, content: bytes, folder: Path) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    # The name is safe only when the folder is: a file can be on disk and yet have no entry.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_open_to_others(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        message = f"{path} is not a regular file; name the key file in LEDGER_KEY_FILE"
        raise MasterKeyError(message)
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        message = f"{path} is open to other users (mode {mode:04o}); run `chmod 600` on it"
        raise MasterKeyError(message)


def _parsed(path: Path, content: bytes) -> MasterKey:
    lines = content.splitlines()
    if len(lines) == 2 and lines[0] == FIRST_LINE.encode():
        try:
            return MasterKey(base64.b64decode(lines[1], validate=True))
        except (binascii.Error, MasterKeyError):
            pass  # The message below says the same for every way of being malformed.
    message = (
        f"{path} is not a whole key file: restore it from its backup; only if nothing was ever "
        "recorded with it, remove it and run `init` again"
    )
    raise MasterKeyError(message)


def _not_written(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the key file {path} could not be written ({error.strerror}); "
        "free or mend the disk, or name another place in LEDGER_KEY_FILE"
    )
