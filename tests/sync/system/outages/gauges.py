"""What a process holds and how much it logs."""

import os
from collections import Counter
from pathlib import Path
from typing import Any


class Lines:
    """Counts the lines of a log at the levels that are shown by default."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def debug(self, event: str, **_: Any) -> None:
        """Take a line that is not shown."""

    def info(self, event: str, **_: Any) -> None:
        """Take a line that is shown."""
        self.count[event] += 1

    warning = info
    error = info


def resident_mib() -> float:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
