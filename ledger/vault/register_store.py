"""The register of erased persons: kept beside the key file and in no database.

A backup of the databases may be older than an erasure. Whoever opens it finds here whom to erase
again. One JSON line per erasure; the file only ever grows.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Self

from ledger.errors import IntegrityError, StorageError
from ledger.reference import LedgerId
from ledger.vault.private_file_store import (
    OWNER_ONLY,
    beside,
    read_private,
    refuse_open_to_others,
    sync_folder,
    way_out,
)

REGISTER_BYTES_MAX: Final = 64 * 1024 * 1024
"""Room for some 250,000 erasures; whatever is longer is refused, and never cut off."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure: whose, in which ledger, by which event, recorded when."""

    ledger: str
    person: str
    position: int
    recorded_at: str
    root: str = ""
    """Of the tree that ends with the event; empty in the lines of earlier versions."""


class Register:
    """Whom the ledgers beside one key file have erased."""

    def __init__(self, path: Path, *, bytes_max: int = REGISTER_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max

    @classmethod
    def beside(cls, key_file: Path) -> Self:
        """Return the register that belongs to a key file."""
        return cls(beside(key_file, "erased"))

    @property
    def path(self) -> Path:
        """Where the register is kept; back it up together with the key file."""
        return self._path

    def names(self, ledger_id: LedgerId) -> frozenset[str]:
        """Return everybody whom this ledger has erased."""
        return frozenset(each.person for each in self.entries(ledger_id))

    def entries(self, ledger_id: LedgerId) -> list[Erased]:
        """Return this ledger's erasures in the order in which they were noted."""
        try:
            content = read_private(self._path, bytes_max=self._bytes_max + 1)
        except FileNotFoundError:
            return []
        self._refuse_too_long(len(content))
        return [each for each in self._parsed(content) if each.ledger == ledger_id]

    def add(
        self,
        ledger_id: LedgerId,
        person: str,
        *,
        position: int,
        recorded_at: datetime,
        root: str = "",
    ) -> None:
        """Note an erasure, durable when this returns; a person is noted once."""
        entry = Erased(ledger_id, person, position, recorded_at.isoformat(), root)
        try:
            with self._opened() as file:
                refuse_open_to_others(self._path, os.fstat(file.fileno()))
                fcntl.flock(file, fcntl.LOCK_EX)
                self._append(file, entry)
            sync_folder(self._path.parent)
        except OSError as error:
            message = (
                f"the register of erased persons {self._path} could not be written "
                f"({error.strerror}): {way_out(self._path, error)}"
            )
            raise StorageError(message) from error

    def _opened(self) -> BinaryIO:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        return os.fdopen(os.open(self._path, flags, OWNER_ONLY), "r+b")

    def _append(self, file: BinaryIO, entry: Erased) -> None:
        content = file.read(self._bytes_max + 1)
        self._refuse_too_long(len(content))
        known = {(each.ledger, each.person) for each in self._parsed(content)}
        if (entry.ledger, entry.person) not in known:
            line = json.dumps(asdict(entry), sort_keys=True).encode() + b"\n"
            self._refuse_too_long(len(content) + len(line))
            # What follows the last whole line was cut off by a crash before it counted.
            file.seek(content.rfind(b"\n") + 1)
            file.truncate()
            file.write(line)
            file.flush()
        os.fsync(file.fileno())

    def _refuse_too_long(self, size: int) -> None:
        if size > self._bytes_max:
            message = (
                f"the register of erased persons {self._path} would be longer than the "
                f"{self._bytes_max} bytes that this program reads: lines of ledgers that are gone "
                "may be removed from it, or a newer program is needed; nothing is lost"
            )
            raise StorageError(message)

    def _parsed(self, content: bytes) -> Iterator[Erased]:
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                yield Erased(**json.loads(line))
            except (ValueError, TypeError):
                message = (
                    f"the register of erased persons {self._path} is damaged at line {number}: "
                    "restore it from its backup, so that nobody erased comes back"
                )
                raise IntegrityError(message) from None
