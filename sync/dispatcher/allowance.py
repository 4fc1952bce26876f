"""What the service's own headers say about its limit, and the rate that this comes to.

Headers tell how many calls a window holds and how many remain, not how long a window is. A
minute is taken for it at first. Each time that what remains jumps up a window has begun, and the
time between two beginnings tells how long one lasts; a window that outlasts what was taken for
its length corrects it.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sync.dokstamp.answer import RateLimit

USUAL_SECONDS: Final = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0)
"""How long windows usually are: what is measured is taken for the nearest of them."""
WINDOW_SECONDS: Final = 60.0
RESERVE_PART: Final = 0.02
"""The part of a window that is left unused, for calls that are not counted yet."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A window of the service's limit, as far as it is known."""

    limit: int
    remaining: int
    began_at: datetime
    """When the window was first seen."""
    window_seconds: float = WINDOW_SECONDS
    is_whole: bool = False
    """Whether its beginning was seen, so that its length can be measured."""
    ends_at: datetime | None = None
    """When it ends, where the service says so."""

    @property
    def per_second(self) -> float:
        """The rate that uses a window up just when it ends."""
        return self.limit / self.window_seconds


def observe(
    allowance: Allowance | None, told: RateLimit, *, now: datetime, under_way: int
) -> Allowance | None:
    """Return what is known after an answer; `under_way` calls may be counted out of turn."""
    if told.limit is None or told.remaining is None or told.limit <= 0:
        return allowance
    remaining = min(told.remaining, told.limit)
    ends_at = None
    if told.reset_seconds is not None:
        ends_at = now + timedelta(seconds=told.reset_seconds)
    if allowance is None or allowance.limit != told.limit:
        return Allowance(told.limit, remaining, now, ends_at=ends_at)
    # Answers to calls under way together come in any order: only a leap says something then.
    slack = 0 if under_way == 0 else max(under_way, told.limit // 4)
    if remaining > 0 and remaining >= allowance.remaining + slack:
        return _next_window(allowance, remaining, now=now, ends_at=ends_at)
    remaining = min(remaining, allowance.remaining)
    return _outlasting(replace(allowance, remaining=remaining, ends_at=ends_at), now)


def wait_seconds(allowance: Allowance, *, now: datetime, under_way: int) -> float:
    """Return how long to call no more, because the window is used up; 0 while it is not."""
    reserve = max(under_way, math.ceil(allowance.limit * RESERVE_PART)) if under_way else 0
    if allowance.remaining > reserve:
        return 0.0
    ends_at = allowance.ends_at
    if ends_at is None:
        ends_at = allowance.began_at + timedelta(seconds=allowance.window_seconds)
    return max(0.0, (ends_at - now).total_seconds())


def _next_window(
    before: Allowance, remaining: int, *, now: datetime, ends_at: datetime | None
) -> Allowance:
    seconds = before.window_seconds
    if ends_at is not None:
        seconds = nearest((ends_at - now).total_seconds())
    elif before.is_whole:
        # A pause of ours makes a window seem longer than it is, nothing makes it seem shorter.
        seconds = min(seconds, nearest((now - before.began_at).total_seconds()))
    return Allowance(
        before.limit, remaining, now, window_seconds=seconds, is_whole=True, ends_at=ends_at
    )


def _outlasting(allowance: Allowance, now: datetime) -> Allowance:
    lasted = (now - allowance.began_at).total_seconds()
    if allowance.remaining > 0 or lasted <= allowance.window_seconds * 1.1:
        return allowance
    longer = [seconds for seconds in USUAL_SECONDS if seconds > allowance.window_seconds]
    return replace(allowance, window_seconds=longer[0] if longer else allowance.window_seconds)


def nearest(seconds: float) -> float:
    """Return the usual length of a window that comes nearest, by proportion."""
    measured = math.log(max(seconds, 0.001))
    return min(USUAL_SECONDS, key=lambda usual: abs(math.log(usual) - measured))
