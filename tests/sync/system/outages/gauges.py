"""What a process holds, how much it logs, and when it calls."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sync.telemetry.signals import CallMade, CircuitChanged, Signal

INTERVAL_SECONDS_MAX: Final = 60.0


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


@dataclass(frozen=True, slots=True)
class Made:
    """A call: when it began, and what came of it."""

    began: float
    method: str
    status: int | None

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method not in {"GET", "HEAD"}


@dataclass(slots=True)
class Calls:
    """Every call in the order in which they ended, and when calls were stopped last."""

    made: list[Made] = field(default_factory=list)
    stopped_at: dict[str, float] = field(default_factory=dict)
    """When the circuit of all calls, or of writes, was told to be open."""

    def hear(self, signal: Signal) -> None:
        """Note a call, or that calls stopped."""
        now = time.monotonic()
        if isinstance(signal, CallMade):
            self.made.append(Made(now - signal.seconds, signal.method, signal.status))
        elif isinstance(signal, CircuitChanged) and signal.state != "closed":
            self.stopped_at.setdefault(signal.calls, now)

    def forget(self) -> None:
        """Begin anew."""
        self.made.clear()
        self.stopped_at.clear()

    def since(self, moment: float) -> list[Made]:
        """Return the calls that began after a moment: what was under way then is not among them."""
        return [call for call in self.made if call.began > moment]


def probes_max(seconds: float, *, first: float) -> int:
    """Return how many probes fit into a time: after so many seconds, then twice as many, …"""
    count, interval, passed = 0, first, first
    while passed <= seconds:
        count += 1
        interval = min(interval * 2, max(first, INTERVAL_SECONDS_MAX))
        passed += interval
    return count


def shortest_gap(moments: list[float], *, first: float) -> float:
    """Return the shortest time between two probes as a part of the interval that was due."""
    parts, interval = [1.0], first
    for before, after in pairwise(moments):
        parts.append((after - before) / interval)
        interval = min(interval * 2, max(first, INTERVAL_SECONDS_MAX))
    return min(parts)


def resident_mib() -> float:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
