"""When to try again: later each time, never at the same moment as others, never without end.

The retry budget keeps retries a small share of all calls, so that a service in trouble is
not kept there by us: every call earns a little, every retry spends one.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

PAUSE_SECONDS_MIN: Final = 1.0
PAUSE_SECONDS_MAX: Final = 60.0
JITTER: Final = 0.25
"""How much longer a pause may be made, as a share of it."""

_DOUBLINGS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Budget:
    """How many retries may still be made, as a value."""

    retries: float = 10.0
    retries_max: float = 10.0
    earned_per_call: float = 0.2


def pause_seconds(
    failures: int,
    *,
    rng: Random,
    retry_after_seconds: float | None = None,
    is_in_budget: bool = True,
) -> float:
    """Return how long to wait after that many failures in a row.

    What the service asks for is a least pause. Without budget the pause is the longest one.
    """
    doublings = min(max(0, failures - 1), _DOUBLINGS_MAX) if is_in_budget else _DOUBLINGS_MAX
    seconds = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN * 2.0**doublings)
    # Jitter only lengthens: the service is never asked before it said.
    return max(seconds, retry_after_seconds or 0.0) * (1 + JITTER * rng.random())


@dataclass(frozen=True, slots=True)
class Retry:
    """One retry, however many operations it is of."""

    rng: Random
    is_in_budget: bool = True

    def pause_seconds(self, failures: int, *, asked: float | None) -> float:
        """Return how long an operation rests; what the service asks for is the least."""
        return pause_seconds(
            max(1, failures),
            rng=self.rng,
            retry_after_seconds=asked,
            is_in_budget=self.is_in_budget,
        )


def earn(budget: Budget) -> Budget:
    """Return the budget after a call that was no retry."""
    retries = min(budget.retries_max, budget.retries + budget.earned_per_call)
    return replace(budget, retries=retries)


def spend(budget: Budget) -> tuple[Budget, bool]:
    """Return the budget after a retry, and whether there was one left for it."""
    if budget.retries < 1:
        return budget, False
    return replace(budget, retries=budget.retries - 1), True
