"""A lock beside a database file, which the system frees when the process that holds it dies."""

import fcntl
from pathlib import Path
from typing import Final, TextIO

from ledger.errors import LedgerBusyError, StorageError

WHO_ELSE: Final = {
    "sync": "another `sync` or `run` works on this ledger: stop it, or try again later",
    "rebuild": "another `rebuild` folds this ledger: try again once it is done",
}


def busy_with(task: str) -> LedgerBusyError:
    """Return the error that says who is at a task already."""
    return LedgerBusyError(WHO_ELSE.get(task, f"another {task} is under way: try again later"))


class FileLock:
    """An exclusive lock beside a ledger's file, for one task at a time."""

    def __init__(self, database: Path, task: str) -> None:
        self._task = task
        self._path = database.with_name(f"{database.name}-{task}.lock")
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
            raise busy_with(self._task) from error
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
