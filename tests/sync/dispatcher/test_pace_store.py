import asyncio
from pathlib import Path
from random import Random

import pytest

from ledger.clock import ManualClock
from ledger.ledger import Ledger
from ledger.testing import ledger_in
from sync.dispatcher.circuit import FAILURES_MAX
from sync.dispatcher.pace_store import LedgerBook, read_stands
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.shares import HEADROOM
from sync.dokstamp.answer import Answer, Meaning

RATE = 10.0
ALIVE = Answer(Meaning.DONE, 200)
FAILED = Answer(Meaning.UNAVAILABLE, None, fault="connect")


def pace_of(ledger: Ledger, host: str) -> Pace:
    return Pace(
        per_second_max=RATE,
        lanes_max=8,
        clock=ledger.clock,
        rng=Random(1),
        book=LedgerBook(ledger, host=host),
    )


async def call_until(pace: Pace, clock: ManualClock, moment: float) -> int:
    """Call as often as that is allowed and return how often it was."""
    calls = 0
    while clock.monotonic() < moment and await pace.admit() is None:
        pace.note(ALIVE)
        calls += clock.monotonic() < moment
    return calls


async def pass_time(clock: ManualClock, *hosts: asyncio.Task[int]) -> None:
    while not all(host.done() for host in hosts):
        if clock.sleepers < sum(not host.done() for host in hosts):
            await asyncio.sleep(0.001)
        elif (seconds := clock.seconds_to_next_wake()) is not None:
            clock.advance(max(seconds, 0.01))


async def fail(pace: Pace, clock: ManualClock) -> None:
    """Let a call fail, whenever it gets its turn."""
    asked = asyncio.create_task(pace.admit())
    while not asked.done():
        await asyncio.sleep(0.001)
        if clock.sleepers:
            clock.advance(0.2)

    assert asked.result() is None
    pace.note(FAILED)


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_hosts_together_use_the_rate_and_no_more(home: Path, count: int) -> None:
    clock = ManualClock()
    async with ledger_in(home, clock=clock) as ledger:
        hosts = [
            asyncio.create_task(call_until(pace_of(ledger, f"host {number}"), clock, 20.0))
            for number in range(count)
        ]
        await pass_time(clock, *hosts)
        calls = sum(host.result() for host in hosts)

    assert 0.9 * RATE * 20 <= calls <= HEADROOM * RATE * 20 + count


async def test_what_one_host_was_told_stops_the_other(home: Path) -> None:
    async with ledger_in(home, clock=ManualClock()) as ledger:
        first, second = pace_of(ledger, "first"), pace_of(ledger, "second")
        assert await first.admit() is None
        first.note(Answer(Meaning.THROTTLED, 429, retry_after_seconds=90.0))
        await first.tell()

        assert not await second.may_go()
        assert second.seconds_until_open() == 90


async def test_another_process_sees_since_when_nothing_goes_and_why(home: Path) -> None:
    async with ledger_in(home, clock=ManualClock()) as ledger:
        pace = pace_of(ledger, "first")
        began = ledger.clock.now()
        for _ in range(FAILURES_MAX):
            assert isinstance(ledger.clock, ManualClock)
            ledger.clock.advance(1)
            assert await pace.admit() is None
            pace.note(FAILED)
        await pace.tell()
        stands = await ledger.read_folded(
            lambda c, scope: read_stands(c, scope, now=ledger.lease_now(c))
        )

    assert [(each.host, each.circuit) for each in stands] == [("first", "open")]
    outage = stands[0].outage
    assert outage is not None
    assert (outage["reason"], outage["why"]) == ("connect", "no connection to it could be made")
    assert str(outage["since"]) > began.isoformat()


async def test_one_host_probes_for_all(home: Path) -> None:
    clock = ManualClock()
    async with ledger_in(home, clock=clock) as ledger:
        paces = [pace_of(ledger, f"host {number}") for number in range(3)]
        for pace in paces:
            for _ in range(FAILURES_MAX):
                await fail(pace, clock)
        clock.advance(60)

        assert [await pace.may_go() for pace in paces] == [True, False, False]
