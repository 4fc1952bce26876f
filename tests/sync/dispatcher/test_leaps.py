"""A leap of the clock ends no settle window."""

from sync.dispatcher.leaps import TOLERATED_SECONDS, Leaps

WINDOW = 30.0


def test_a_clock_that_goes_evenly_lets_everything_pass() -> None:
    leaps = Leaps(WINDOW)

    assert [leaps.rest_seconds(1000 + t, monotonic=t) for t in range(100)] == [0.0] * 100


def test_after_a_leap_forward_a_whole_window_passes_on_the_other_clock() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=0)

    assert leaps.rest_seconds(4600, monotonic=5) == WINDOW
    assert leaps.rest_seconds(4625, monotonic=30) == 5
    assert leaps.rest_seconds(4630, monotonic=35) == 0


def test_back_and_forward_again_is_a_leap_too() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=0)

    assert leaps.rest_seconds(400, monotonic=1) == 0
    assert leaps.rest_seconds(1002, monotonic=2) == WINDOW


def test_small_steps_that_add_up_are_a_leap() -> None:
    leaps = Leaps(WINDOW)

    told = [leaps.rest_seconds(1000 + 1.4 * t, monotonic=t) for t in range(4)]

    assert told == [0, 0, 0, WINDOW]


def test_a_stall_between_the_two_readings_is_no_leap() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=0, since=0)

    # The clock was read first, and the other one five seconds later.
    assert leaps.rest_seconds(1010, monotonic=15, since=10) == 0
    assert leaps.rest_seconds(1016, monotonic=16, since=16) == 0


def test_a_reading_that_may_hide_a_leap_lets_nothing_pass_until_the_next_one() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=0, since=0)

    assert leaps.rest_seconds(1015, monotonic=15, since=10) == TOLERATED_SECONDS
    assert leaps.rest_seconds(1016, monotonic=16, since=16) == 0


def test_a_leap_within_a_stall_is_seen_with_the_next_reading() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=0, since=0)

    assert leaps.rest_seconds(4610, monotonic=15, since=10) > 0
    assert leaps.rest_seconds(4616, monotonic=16, since=16) == WINDOW


def test_a_first_reading_that_stalled_is_not_gone_by() -> None:
    leaps = Leaps(WINDOW)
    leaps.rest_seconds(1000, monotonic=5, since=0)

    assert leaps.rest_seconds(1006, monotonic=6, since=6) == 0


def test_a_process_that_just_started_goes_by_the_clock_alone() -> None:
    assert Leaps(WINDOW).rest_seconds(9_999_999, monotonic=3) == 0
