from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from sync.dispatcher.allowance import Allowance, nearest, observe, wait_seconds
from sync.dokstamp.answer import RateLimit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass
class Service:
    """Counts calls in windows, and tells what remains."""

    limit: int
    window: float
    counts: dict[int, int] = field(default_factory=dict)

    def call(self, at: float) -> tuple[bool, RateLimit]:
        number = int(at // self.window)
        self.counts[number] = self.counts.get(number, 0) + 1
        remaining = self.limit - self.counts[number]
        return remaining >= 0, RateLimit(self.limit, max(0, remaining))


def called(service: Service, seconds: float) -> tuple[int, int, Allowance | None]:
    """Call one at a time by what is told; return how many passed, how many did not."""
    at, seen, passed, refused = 7.3, None, 0, 0
    while at < seconds:
        is_taken, told = service.call(at)
        refused += not is_taken
        passed += is_taken
        seen = observe(seen, told, now=after(at), under_way=0)
        assert seen is not None
        rest = max(wait_seconds(seen, now=after(at), under_way=0), 0.0 if is_taken else 1.0)
        at += max(rest, 1 / (0.97 * seen.per_second))
    return passed, refused, seen


@pytest.mark.parametrize(
    ("limit", "window"), [(60, 60.0), (600, 60.0), (10, 1.0), (300, 3600.0), (100, 10.0)]
)
def test_the_window_is_found_and_its_limit_kept(limit: int, window: float) -> None:
    service = Service(limit, window)
    passed, refused, seen = called(service, window * 20 + 600)

    later = [count for number, count in service.counts.items() if number >= len(service.counts) / 2]
    assert seen is not None
    assert seen.window_seconds == window
    # A window of hours is found out the hard way, once.
    assert refused <= (0.001 * passed if window <= 60 else 100)
    assert sum(later[:-1]) >= 0.9 * limit * (len(later) - 1)


def test_answers_out_of_turn_are_no_new_window() -> None:
    seen = observe(None, RateLimit(60, 30), now=NOW, under_way=7)
    for remaining in (27, 29, 25, 28):
        seen = observe(seen, RateLimit(60, remaining), now=after(1), under_way=7)

    assert seen == Allowance(60, 25, NOW)


def test_calls_under_way_may_use_up_what_remains() -> None:
    seen = Allowance(60, 5, NOW)

    assert wait_seconds(seen, now=after(20), under_way=8) == 40
    assert wait_seconds(seen, now=after(20), under_way=0) == 0


def test_the_end_of_a_window_that_is_told_is_gone_by() -> None:
    seen = observe(None, RateLimit(60, 0, 12.0), now=NOW, under_way=0)

    assert seen is not None
    assert wait_seconds(seen, now=after(2), under_way=0) == 10


def test_half_of_a_limit_says_nothing() -> None:
    assert observe(None, RateLimit(60, None, 5.0), now=NOW, under_way=0) is None
    assert observe(None, RateLimit(None, 3, 5.0), now=NOW, under_way=0) is None


@pytest.mark.parametrize(("seconds", "usual"), [(0.2, 1), (2, 1), (55, 60), (67, 60), (3000, 3600)])
def test_a_measured_window_is_taken_for_a_usual_one(seconds: float, usual: float) -> None:
    assert nearest(seconds) == usual
