import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dispatcher.rate_limit import Bucket, make_bucket, rest, take, with_rate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def calls_between(bucket: Bucket, seconds: float) -> list[float]:
    """Return when calls go if one is always wanted."""
    now = 0.0
    gone: list[float] = []
    for _ in range(100_000):
        if now >= seconds:
            return gone
        bucket, wait = take(bucket, after(now))
        if wait == 0:
            gone.append(now)
        else:
            now += wait
    raise AssertionError("time does not pass")


def test_calls_go_at_the_configured_rate() -> None:
    gone = calls_between(make_bucket(10, NOW), 10)

    assert len(gone) in {100, 101}


@given(st.floats(0.1, 200), st.floats(0, 1))
def test_no_second_holds_more_calls_than_the_rate_allows(rate: float, start: float) -> None:
    gone = calls_between(make_bucket(rate, NOW), 2)

    in_window = [moment for moment in gone if start <= moment < start + 1]
    assert len(in_window) <= rate * 1.1 + 2


def test_idle_time_saves_up_next_to_nothing() -> None:
    bucket = make_bucket(10, NOW)
    gone = 0
    for _ in range(5):
        bucket, wait = take(bucket, after(3600))
        gone += wait == 0

    assert gone == 1


def test_a_wait_takes_nothing() -> None:
    bucket, _ = take(make_bucket(1, NOW), NOW)
    waits = []
    for _ in range(3):
        bucket, wait = take(bucket, NOW)
        waits.append(wait)

    assert waits == [1.0, 1.0, 1.0]


def test_without_a_limit_nothing_waits() -> None:
    bucket = make_bucket(None, NOW)
    for _ in range(1000):
        bucket, wait = take(bucket, NOW)
        assert wait == 0


def test_without_a_part_of_the_rate_nothing_goes() -> None:
    bucket, _ = take(make_bucket(0.0, NOW), NOW)

    assert take(bucket, after(1000))[1] == math.inf


def test_another_rate_counts_from_its_own_moment() -> None:
    bucket, _ = take(make_bucket(0.0, NOW), NOW)
    bucket = with_rate(bucket, 1.0, at=after(10))

    assert take(bucket, after(10.5))[1] == 0.5


@pytest.mark.parametrize("rate", [None, 10])
def test_a_pause_stops_all_calls_until_it_is_over(rate: float | None) -> None:
    bucket = rest(make_bucket(rate, NOW), 30, now=NOW)

    assert take(bucket, NOW)[1] == 30
    assert take(bucket, after(29))[1] == 1
    assert take(bucket, after(30))[1] == 0


def test_of_two_pauses_the_later_end_counts() -> None:
    bucket = rest(rest(make_bucket(10, NOW), 30, now=NOW), 10, now=NOW)

    assert bucket.paused_until == after(30)


def test_no_pause_is_longer_than_an_hour_whatever_a_clock_says() -> None:
    bucket = rest(make_bucket(10, NOW), 10**8, now=NOW)

    assert take(bucket, NOW)[1] == 3600
    assert take(bucket, after(-(10**8)))[1] == 3600


def test_hosts_whose_clocks_differ_do_not_fill_the_bucket_twice() -> None:
    bucket, gone = make_bucket(10, NOW), 0
    for step in range(1000):
        skew = 2.0 if step % 2 else 0.0
        bucket, wait = take(bucket, after(step * 0.01 + skew))
        gone += wait == 0

    # Ten seconds at ten calls, and the two seconds that the clocks are apart.
    assert gone <= 122


def test_a_clock_that_was_set_back_does_not_empty_the_bucket_for_long() -> None:
    bucket, _ = take(make_bucket(1, NOW), NOW)
    bucket, _ = take(bucket, after(-86_400))

    assert take(bucket, after(-86_399))[1] == 0
