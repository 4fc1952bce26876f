"""The key file: the one secret that no database holds.

```
dokstamp-ledger master key 1
<the key in base64>
```

It is made once, readable by its owner only, and only a rotation puts another in its place: whoever
loses it loses every sealed payload, so it belongs in a backup of its own, apart from the databases.
"""

import base64
from pathlib import Path
from typing import Final

from ledger.errors import MasterKeyError
from ledger.vault.private_file_store import not_written, read_private, write_new, write_over
from ledger.vault.sealed import MasterKey

KEY_FILE: Final = "dokstamp-ledger.key"
"""Its name, beside the ledger, where nobody chooses one."""
FIRST_LINE: Final = "dokstamp-ledger master key 1"


def make_key_file(path: Path, secret: bytes) -> MasterKey:
    """Return the master key of a new key file that survives a power cut.

    A file that is there already, whatever it holds, is refused and left alone.
    """
    master = MasterKey(secret)
    try:
        write_new(path, _content(master))
    except FileExistsError:
        message = f"{path} exists already and is never written over; use it or name another"
        raise MasterKeyError(message) from None
    except OSError as error:
        raise not_written(path, error) from error
    return master


def write_key_file(path: Path, master: MasterKey) -> None:
    """Put a master key in a file's place, whatever was there; durable when it returns."""
    try:
        write_over(path, _content(master))
    except OSError as error:
        raise not_written(path, error) from error


def is_default(path: Path) -> bool:
    """Tell whether a key file is there that nobody chose by name."""
    return path.name == KEY_FILE and path.exists()


def refuse_key_of_another(path: Path, *, place: object) -> None:
    """Refuse a new ledger the key file of one beside it, which a rotation there would change.

    A vault is made before its key file: where only the file is there, another ledger made it.
    """
    own = place.absolute() if isinstance(place, Path) else None
    for vault in sorted(path.absolute().parent.glob("*.vault*")):
        ledger = vault.with_name(vault.name.replace(".vault", "", 1))
        is_lock_or_log = "-" in vault.suffix
        if ledger not in (own, vault) and ledger.is_file() and not is_lock_or_log:
            message = (
                f"the key file {path} is that of the ledger {ledger}: name another one for the "
                "new ledger in the setting LEDGER_KEY_FILE, or make it in a folder of its own"
            )
            raise MasterKeyError(message)


def read_key_file(path: Path) -> MasterKey:
    """Return the master key of a key file that its owner alone can read."""
    try:
        return _parsed(path, read_private(path))
    except FileNotFoundError:
        message = (
            f"no key file at {path}: restore it from its backup, or name it in the setting "
            "LEDGER_KEY_FILE; `init` makes one for a new ledger"
        )
        raise MasterKeyError(message) from None


def _content(master: MasterKey) -> bytes:
    return f"{FIRST_LINE}\n{base64.b64encode(master.secret).decode()}\n".encode("ascii")


def _parsed(path: Path, content: bytes) -> MasterKey:
    lines = content.splitlines()
    if len(lines) == 2 and lines[0] == FIRST_LINE.encode():
        try:
            return MasterKey(base64.b64decode(lines[1], validate=True))
        except (ValueError, MasterKeyError):
            pass  # The message below says the same for every way of being malformed.
    message = (
        f"{path} is not a whole key file: restore it from its backup; only if nothing was ever "
        "recorded with it, remove it and run `init` again"
    )
    raise MasterKeyError(message)
