import asyncio
from random import Random

import pytest

from ledger.clock import ManualClock
from sync.dispatcher.circuit import FAILURES_MAX, PROBE_SECONDS_MIN, State
from sync.dispatcher.pace_worker import Pace, Standstill
from sync.dokstamp.answer import Answer, Meaning

ALIVE = Answer(Meaning.DONE, 200)
FAILED = Answer(Meaning.UNAVAILABLE, 503)
THROTTLED = Answer(Meaning.THROTTLED, 429, retry_after_seconds=90.0)


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands still."""
    return ManualClock()


def pace_of(clock: ManualClock, rate: float = 0) -> Pace:
    return Pace(per_second_max=rate, lanes_max=8, clock=clock, rng=Random(1))


async def call(pace: Pace, answer: Answer) -> None:
    assert await pace.admit() is None
    pace.note(answer)


async def broken(clock: ManualClock) -> Pace:
    pace = pace_of(clock)
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
    return pace


async def test_all_lanes_are_open_in_good_times(clock: ManualClock) -> None:
    pace = pace_of(clock)
    await call(pace, ALIVE)

    assert (pace.lanes_open(), pace.seconds_until_open(), pace.is_healthy) == (8, 0.0, True)


async def test_an_open_circuit_lets_nothing_go_until_its_probe_is_due(clock: ManualClock) -> None:
    pace = await broken(clock)

    assert (pace.circuit.state, pace.lanes_open(), pace.is_healthy) == (State.OPEN, 0, False)
    assert await pace.admit() == Standstill(PROBE_SECONDS_MIN, is_throttled=False)
    clock.advance(PROBE_SECONDS_MIN)
    assert pace.lanes_open() == 1
    assert await pace.admit() is None
    assert (pace.lanes_open(), pace.circuit.state) == (0, State.HALF_OPEN)
    assert isinstance(await pace.admit(), Standstill)


async def test_a_circuit_closes_one_call_at_a_time(clock: ManualClock) -> None:
    pace = await broken(clock)
    clock.advance(PROBE_SECONDS_MIN)
    lanes = []
    for _ in range(4):
        await call(pace, ALIVE)
        lanes.append(pace.lanes_open())

    assert lanes == [1, 2, 4, 8]


@pytest.mark.parametrize("ending", ["answered", "abandoned"])
async def test_a_call_that_ends_in_any_way_makes_room_for_the_next(
    clock: ManualClock, ending: str
) -> None:
    pace = await broken(clock)
    clock.advance(PROBE_SECONDS_MIN)
    await call(pace, ALIVE)
    assert await pace.admit() is None
    second = asyncio.create_task(pace.admit())
    await clock.until_sleeping()
    if ending == "answered":
        pace.note(ALIVE)
    else:
        pace.abandon()
    clock.advance(1)

    assert await second is None


async def test_a_cancelled_wait_holds_no_place(clock: ManualClock) -> None:
    pace = pace_of(clock, rate=2)
    await call(pace, ALIVE)
    waiting = asyncio.create_task(pace.admit())
    await clock.until_sleeping()
    waiting.cancel()
    await asyncio.wait([waiting])
    clock.advance(0.5)

    assert await pace.admit() is None
    pace.note(ALIVE)
    assert pace._under_way == 0


async def test_a_429_pauses_the_whole_tenant(clock: ManualClock) -> None:
    pace = pace_of(clock, rate=10)
    await call(pace, THROTTLED)

    assert (pace.lanes_open(), pace.seconds_until_open()) == (0, 90.0)
    assert await pace.admit() == Standstill(90.0, is_throttled=True)
    clock.advance(90)
    assert pace.lanes_open() == 8


async def test_a_429_without_a_moment_pauses_too(clock: ManualClock) -> None:
    pace = pace_of(clock)
    await call(pace, Answer(Meaning.THROTTLED, 429))

    assert 1 <= pace.seconds_until_open() <= 1.25


async def test_calls_throttled_together_do_not_rest_long(clock: ManualClock) -> None:
    pace = pace_of(clock)
    for _ in range(20):
        assert await pace.admit() is None
    for _ in range(20):
        pace.note(Answer(Meaning.THROTTLED, 429))
        rest = pace.pause_seconds(0, asked=None)

        assert rest <= 1.25
    assert pace.seconds_until_open() <= 1.25


async def test_each_throttle_without_a_moment_rests_longer_until_calls_pass(
    clock: ManualClock,
) -> None:
    pace = pace_of(clock)
    rests = []
    for _ in range(4):
        await call(pace, Answer(Meaning.THROTTLED, 429))
        rests.append(pace.seconds_until_open())
        clock.advance(rests[-1])
    await call(pace, ALIVE)
    await call(pace, Answer(Meaning.THROTTLED, 429))

    for rest, least in zip(rests, (1, 2, 4, 8), strict=True):
        assert least <= rest <= least * 1.25
    assert pace.seconds_until_open() <= 1.25


async def test_a_slow_rate_is_waited_for_and_puts_nothing_off(clock: ManualClock) -> None:
    pace = pace_of(clock, rate=0.25)
    await call(pace, ALIVE)
    second = asyncio.create_task(pace.admit())
    for _ in range(4):
        await clock.until_sleeping()
        clock.advance(1)
        await asyncio.sleep(0)

    assert await second is None


async def test_who_waits_for_a_turn_hears_of_a_pause(clock: ManualClock) -> None:
    pace = pace_of(clock, rate=0.25)
    assert await pace.admit() is None
    second = asyncio.create_task(pace.admit())
    await clock.until_sleeping()
    pace.note(THROTTLED)
    clock.advance(1)

    assert await second == Standstill(89.0, is_throttled=True)


async def test_a_probe_that_is_let_go_is_made(clock: ManualClock) -> None:
    pace = pace_of(clock, rate=0.1)
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
        clock.advance(10)
    await call(pace, FAILED) if pace.circuit.state is State.CLOSED else None
    probe = asyncio.create_task(pace.admit())
    while not probe.done():
        clock.advance(1)
        await asyncio.sleep(0)

    assert probe.result() is None
    assert pace.circuit.state is State.HALF_OPEN


async def test_a_change_of_the_circuit_is_told_once(clock: ManualClock) -> None:
    told: list[State] = []
    pace = Pace(
        per_second_max=0,
        lanes_max=8,
        clock=clock,
        rng=Random(1),
        announce_circuit=lambda circuit: told.append(circuit.state),
    )
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
    clock.advance(PROBE_SECONDS_MIN)
    await call(pace, ALIVE)

    assert told == [State.OPEN, State.CLOSED]


def test_the_pause_asked_for_is_the_least(clock: ManualClock) -> None:
    pace = pace_of(clock)

    assert pace.pause_seconds(1, asked=40.0) >= 40
    assert pace.pause_seconds(0, asked=0.0) >= 1
