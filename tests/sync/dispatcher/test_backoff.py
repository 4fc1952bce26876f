from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dispatcher.backoff import (
    JITTER,
    PAUSE_SECONDS_MAX,
    Budget,
    earn,
    pause_seconds,
    spend,
)


class NoJitter(Random):
    def random(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [
        (0, None, 1),
        (1, None, 1),
        (2, None, 2),
        (3, None, 4),
        (6, None, 32),
        (7, None, 60),
        (10_000, None, 60),
        (1, 0.0, 1),
        (1, 7.5, 7.5),
        (6, 7.5, 32),
        (1, 600.0, 600),
    ],
)
def test_pauses_double_up_to_a_cap_and_never_undercut_the_service(
    failures: int, retry_after: float | None, seconds: float
) -> None:
    assert pause_seconds(failures, rng=NoJitter(), retry_after_seconds=retry_after) == seconds


@given(st.integers(0, 100), st.integers(0, 1000))
def test_jitter_only_lengthens_and_only_by_its_share(failures: int, seed: int) -> None:
    least = pause_seconds(failures, rng=NoJitter())

    assert least <= pause_seconds(failures, rng=Random(seed)) <= least * (1 + JITTER)


def test_without_budget_the_first_pause_is_the_longest_one() -> None:
    assert pause_seconds(1, rng=NoJitter(), is_in_budget=False) == PAUSE_SECONDS_MAX


def test_the_next_attempt_lies_a_pause_ahead() -> None:
    assert pause_seconds(3, rng=NoJitter()) == 4


def test_what_failed_together_does_not_return_together() -> None:
    rng = Random(1)

    assert len({pause_seconds(3, rng=rng) for _ in range(50)}) == 50


def test_retries_end_when_the_budget_is_spent() -> None:
    budget, results = Budget(retries=2.0), []
    for _ in range(3):
        budget, is_left = spend(budget)
        results.append(is_left)

    assert results == [True, True, False]


def test_calls_earn_retries_up_to_a_bound() -> None:
    budget = Budget(retries=0.0, retries_max=1.0, earned_per_call=0.25)
    seen = []
    for _ in range(6):
        budget = earn(budget)
        seen.append(budget.retries)

    assert seen == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
