"""How fast to call, as a value: a token bucket that learns from what the service says.

One bucket serves a tenant on all hosts, so its times are moments, not seconds of one machine.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sync.dokstamp.answer import RateLimit

BURST_SECONDS: Final = 0.1
"""Calls saved up while idle, in seconds of the rate: enough to make up for late timers."""
RATE_FLOOR: Final = 0.1
"""The slowest rate that throttling leads to, as a share of the configured one."""
RATE_REGAINED: Final = 0.02
"""What every call that is not throttled gives back, as a share of the configured rate."""
PAUSE_SECONDS_MAX: Final = 3600.0
CLOCK_SKEW_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many calls may go now, how fast that refills, and until when all calls rest."""

    per_second_max: float
    """The configured rate; 0 means that there is none."""
    per_second: float
    """The rate now: at most the configured one, less after throttling."""
    tokens: float
    updated_at: datetime
    paused_until: datetime | None = None


def make_bucket(per_second_max: float, now: datetime) -> Bucket:
    """Return a bucket for this rate in which one call is ready to go."""
    if per_second_max < 0:
        message = "DOKSTAMP_REQUESTS_PER_SECOND_MAX is negative: set 0 for no limit"
        raise ValueError(message)
    return Bucket(per_second_max, per_second_max, tokens=1.0, updated_at=now)


def take(bucket: Bucket, now: datetime) -> tuple[Bucket, float]:
    """Return the bucket after asking for one call, and how long to wait before asking again.

    A wait of 0 means that the call may go; otherwise nothing was taken.
    """
    pause = paused_seconds(bucket, now)
    if pause > 0:
        return bucket, pause
    bucket = _refill(bucket, now)
    if bucket.per_second_max == 0:
        return bucket, 0.0
    # Sums of small steps may miss a whole token by less than any clock can tell.
    if bucket.tokens >= 1 - 1e-9:
        return replace(bucket, tokens=max(0.0, bucket.tokens - 1)), 0.0
    return bucket, (1 - bucket.tokens) / bucket.per_second


def pause(bucket: Bucket, until: datetime, *, now: datetime) -> Bucket:
    """Return the bucket with all calls resting until then, or until a later moment set before."""
    latest = now + timedelta(seconds=PAUSE_SECONDS_MAX)
    until = min(until, latest)
    if bucket.paused_until is not None:
        until = max(until, min(bucket.paused_until, latest))
    return replace(bucket, paused_until=until)


def throttled(bucket: Bucket, *, wait_seconds: float, now: datetime) -> Bucket:
    """Return the bucket after a 429: everything rests, and goes on at half the rate."""
    slower = bucket.per_second
    if paused_seconds(bucket, now) <= 0:
        # Calls under way together are throttled together, which is one message, not many.
        slower = max(bucket.per_second / 2, bucket.per_second_max * RATE_FLOOR)
    rested = replace(_refill(bucket, now), per_second=slower, tokens=0.0)
    return pause(rested, now + timedelta(seconds=max(0.0, wait_seconds)), now=now)


def passed(bucket: Bucket) -> Bucket:
    """Return the bucket after a call that was not throttled: a little faster, if it was slowed."""
    faster = bucket.per_second + bucket.per_second_max * RATE_REGAINED
    return replace(bucket, per_second=min(bucket.per_second_max, faster))


def adapt(bucket: Bucket, limit: RateLimit | None, *, now: datetime) -> Bucket:
    """Return the bucket after the service told what remains of its limit (API 6.2).

    The length of its window is unknown, so only what holds for every length is concluded.
    """
    if limit is None or limit.remaining is None:
        return bucket
    bucket = _refill(bucket, now)
    bucket = replace(bucket, tokens=min(bucket.tokens, float(limit.remaining)))
    if limit.remaining == 0 and limit.reset_seconds is not None:
        return pause(bucket, now + timedelta(seconds=limit.reset_seconds), now=now)
    return bucket


def _refill(bucket: Bucket, now: datetime) -> Bucket:
    elapsed = (now - bucket.updated_at).total_seconds()
    # Hosts differ by a little, and a clock may be set back by a lot: the first must not
    # fill the bucket twice, the second must not leave it empty for hours.
    is_set_back = elapsed < -CLOCK_SKEW_SECONDS_MAX
    updated_at = now if is_set_back else max(now, bucket.updated_at)
    burst = max(1.0, bucket.per_second_max * BURST_SECONDS)
    tokens = min(burst, bucket.tokens + max(0.0, elapsed) * bucket.per_second)
    return replace(bucket, tokens=tokens, updated_at=updated_at)


def paused_seconds(bucket: Bucket, now: datetime) -> float:
    """Return how long all calls still rest, zero or less if they do not."""
    if bucket.paused_until is None:
        return 0.0
    # No pause is longer than the longest, so a clock that was set back cannot stop the tenant.
    return min((bucket.paused_until - now).total_seconds(), PAUSE_SECONDS_MAX)
