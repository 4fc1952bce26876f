"""How hosts share the allowed rate of one tenant: slot by slot, never more than the rate in all.

```
 second      │    12     │    13     │    14     │   the allowed rate is 10 a second
 host A      │ 10 ...... │ 10 ...... │  5 ...... │   alone, it has all of it
 host B      │           │  0 ...... │  5 ...... │   asks in second 13, is given what is left
```

Every host asks once a second for its part of the second that is coming. What is given in a second
is counted, so hosts that believe different things of one another still never exceed the rate;
what a host that died was given is over with that second. What one host learns (a 429, a header,
the end of an outage) it tells when it asks, and the others hear of it when they ask.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sync.dispatcher.circuit import PROBE_SECONDS_MAX

SLOT_SECONDS: Final = 1.0
HOST_SECONDS: Final = 3.0
"""A host that did not ask for so long wants nothing."""
HEADROOM: Final = 0.97
"""The part of the allowed rate that is used: timers, networks and windows are never exact."""
SHARE_MIN: Final = 0.1
"""The slowest that throttling leads to, as a part of the allowed rate."""
SHARE_AFTER_OUTAGE: Final = 0.25
"""The part of the rate with which calls begin again when the service returns."""
SHARE_REGAINED: Final = 0.02
"""What every call that passes gives back."""
PAUSE_SECONDS_MAX: Final = 3600.0
TOLD_SECONDS: Final = 300.0
"""How long a rate that the service told holds while its answers tell none."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """What all hosts know together; moments are seconds on the clock that they share."""

    slot: int = 0
    """The second in which something was given last."""
    given: float = 0.0
    """What hosts were given of that second, in calls a second."""
    given_next: float = 0.0
    """What they were given of the second after it."""
    share: float = 1.0
    """The part of the allowed rate that is used now: less after throttling or an outage."""
    told_per_second: float | None = None
    """The rate that the service's own headers come to."""
    told_at: float = 0.0
    """When an answer told it last."""
    paused_until: float = 0.0
    probe_after: float = 0.0
    """While the service is down: when one of the hosts may look whether it is back."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a host wants, and what it learnt since it asked last."""

    per_second_max: float
    """The rate in its settings; 0 for none."""
    wanted: float = math.inf
    """How many calls a second it could make."""
    held_slot: int = -1
    """The last second of which it was given a part."""
    passed: int = 0
    """Calls that were not throttled."""
    has_succeeded: bool = False
    """Whether DokStamp did what was asked, so that it takes the credentials and the tenant."""
    is_throttled: bool = False
    pause_seconds: float = 0.0
    """How long the service asked everybody to rest."""
    told_per_second: float | None = None
    """The rate that answers told since then, if they told one."""
    has_returned: bool = False
    """Whether the service answers again after an outage."""
    probe_seconds: float = 0.0
    """When positive: the host would look now whether the service is back; how often it does."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the rate for one second."""

    slot: int
    per_second: float | None
    """`None` where there is no limit."""

    @property
    def starts_at(self) -> float:
        """When it begins, on the clock that hosts share."""
        return self.slot * SLOT_SECONDS

    @property
    def ends_at(self) -> float:
        """When it is over."""
        return self.starts_at + SLOT_SECONDS


@dataclass(frozen=True, slots=True)
class Grant:
    """What a host may do."""

    now: float
    """The moment on the clock that hosts share."""
    slices: tuple[Slice, ...] = ()
    paused_until: float = 0.0
    probe_wait: float = 0.0
    """How long it leaves the next probe to others; 0 if it may look itself."""
    others: int = 0
    """How many other hosts call now."""
    allowed_per_second: float | None = field(default=None)
    """What all hosts together may use now; `None` without a limit."""


