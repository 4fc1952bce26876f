"""Tells a runtime one event after the other at a rate, whether or not it keeps up at once.

A source does not wait for its last change to be stored before its people make the next one. Only
changes of one record wait for each other, for which came first must be what the source says.
"""

import asyncio
import time
from typing import Final

from sync.runtime.runtime import Runtime
from tests.sync.system.soak.workload import event

BEHIND_SECONDS_MAX: Final = 1.0
"""Who falls behind further than that does not catch up: the rate told is the rate reached."""


class Telling:
    """Events on their way into a ledger, and how that goes."""

    def __init__(self, runtime: Runtime, *, first: int, per_second: int) -> None:
        self._runtime = runtime
        self._per_second = per_second
        self._due = time.monotonic()
        self._next = first
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._of_subject: dict[str, asyncio.Task[None]] = {}
        self._slowest = 0.0
        self.refused = 0

    @property
    def number(self) -> int:
        """The first event that is not yet known to be stored."""
        return min(self._under_way, default=self._next)

    async def tell(self, group: asyncio.TaskGroup) -> None:
        """Tell the next event once it is due and no more than a second's worth is under way."""
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        while len(self._under_way) >= self._per_second:
            await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
        late = time.monotonic() - BEHIND_SECONDS_MAX
        self._due = max(self._due + 1 / self._per_second, late)
        self._under_way[self._next] = group.create_task(self._record(self._next))
        self._next += 1

    def take_slowest(self) -> float:
        """Return the seconds that the slowest event took since this was asked last."""
        slowest, self._slowest = self._slowest, 0.0
        return slowest

    async def _record(self, number: int) -> None:
        told = event(number)
        subject, mine = told["subject"], self._under_way[number]
        before = self._of_subject.get(subject)
        self._of_subject[subject] = mine
        if before is not None:
            await asyncio.wait([before])
        began = time.monotonic()
        taken = await self._runtime.record(told)
        self._slowest = max(self._slowest, time.monotonic() - began)
        self.refused += bool(taken.reasons)
        del self._under_way[number]
        if self._of_subject[subject] is mine:
            del self._of_subject[subject]
