import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import (
    START_OF_MANUAL_TIME,
    Clock,
    Entropy,
    ManualClock,
    SeededEntropy,
    SystemClock,
    SystemEntropy,
    from_microseconds,
    to_microseconds,
)


def test_both_clocks_tell_utc() -> None:
    clocks: list[Clock] = [SystemClock(), ManualClock()]

    assert [clock.now().utcoffset() for clock in clocks] == [timedelta(0), timedelta(0)]


async def test_the_system_clock_measures_forwards() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(-1)

    assert clock.monotonic() >= before


def test_a_manual_clock_stands_still_until_advanced() -> None:
    clock = ManualClock()
    before = (clock.now(), clock.monotonic())

    clock.advance(90)

    assert before == (START_OF_MANUAL_TIME, 0.0)
    assert (clock.now(), clock.monotonic()) == (START_OF_MANUAL_TIME + timedelta(seconds=90), 90.0)


async def test_advancing_wakes_exactly_those_whose_sleep_is_over() -> None:
    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper("late", 30))
        tasks.create_task(sleeper("middle", 20))
        tasks.create_task(sleeper("early", 10))
        await clock.until_sleeping(3)
        next_wake = clock.seconds_to_next_wake()
        clock.advance(20)
        await asyncio.sleep(0)
        after_twenty = list(woken)
        clock.advance(10)

    assert next_wake == 10
    assert after_twenty == ["early", "middle"]
    assert woken == ["early", "middle", "late"]
    assert (clock.sleepers, clock.seconds_to_next_wake()) == (0, None)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.until_sleeping()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert clock.sleepers == 0
    clock.advance(10)


async def test_sleeping_for_nothing_returns_at_once() -> None:
    clock = ManualClock()

    await clock.sleep(0)

    assert clock.sleepers == 0


def test_a_manual_clock_refuses_to_run_backwards_or_without_a_zone() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)
    with pytest.raises(ValueError, match="zone"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("count", [0, 1, 12, 32, 33, 100])
def test_every_source_gives_as_many_bytes_as_asked(count: int) -> None:
    sources: list[Entropy] = [SystemEntropy(), SeededEntropy(1)]

    assert [len(source.bytes(count)) for source in sources] == [count, count]


def test_seeded_entropy_repeats_for_a_seed_and_never_within_one() -> None:
    one, again, other = SeededEntropy(7), SeededEntropy(7), SeededEntropy(8)

    first, second = one.bytes(40), one.bytes(40)

    assert (first, second) == (again.bytes(40), again.bytes(40))
    assert len({first, second, other.bytes(40)}) == 3


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones())  # noqa: DTZ001
)
def test_a_moment_survives_storage_to_the_microsecond(moment: datetime) -> None:
    stored = to_microseconds(moment)

    # An hour that a zone repeats equals nothing outside its zone: compare in UTC.
    assert from_microseconds(stored) == moment.astimezone(UTC)
    assert from_microseconds(stored).utcoffset() == timedelta(0)
