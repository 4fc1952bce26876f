"""Time and randomness, the two things that pure code is handed instead of taking.

Programs use `SystemClock` and `SystemEntropy`. Tests and the simulation use
`ManualClock`, which moves only when told to, and `SeededEntropy`, which repeats.
"""

import asyncio
import builtins
import hashlib
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START_OF_MANUAL_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def to_microseconds(moment: datetime) -> int:
    """Return a moment as databases keep it: microseconds since 1970, without rounding."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    """Return the moment, with UTC as its zone, that `to_microseconds` counted."""
    return EPOCH + timedelta(microseconds=count)


class Clock(Protocol):
    """What tells the time and lets time pass."""

    def now(self) -> datetime:
        """Return the present moment, with UTC as its zone."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring only."""

    async def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed on this clock."""


class Entropy(Protocol):
    """What keys, salts, nonces and ids are made of."""

    def bytes(self, count: int) -> builtins.bytes:
        """Return that many unpredictable bytes, never the same twice."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present moment, with UTC as its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring only."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed."""
        await asyncio.sleep(max(0.0, seconds))


@dataclass(slots=True, eq=False)
class _Sleeper:
    wakes_at: float
    waker: asyncio.Future[None] = field(repr=False)


class ManualClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, start: datetime = START_OF_MANUAL_TIME) -> None:
        if start.tzinfo is None:
            message = "ManualClock needs a start with a zone, such as datetime(..., tzinfo=UTC)"
            raise ValueError(message)
        self._start = start.astimezone(UTC)
        self._elapsed_seconds = 0.0
        self._sleepers: list[_Sleeper] = []
        self._arrival = asyncio.Event()

    def now(self) -> datetime:
        """Return the moment the clock was last advanced to."""
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def monotonic(self) -> float:
        """Return how many seconds the clock was advanced by since it was made."""
        return self._elapsed_seconds

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced that far; at once for zero or less."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker = asyncio.get_running_loop().create_future()
        sleeper = _Sleeper(self._elapsed_seconds + seconds, waker)
        self._sleepers.append(sleeper)
        self._arrival.set()
        try:
            await waker
        finally:
            # A sleeper that was cancelled must not count as one who still sleeps.
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move time on and wake, earliest first, everybody whose sleep is over."""
        if seconds < 0:
            message = "time does not run backwards: advance a ManualClock by zero or more"
            raise ValueError(message)
        self._elapsed_seconds += seconds
        due = [item for item in self._sleepers if item.wakes_at <= self._elapsed_seconds]
        for sleeper in sorted(due, key=lambda item: item.wakes_at):
            self._sleepers.remove(sleeper)
            if not sleeper.waker.done():
                sleeper.waker.set_result(None)

    @property
    def sleepers(self) -> int:
        """How many tasks sleep on this clock now."""
        return len(self._sleepers)

    def seconds_to_next_wake(self) -> float | None:
        """Return how far to advance to wake the next sleeper, or None without one."""
        if not self._sleepers:
            return None
        return min(item.wakes_at for item in self._sleepers) - self._elapsed_seconds

    async def until_sleeping(self, count: int = 1) -> None:
        """Return as soon as that many tasks sleep on this clock."""
        while len(self._sleepers) < count:
            self._arrival.clear()
            await self._arrival.wait()


class SystemEntropy:
    """The operating system's source of randomness."""

    def bytes(self, count: int) -> builtins.bytes:
        """Return that many bytes fit for keys."""
        return os.urandom(count)


class SeededEntropy:
    """A source that gives the same bytes for the same seed; for tests, never for keys."""

    def __init__(self, seed: int) -> None:
        self._prefix = f"seeded entropy {seed} ".encode()
        self._counter = 0

    def bytes(self, count: int) -> builtins.bytes:
        """Return the next bytes of the seed's endless sequence."""
        blocks = []
        for _ in range(-(-count // hashlib.sha256().digest_size)):
            blocks.append(hashlib.sha256(self._prefix + self._counter.to_bytes(8)).digest())
            self._counter += 1
        return b"".join(blocks)[:count]
