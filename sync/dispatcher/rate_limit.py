"""How fast one host calls, as a value: a token bucket filled by its part of the tenant's rate.

The parts come from `shares`, second by second, and never add up to more than is allowed.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

BURST_SECONDS: Final = 0.1
"""Calls saved up while idle, in seconds of the rate: enough to make up for late timers."""
PAUSE_SECONDS_MAX: Final = 3600.0
CLOCK_SKEW_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many calls may go now, how fast that refills, and until when all calls rest."""

    per_second: float | None
    """The rate now, 0 while there is no part of it; `None` without a limit."""
    tokens: float
    updated_at: datetime
    paused_until: datetime | None = None


def make_bucket(per_second: float | None, now: datetime) -> Bucket:
    """Return a bucket for this rate in which one call is ready to go."""
    return Bucket(per_second, tokens=1.0, updated_at=now)


def take(bucket: Bucket, now: datetime) -> tuple[Bucket, float]:
    """Return the bucket after asking for one call, and how long to wait before asking again.

    A wait of 0 means that the call may go; otherwise nothing was taken. The wait has no end
    while there is no rate.
    """
    pause = paused_seconds(bucket, now)
    if pause > 0:
        return bucket, pause
    bucket = _refill(bucket, now)
    if bucket.per_second is None:
        return bucket, 0.0
    # Sums of small steps may miss a whole token by less than any clock can tell.
    if bucket.tokens >= 1 - 1e-9:
        return replace(bucket, tokens=max(0.0, bucket.tokens - 1)), 0.0
    if bucket.per_second <= 0:
        return bucket, math.inf
    return bucket, (1 - bucket.tokens) / bucket.per_second


def with_rate(bucket: Bucket, per_second: float | None, *, at: datetime) -> Bucket:
    """Return the bucket with another rate from a moment on, filled until then by the old one."""
    return replace(_refill(bucket, at), per_second=per_second)


def rest(bucket: Bucket, seconds: float, *, now: datetime) -> Bucket:
    """Return the bucket with all calls resting so long, or longer if that was set before."""
    latest = now + timedelta(seconds=PAUSE_SECONDS_MAX)
    until = min(now + timedelta(seconds=max(0.0, seconds)), latest)
    if bucket.paused_until is not None:
        until = max(until, min(bucket.paused_until, latest))
    return replace(_refill(bucket, now), tokens=0.0, paused_until=until)


def _refill(bucket: Bucket, now: datetime) -> Bucket:
    elapsed = (now - bucket.updated_at).total_seconds()
    # A clock that was set back by a lot must not leave the bucket empty for hours.
    is_set_back = elapsed < -CLOCK_SKEW_SECONDS_MAX
    updated_at = now if is_set_back else max(now, bucket.updated_at)
    if bucket.per_second is None:
        return replace(bucket, updated_at=updated_at)
    burst = max(1.0, bucket.per_second * BURST_SECONDS)
    filled = bucket.tokens + max(0.0, elapsed) * bucket.per_second
    return replace(bucket, tokens=min(burst, filled), updated_at=updated_at)


def paused_seconds(bucket: Bucket, now: datetime) -> float:
    """Return how long all calls still rest, zero or less if they do not."""
    if bucket.paused_until is None:
        return 0.0
    # No pause is longer than the longest, so a clock that was set back cannot stop the tenant.
    return min((bucket.paused_until - now).total_seconds(), PAUSE_SECONDS_MAX)