def deal(
    tenant: Tenant, report: Report, *, now: float, others: Sequence[float]
) -> tuple[Tenant, Grant]:
    """Return what all know after a host has asked, and what it is given.

    `others` are the rates that other hosts wanted when they last asked.
    """
    tenant = _roll(_learn(tenant, report, now=now), int(now // SLOT_SECONDS))
    allowed = allowed_per_second(tenant, report.per_second_max)
    slices: list[Slice] = []
    for slot in (tenant.slot, tenant.slot + 1):
        if slot > report.held_slot:
            tenant, part = _give(tenant, slot, allowed=allowed, report=report, others=others)
            slices.append(Slice(slot, part))
    tenant, probe_wait = _probe(tenant, report, now=now)
    grant = Grant(
        now,
        tuple(slices),
        paused_until=tenant.paused_until,
        probe_wait=probe_wait,
        others=len(others),
        allowed_per_second=allowed,
    )
    return tenant, grant


def allowed_per_second(tenant: Tenant, per_second_max: float) -> float | None:
    """Return the rate that all hosts together may use now; `None` if nobody named one."""
    limits = [per_second_max] if per_second_max > 0 else []
    if tenant.told_per_second is not None:
        limits.append(tenant.told_per_second)
    return min(limits) * HEADROOM * tenant.share if limits else None


def part_of(rate: float, wanted: float, others: Sequence[float]) -> float:
    """Return a host's part: who wants less leaves the rest to who wants more."""
    left, hosts = rate, len(others) + 1
    for want in sorted([wanted, *others]):
        level = left / hosts
        if want >= level:
            return min(wanted, level)
        left -= want
        hosts -= 1
    # Everybody has enough: what is left over is room to grow.
    return wanted + left / (len(others) + 1)


def _learn(tenant: Tenant, report: Report, *, now: float) -> Tenant:
    share = min(1.0, tenant.share + report.passed * SHARE_REGAINED)
    # Calls under way together are throttled together, which is one message, not many.
    if report.is_throttled and tenant.paused_until <= now:
        share = max(SHARE_MIN, tenant.share / 2)
    if report.has_returned:
        share = min(share, SHARE_AFTER_OUTAGE)
    asked_until = now + min(report.pause_seconds, PAUSE_SECONDS_MAX)
    # No pause is longer than the longest, so a clock that was set back cannot stop the tenant.
    paused_until = max(asked_until, min(tenant.paused_until, now + PAUSE_SECONDS_MAX))
    told, told_at = _told(tenant, report, now=now)
    return replace(
        tenant,
        share=share,
        told_per_second=told,
        told_at=told_at,
        paused_until=paused_until if paused_until > now else 0.0,
        probe_after=0.0 if report.has_returned else tenant.probe_after,
    )


def _told(tenant: Tenant, report: Report, *, now: float) -> tuple[float | None, float]:
    """Return the rate that the service told last, and when; none once answers tell none."""
    if report.told_per_second is not None:
        return report.told_per_second, now
    # The bound heals a clock that was set back.
    told_at = min(tenant.told_at, now)
    # While nothing is answered nothing is told, and what was told may well hold still.
    is_over = report.passed > 0 and now - told_at >= TOLD_SECONDS
    return None if is_over else tenant.told_per_second, told_at


def _roll(tenant: Tenant, slot: int) -> Tenant:
    if slot == tenant.slot:
        return tenant
    if slot == tenant.slot + 1:
        return replace(tenant, slot=slot, given=tenant.given_next, given_next=0.0)
    # Nobody asked for a while, or the clock was set back: what was given is over.
    return replace(tenant, slot=slot, given=0.0, given_next=0.0)


def _give(
    tenant: Tenant, slot: int, *, allowed: float | None, report: Report, others: Sequence[float]
) -> tuple[Tenant, float | None]:
    if allowed is None:
        return tenant, None
    is_now = slot == tenant.slot
    given = tenant.given if is_now else tenant.given_next
    part = max(0.0, min(part_of(allowed, report.wanted, others), allowed - given))
    if is_now:
        return replace(tenant, given=given + part), part
    return replace(tenant, given_next=given + part), part


def _probe(tenant: Tenant, report: Report, *, now: float) -> tuple[Tenant, float]:
    if report.probe_seconds <= 0:
        return tenant, 0.0
    # The bound heals a clock that was set back.
    wait = min(tenant.probe_after - now, report.probe_seconds)
    if wait > 0:
        # Kept, or everybody would be put off for as long as the clock was set back.
        latest = now + max(report.probe_seconds, PROBE_SECONDS_MAX)
        return replace(tenant, probe_after=min(tenant.probe_after, latest)), wait
    return replace(tenant, probe_after=now + report.probe_seconds), 0.0
