"""What a soak measured, and which of its bounds hold."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from tests.sync.system.soak.lag import percentile

RSS_GROWTH_MAX: Final = 0.05
WAL_BYTES_MAX: Final = 64 * 2**20
LAG_MILLISECONDS_MAX: Final = 50
THREADS_MORE_MAX: Final = 1
DESCRIPTORS_MORE_MAX: Final = 4
SOCKETS_MORE_MAX: Final = 8
"""One conversation more or less at a time is no growth."""
LIVES_FEW: Final = 3
"""With more lives than these, the first one is left out."""
AGE_MIN: Final = 30.0
"""Processes are compared once they are this many seconds old."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process held at one moment."""

    at: float
    life: int
    age: float
    rss: int
    threads: int
    descriptors: int
    sockets: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Bound:
    """One thing that has to hold, and whether it does."""

    name: str
    found: str
    wanted: str
    holds: bool


@dataclass(slots=True)
class Figures:
    """Everything that a soak measured."""

    samples: list[Sample] = field(default_factory=list)
    lag: Counter[int] = field(default_factory=Counter)
    busy: Counter[int] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    wal_bytes: int = 0
    backlogs: list[tuple[float, int, int]] = field(default_factory=list)
    """Seconds, operations open, events not planned."""
    slowest_record: float = 0.0
    refused: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def take(self, at: float, report: dict[str, Any], *, life: int) -> None:
        """Take what a process told."""
        self.samples.append(Sample(at, life, *(report[name] for name in _HELD)))
        self.lag.update({int(late): count for late, count in report["lag"].items()})
        self.busy.update({int(spent): count for spent, count in report["busy"].items()})
        self.slowest_record = max(self.slowest_record, report["slowest_record"])
        self.refused += report["refused"]
        self.deaths.update(f"{name} {error}" for name, error in report["deaths"].items())
        if "operations" in report:
            states: dict[str, int] = report["operations"]
            still = sum(states.get(name, 0) for name in _OPEN)
            self.backlogs.append((at, still, report["projection"]["lag"]))

    def bounds(self, *, has_wal: bool) -> list[Bound]:
        """Return everything that has to hold."""
        lag = percentile(self.lag, 0.99)
        found = [
            self._growth(),
            self._more("threads", "threads", THREADS_MORE_MAX),
            self._more("files", "descriptors", DESCRIPTORS_MORE_MAX),
            self._more("sockets", "sockets", SOCKETS_MORE_MAX),
            _at_most("event-loop lag p99, ms", lag, LAG_MILLISECONDS_MAX),
            _at_most("refused events", self.refused, 0),
            _at_most("what is lost, doubled or wrong", len(self.faults), 0),
        ]
        if has_wal:
            found.append(_at_most("WAL, MiB", self.wal_bytes / 2**20, WAL_BYTES_MAX / 2**20))
        return found

    def _growth(self) -> Bound:
        first, last = (_median(third, "rss") for third in self._thirds())
        growth = last / first - 1 if first else 0.0
        found = f"{growth:+.1%} ({first / 2**20:.1f} to {last / 2**20:.1f} MiB)"
        return Bound("memory growth", found, f"< {RSS_GROWTH_MAX:.0%}", growth < RSS_GROWTH_MAX)

    def _more(self, title: str, name: str, more_max: int) -> Bound:
        # How many are open at a moment changes with what is under way; the most must not.
        first, last = (
            max((getattr(each, name) for each in third), default=0) for third in self._thirds()
        )
        found = f"{last - first:+} ({first} to {last})"
        return Bound(f"{title}, the most", found, f"<= +{more_max}", last - first <= more_max)

    def _thirds(self) -> tuple[list[Sample], list[Sample]]:
        """Return the first and the last third, of processes past their warm-up."""
        warm = [each for each in self.samples if each.age >= AGE_MIN]
        if warm and warm[-1].life > LIVES_FEW:
            # Only the first makes the ledger, and has the tool for that in its memory.
            warm = [each for each in warm if each.life > 1]
        if not warm:
            return [], []
        begin, end = warm[0].at, warm[-1].at
        third = (end - begin) / 3
        return (
            [each for each in warm if each.at <= begin + third],
            [each for each in warm if each.at >= end - third],
        )


def _median(samples: Sequence[Sample], name: str) -> float:
    return float(median(getattr(each, name) for each in samples)) if samples else 0.0


def _at_most(name: str, found: float, most: float) -> Bound:
    return Bound(name, f"{found:.4g}", f"<= {most:.4g}", found <= most)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return rows as lines with columns."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


_HELD: Final = ("age", "rss", "threads", "descriptors", "sockets", "tasks")
_OPEN: Final = ("blocked", "ready", "leased", "uncertain")
