import asyncio
from datetime import timedelta
from random import Random

import pytest

from ledger.clock import ManualClock
from sync.dispatcher.circuit import FAILURES_MAX, PROBE_SECONDS_MIN, State
from sync.dispatcher.pace_worker import Asked, Pace, Standstill
from sync.dokstamp.answer import Answer, Meaning
from sync.telemetry.signals import CircuitChanged, Signal, TenantPaused

ALIVE = Answer(Meaning.DONE, 200)
FAILED = Answer(Meaning.UNAVAILABLE, 503)
UNSURE = Answer(Meaning.UNCERTAIN, 500)
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

    assert lanes == [1, 2, 3, 4]


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
    clock.advance(0.6)

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
        rest = pace.retry().pause_seconds(0, asked=None)

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
    for _ in range(5):
        await clock.until_sleeping()
        clock.advance(1)
        await asyncio.sleep(0)

    assert await second is None


def test_a_negative_rate_is_a_wrong_setting(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="DOKSTAMP_REQUESTS_PER_SECOND_MAX"):
        pace_of(clock, rate=-1)


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
        clock.advance(11)
    await call(pace, FAILED) if pace.circuit.state is State.CLOSED else None
    probe = asyncio.create_task(pace.admit())
    while not probe.done():
        clock.advance(1)
        await asyncio.sleep(0)

    assert probe.result() is None
    assert pace.circuit.state is State.HALF_OPEN


def listened_to(clock: ManualClock, told: list[Signal]) -> Pace:
    return Pace(per_second_max=0, lanes_max=2, clock=clock, rng=Random(1), announce=told.append)


async def test_an_outage_is_told_at_its_beginning_now_and_then_and_at_its_end(
    clock: ManualClock,
) -> None:
    told: list[Signal] = []
    pace = listened_to(clock, told)
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
    for _ in range(3600):
        clock.advance(1)
        if pace.lanes_open():
            await call(pace, FAILED)
    clock.advance(60)
    for _ in range(3):
        await call(pace, ALIVE)

    states = [each.state for each in told if isinstance(each, CircuitChanged)]
    last = told[-1]
    assert (states[0], set(states[1:-1]), states[-1]) == ("open", {"still_open"}, "closed")
    assert len(states) <= 8
    assert isinstance(last, CircuitChanged)
    assert (last.seconds, last.reason, last.why) == (
        3660.0,
        "status_503",
        "it answers with status 503",
    )
    assert pace.outage is None


async def test_an_outage_tells_since_when_why_and_when_it_is_tried(clock: ManualClock) -> None:
    began = clock.now()
    pace = await broken(clock)
    clock.advance(2)

    seen = pace.outage
    assert seen is not None
    assert (seen.calls, seen.since, seen.reason) == ("all", began, "status_503")
    assert seen.next_probe == began + timedelta(seconds=PROBE_SECONDS_MIN)


async def test_a_throttle_is_told_once_in_a_while(clock: ManualClock) -> None:
    told: list[Signal] = []
    pace = listened_to(clock, told)
    for _ in range(20):
        await call(pace, THROTTLED)
        clock.advance(90)

    assert len([each for each in told if isinstance(each, TenantPaused)]) == 3


def write(about: str) -> Asked:
    return Asked(is_safe=False, about=about)


async def tried(pace: Pace, about: str, answer: Answer) -> None:
    assert await pace.admit() is None
    pace.note(ALIVE)
    assert await pace.admit(write(about)) is None
    pace.note(answer, write(about))


async def test_writes_that_all_fail_stop_writes_while_reads_go_on(clock: ManualClock) -> None:
    pace = pace_of(clock)
    for number in range(FAILURES_MAX):
        await tried(pace, f"operation {number}", UNSURE)

    seen = pace.outage
    assert seen is not None
    assert (seen.calls, pace.lanes_open(), pace.is_healthy) == ("writes", 0, False)
    assert await pace.admit() is None
    assert isinstance(await pace.admit(write("another")), Standstill)


async def test_one_operation_that_always_fails_is_no_outage(clock: ManualClock) -> None:
    pace = pace_of(clock)
    for _ in range(FAILURES_MAX * 3):
        await tried(pace, "the same", UNSURE)

    assert (pace.outage, pace.is_healthy) == (None, True)


async def test_one_write_that_works_again_lets_writes_go(clock: ManualClock) -> None:
    pace = pace_of(clock)
    for number in range(FAILURES_MAX):
        await tried(pace, f"operation {number}", UNSURE)
    clock.advance(PROBE_SECONDS_MIN)
    for number in range(8):
        await tried(pace, f"operation {number}", ALIVE)

    assert (pace.outage, pace.lanes_open()) == (None, 8)


def test_the_pause_asked_for_is_the_least(clock: ManualClock) -> None:
    pace = pace_of(clock)

    assert pace.retry().pause_seconds(1, asked=40.0) >= 40
    assert pace.retry().pause_seconds(0, asked=0.0) >= 1
