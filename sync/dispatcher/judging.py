"""What a settlement comes to once it is known how often its operation failed before.

```
put off, its own trouble too often ─► held: a person looks
throttled, unavailable             ─► later: the backoff, or longer if the service asks
uncertain                          ─► not before the settle window is over
cut short by us                    ─► at once
```
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Settlement

FAILURES_MAX: Final = 6
"""How often one operation may fail while others succeed before a person is asked (API 15)."""
PUT_OFF: Final = frozenset({Outcome.RETRY, Outcome.UNCERTAIN})
_ASKED_BY_SERVICE: Final = frozenset({Reason.THROTTLED.value, Reason.UNAVAILABLE.value})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A settlement with the rest that follows it; the writer makes a moment of that.

    The moment is one by the clock that every host goes by: a host whose own clock is wrong would
    else cut a settle window short for the others.
    """

    settlement: Settlement
    rest_seconds: float


def excuse(settlement: Settlement, *, is_own_trouble: bool) -> Settlement:
    """Return the settlement, not counted against its operation where everybody is in trouble.

    An outage must not use up the tries of what happened to be tried in it. A fault on our side
    counts all the same, so that it cannot go on for ever.
    """
    is_ours = settlement.reason == Reason.UNEXPECTED
    if is_own_trouble or is_ours or settlement.outcome not in PUT_OFF:
        return settlement
    return replace(settlement, counts_as_failure=False)


def hold_if_stuck(settlement: Settlement, *, failures: int, is_own_trouble: bool) -> Settlement:
    """Return the settlement, held where the same operation failed too often by itself."""
    # A fault on our side is never everybody's: it must not take the probes of an outage for ever.
    is_own = is_own_trouble or settlement.reason == Reason.UNEXPECTED
    is_stuck = failures >= FAILURES_MAX and is_own and settlement.counts_as_failure
    if not is_stuck or settlement.outcome not in PUT_OFF:
        return settlement
    in_doubt = settlement.outcome is Outcome.UNCERTAIN
    return replace(settlement, outcome=Outcome.HELD, in_doubt=in_doubt)


def pause_seconds(
    settlement: Settlement, *, settle_seconds: float, back_off: Callable[[float | None], float]
) -> float:
    """Return how long the operation rests; `back_off` is told the least that was asked for."""
    asked = settlement.retry_seconds
    match settlement.outcome:
        case Outcome.UNCERTAIN:
            return max(settle_seconds, asked or 0.0)
        case Outcome.RETRY if asked is None or settlement.reason in _ASKED_BY_SERVICE:
            # A service that asks for no pause at all is not asked again at once.
            return back_off(asked)
        case Outcome.RETRY:
            return asked or 0.0
        case _:
            return 0.0
