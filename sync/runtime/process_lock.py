"""One process per SQLite ledger dispatches: a lock that the system frees when the process dies."""

import fcntl
from pathlib import Path
from typing import TextIO

from ledger.errors import LedgerBusyError, StorageError


class ProcessLock:
    """An exclusive lock beside the ledger's database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-sync.lock")
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock; raises `LedgerBusyError` while another process has it."""
        try:
            file = self._path.open("a")
        except OSError as error:
            message = f"cannot write {self._path}: make the ledger's folder writable"
            raise StorageError(message) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            message = "another `sync` or `run` works on this ledger: stop it, or try again later"
            raise LedgerBusyError(message) from error
        except OSError as error:
            file.close()
            message = f"cannot lock {self._path}: put the ledger on a file system with locks"
            raise StorageError(message) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
