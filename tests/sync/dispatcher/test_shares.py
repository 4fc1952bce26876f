import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dispatcher.shares import (
    HEADROOM,
    HOST_SECONDS,
    SHARE_AFTER_OUTAGE,
    SHARE_MIN,
    TOLD_SECONDS,
    Grant,
    Report,
    Tenant,
    deal,
    part_of,
)

RATE = 10.0
ALLOWED = RATE * HEADROOM


@dataclass
class Hall:
    """Several hosts that ask one book."""

    tenant: Tenant = field(default_factory=Tenant)
    wanted: dict[str, tuple[float, float]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    given: dict[int, float] = field(default_factory=dict)
    parts: dict[tuple[str, int], float] = field(default_factory=dict)

    def ask(self, host: str, now: float, wanted: float = math.inf, **more: object) -> Grant:
        report = Report(RATE, wanted=wanted, held_slot=self.held.get(host, -1), **more)  # type: ignore[arg-type]
        others = [
            each
            for name, (seen, each) in self.wanted.items()
            if name != host and now - seen < HOST_SECONDS
        ]
        self.tenant, grant = deal(self.tenant, report, now=now, others=others)
        self.wanted[host] = (now, wanted)
        for each in grant.slices:
            self.held[host] = each.slot
            self.given[each.slot] = self.given.get(each.slot, 0.0) + (each.per_second or 0.0)
            self.parts[host, each.slot] = each.per_second or 0.0
        return grant


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.floats(0, 2.5),
            st.one_of(st.just(math.inf), st.floats(0, 30)),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_hosts_together_are_never_given_more_than_the_rate(
    asks: list[tuple[str, float, float, bool]],
) -> None:
    hall, now = Hall(), 1000.0
    for host, later, wanted, is_lost in asks:
        now += later
        hall.ask(host, now, wanted)
        if is_lost:
            # A host that died or lost the answer asks again for what it was given.
            hall.held.pop(host)

    assert all(given <= ALLOWED + 1e-6 for given in hall.given.values())


def test_one_host_alone_has_all_of_it() -> None:
    hall = Hall()
    for second in range(10):
        hall.ask("a", 100 + second)

    assert [hall.given[slot] for slot in range(100, 110)] == [pytest.approx(ALLOWED)] * 10


def test_a_second_host_gets_its_half_within_two_seconds() -> None:
    hall = Hall()
    for second in range(4):
        hall.ask("a", 100 + second)
        if second:
            hall.ask("b", 100.5 + second)

    assert hall.parts["b", 101] == hall.parts["b", 102] == 0
    assert hall.parts["b", 103] == pytest.approx(ALLOWED / 2)


def test_what_a_dead_host_had_comes_back() -> None:
    hall = Hall()
    for second in range(10):
        hall.ask("a", 100 + second)
        if second < 4:
            hall.ask("b", 100.5 + second)

    assert hall.parts["a", 110] == pytest.approx(ALLOWED)


@pytest.mark.parametrize(
    ("wanted", "others", "part"),
    [
        (math.inf, [], 9),
        (math.inf, [math.inf, math.inf], 3),
        (math.inf, [1, math.inf], 4),
        (1, [math.inf], 1),
        (1, [2], 4),
        (0, [math.inf], 0),
        (5, [5], 4.5),
    ],
)
def test_who_wants_less_leaves_the_rest_to_who_wants_more(
    wanted: float, others: list[float], part: float
) -> None:
    assert part_of(9, wanted, others) == part


def test_what_one_host_learns_all_go_by() -> None:
    hall = Hall()
    hall.ask("a", 100)
    hall.ask("a", 100.5, is_throttled=True, pause_seconds=30.0)

    grant = hall.ask("b", 101)
    assert grant.paused_until == 130.5
    assert grant.allowed_per_second == ALLOWED / 2


def test_hosts_throttled_together_slow_down_once() -> None:
    hall = Hall()
    for host in "abcd":
        hall.ask(host, 100, is_throttled=True, pause_seconds=5.0)

    assert hall.tenant.share == 0.5


def test_throttling_leaves_a_tenth_and_calls_that_pass_win_it_back() -> None:
    hall = Hall()
    for number in range(20):
        hall.ask("a", 100 + 10 * number, is_throttled=True, pause_seconds=1.0)
    slowest = hall.tenant.share
    hall.ask("a", 400, passed=1000)

    assert (slowest, hall.tenant.share) == (SHARE_MIN, 1.0)


def test_the_return_of_the_service_begins_slowly_for_all() -> None:
    hall = Hall()
    hall.ask("a", 100, has_returned=True)

    assert hall.ask("b", 101).allowed_per_second == pytest.approx(ALLOWED * SHARE_AFTER_OUTAGE)


def test_the_limit_that_the_service_tells_counts_where_it_is_the_lower() -> None:
    hall = Hall()
    hall.ask("a", 100, told_per_second=4.0)
    lower = hall.ask("b", 101).allowed_per_second
    hall.ask("a", 102, told_per_second=400.0)

    assert (lower, hall.ask("b", 103).allowed_per_second) == (4.0 * HEADROOM, ALLOWED)


def test_the_limit_that_the_service_told_last_counts_lower_or_higher() -> None:
    hall = Hall()
    allowed = []
    for second, told in enumerate((4.0, 8.0, 2.0)):
        hall.ask("a", 100 + second, told_per_second=told, passed=1)
        allowed.append(hall.ask("b", 100.5 + second).allowed_per_second)

    assert allowed == [pytest.approx(each * HEADROOM) for each in (4.0, 8.0, 2.0)]


def test_a_limit_is_forgotten_once_answers_have_told_none_for_long() -> None:
    hall = Hall()
    hall.ask("a", 100, told_per_second=4.0, passed=1)
    kept = hall.ask("b", 100 + TOLD_SECONDS - 1, passed=1).allowed_per_second
    gone = hall.ask("b", 100 + TOLD_SECONDS, passed=1).allowed_per_second

    assert (kept, gone, hall.tenant.told_per_second) == (4.0 * HEADROOM, ALLOWED, None)


def test_a_limit_outlasts_a_time_without_answers() -> None:
    hall = Hall()
    hall.ask("a", 100, told_per_second=4.0, passed=1)

    assert hall.ask("a", 100_000).allowed_per_second == 4.0 * HEADROOM
    assert hall.ask("a", 100_001, is_throttled=True).allowed_per_second == 2.0 * HEADROOM


def test_a_clock_that_was_set_back_keeps_no_limit_for_long() -> None:
    hall = Hall()
    hall.ask("a", 10_000, told_per_second=4.0, passed=1)
    hall.ask("a", 100, passed=1)

    assert hall.ask("a", 100 + TOLD_SECONDS, passed=1).allowed_per_second == ALLOWED


def test_one_of_all_hosts_looks_whether_the_service_is_back() -> None:
    hall = Hall()
    waits = [hall.ask(host, 100, probe_seconds=5.0).probe_wait for host in "abc"]

    assert waits == [0.0, 5.0, 5.0]
    assert hall.ask("b", 105, probe_seconds=5.0).probe_wait == 0


def test_a_clock_that_was_set_back_stops_nobody() -> None:
    hall = Hall()
    hall.ask("a", 10_000, pause_seconds=600.0, probe_seconds=60.0)
    hall.held.clear()
    grant = hall.ask("a", 100, probe_seconds=60.0)

    assert grant.slices[0].per_second == pytest.approx(ALLOWED)
    assert (grant.paused_until, grant.probe_wait) == (3700.0, 60.0)


def test_a_clock_that_was_set_back_puts_a_probe_off_once() -> None:
    hall = Hall()
    hall.ask("a", 10_000, probe_seconds=5.0)
    waits = [hall.ask("a", 100 + 5 * turn, probe_seconds=5.0).probe_wait for turn in range(14)]

    # Others may probe less often, so the longest interval is the bound.
    assert waits == [5.0] * 12 + [0.0, 0.0]
