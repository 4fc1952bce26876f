"""The generation file: the keys that wrap all others, kept where no database can keep a copy.

```
dokstamp-ledger generation keys 1
<the vault's name in hex>
<the keys, sealed under the master key, in base64>
```

It holds one generation, and while one takes another's place both. Which of them counts is said by
the vault, in the transaction that re-wraps. It is written only by whoever holds the vault's row of
the live wrapping, so never by two at once.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import IntegrityError, MasterKeyError
from ledger.vault.private_file_store import beside, not_written, read_private, write_over
from ledger.vault.sealed import MasterKey, decrypt, encrypt
from ledger.vault.wrapping import Wrapping, from_bytes, to_bytes

FIRST_LINE: Final = "dokstamp-ledger generation keys 1"
UNFITTING: Final = "the master key does not open the generation file: use the key it belongs to"


@dataclass(frozen=True, slots=True)
class Generations:
    """What a generation file holds, and which master key opened it."""

    wrappings: Sequence[Wrapping]
    master: MasterKey


def generation_file(key_file: Path) -> Path:
    """Return where the generation keys beside a key file are."""
    return beside(key_file, "generation")


def write_generations(path: Path, held: Generations, *, vault: bytes, nonce: bytes) -> None:
    """Put these generation keys in the file's place; durable when it returns."""
    sealed = encrypt(
        held.master.generations,
        nonce=nonce,
        plaintext=to_bytes(held.wrappings),
        context=vault,
    )
    lines = (FIRST_LINE, vault.hex(), base64.b64encode(sealed).decode())
    try:
        write_over(path, "".join(f"{line}\n" for line in lines).encode("ascii"))
    except OSError as error:
        raise not_written(path, error) from error


def read_generations(
    path: Path, masters: Sequence[MasterKey], *, vault: bytes, wrong: str = UNFITTING
) -> Generations:
    """Return what the file holds, opened by the one of these master keys that fits.

    Where none does, the error says `wrong`: only the caller knows where the master key came from.
    """
    try:
        lines = [line.decode("ascii", "replace") for line in read_private(path).splitlines()]
    except FileNotFoundError:
        message = (
            f"no generation file at {path}: copy it from the host that serves this ledger, or "
            "restore it with the key file; without it the vault cannot be opened"
        )
        raise MasterKeyError(message) from None
    sealed = _sealed(path, lines)
    if lines[1] != vault.hex():
        message = (
            f"the generation file {path} belongs to another ledger: give each ledger a key file "
            "of its own in LEDGER_KEY_FILE, and copy this ledger's generation file beside it"
        )
        raise MasterKeyError(message)
    for master in masters:
        try:
            content = decrypt(master.generations, sealed, context=vault)
        except IntegrityError:
            continue
        return Generations(from_bytes(content), master)
    raise MasterKeyError(wrong)


def _sealed(path: Path, lines: Sequence[str]) -> bytes:
    if len(lines) == 3 and lines[0] == FIRST_LINE:
        try:
            return base64.b64decode(lines[2], validate=True)
        except ValueError:
            pass  # The message below says the same for every way of being malformed.
    message = f"{path} is not a whole generation file: restore it from its backup"
    raise MasterKeyError(message)
