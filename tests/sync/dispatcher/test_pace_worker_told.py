import asyncio
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ledger.clock import ManualClock
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.share_worker import LoneBook
from sync.dispatcher.shares import HEADROOM, TOLD_SECONDS
from sync.dokstamp.wire import Incoming, read_answer
from tests.sync.simulator.practice import Practice

EPOCH = datetime(2026, 1, 1, 0, 0, 23, tzinfo=UTC)
LANES = 8
CALL_SECONDS = 0.05
SECONDS = 300.0
BEGINNING_SECONDS = 60.0


class Caller:
    """Calls a practice DokStamp from all lanes at once, as fast as its pace lets it."""

    def __init__(self, *, per_second_max: float = 0, **switches: str) -> None:
        self.clock = ManualClock()
        self.practice = Practice(**switches)
        self.book = LoneBook(self.clock)
        self._per_second_max = per_second_max
        self.paces = [self.pace()]
        self.statuses: list[tuple[float, int]] = []

    def pace(self) -> Pace:
        """Return the pace of one more host of the tenant."""
        return Pace(
            per_second_max=self._per_second_max,
            lanes_max=LANES,
            clock=self.clock,
            rng=Random(1),
            book=self.book,
        )

    async def call_for(self, seconds: float) -> None:
        """Call from every lane until so much time has passed."""
        until = self.clock.monotonic() + seconds
        lanes = [
            asyncio.create_task(self._lane(pace, until))
            for pace in self.paces
            for _ in range(LANES)
        ]
        while not all(lane.done() for lane in lanes):
            await self._settle(sum(not lane.done() for lane in lanes))
            wake = self.clock.seconds_to_next_wake()
            if wake is not None:
                self.clock.advance(max(wake, 0.001))
        await asyncio.gather(*lanes)

    async def _settle(self, busy: int) -> None:
        for _ in range(50):
            if self.clock.sleepers >= busy:
                return
            await asyncio.sleep(0)

    async def _lane(self, pace: Pace, until: float) -> None:
        while self.clock.monotonic() < until:
            standstill = await pace.admit()
            if standstill is not None:
                await self.clock.sleep(standstill.seconds)
                continue
            sent = self.clock.monotonic()
            self.practice.now = EPOCH + timedelta(seconds=sent)
            response = self.practice.call("GET", "/courses")
            self.statuses.append((sent, response.status))
            await self.clock.sleep(CALL_SECONDS)
            headers = {name.lower(): value for name, value in response.headers.items()}
            incoming = Incoming(response.status, response.body, headers=headers)
            pace.note(read_answer("GET", incoming, now=self.practice.now))

    def counted(self, first: float, last: float) -> Counter[int]:
        return Counter(status for moment, status in self.statuses if first <= moment < last)


@pytest.mark.parametrize("per_second", [1, 3])
@pytest.mark.parametrize("form", ["told", "told_silent"])
async def test_a_limit_told_only_by_headers_is_kept_and_used(per_second: int, form: str) -> None:
    caller = Caller(rate_limit=f"{60 * per_second}_{form}")
    await caller.call_for(SECONDS)
    first = caller.statuses[0][0]
    every, later = caller.counted(0, math.inf), caller.counted(first + BEGINNING_SECONDS, SECONDS)

    assert every[429] < 0.001 * every.total()
    assert later[200] >= 0.9 * per_second * (SECONDS - BEGINNING_SECONDS - first)


async def test_two_hosts_keep_a_told_limit_together() -> None:
    caller = Caller(per_second_max=50, rate_limit="180_told")
    caller.paces.append(caller.pace())
    await caller.call_for(SECONDS)
    seen, later = caller.counted(0, math.inf), caller.counted(BEGINNING_SECONDS, SECONDS)

    assert seen[429] < 0.001 * seen.total()
    assert later[200] >= 0.9 * 3 * (SECONDS - BEGINNING_SECONDS)


async def test_a_limit_that_is_raised_is_used() -> None:
    caller = Caller(rate_limit="60_told")
    await caller.call_for(70)
    caller.practice.simulator.set_switches(rate_limit="180_told")
    await caller.call_for(130)
    seen = caller.counted(100, 200)

    assert seen[429] == 0
    assert seen[200] >= 0.9 * 3 * 100


async def test_a_limit_that_is_told_no_more_is_forgotten() -> None:
    caller = Caller(per_second_max=4, rate_limit="60_told")
    await caller.call_for(30)
    caller.practice.simulator.set_switches(rate_limit="off")
    await caller.call_for(TOLD_SECONDS + 30)
    allowed = [pace.allowed_per_second for pace in caller.paces]

    assert allowed == [4 * HEADROOM]
    assert caller.counted(TOLD_SECONDS + 40, TOLD_SECONDS + 60)[200] >= 0.9 * 4 * 20
