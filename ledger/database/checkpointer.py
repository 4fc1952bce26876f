"""Which process moves pages from the write-ahead log into the file: the first one, for all."""

import fcntl
import sqlite3
from pathlib import Path
from typing import Final, TextIO

Version = tuple[int, ...]
_MENDED_FROM: Final[tuple[tuple[Version, Version], ...]] = (
    ((3, 44, 6), (3, 45)),
    ((3, 50, 7), (3, 51)),
    ((3, 51, 3), (4,)),
)
"""Versions in which two processes may checkpoint: from the first up to the second."""


def has_reset_bug(version: Version = sqlite3.sqlite_version_info) -> bool:
    """Tell whether two processes that checkpoint may lose pages in this version of SQLite."""
    return not any(first <= version < after for first, after in _MENDED_FROM)


class Checkpointer:
    """The right to checkpoint one file, which the system frees when its holder dies."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-checkpointer")
        self._file: TextIO | None = None

    def is_ours(self) -> bool:
        """Tell whether this process may checkpoint; takes the right if nobody has it."""
        try:
            if self._file is None:
                self._file = self._path.open("a")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave the right to others; twice is safe."""
        if self._file is not None:
            self._file.close()
            self._file = None
