"""What is told of an outage: once when it begins, now and then while it lasts, once at its end."""

from datetime import datetime, timedelta
from typing import Final

from sync.dispatcher.outage import Outage
from sync.telemetry.signals import Announce, CircuitChanged, TenantPaused

REMIND_SECONDS: Final = 600.0
"""How long nothing is told again that was told already."""


class Tidings:
    """Remembers what was told, so that an outage of a day is a few lines."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._told: Outage | None = None
        self._told_at: datetime | None = None
        self._paused_at: datetime | None = None

    def tell(self, now_seen: Outage | None, *, now: datetime) -> None:
        """Tell of an outage, or of its end, unless that was told lately; `now` is people's time."""
        before = self._told
        if now_seen is None and before is not None:
            self._told = self._told_at = None
            self._announce(_signal(before, "closed", now))
        elif now_seen is not None and self._is_news(now_seen, now):
            self._told, self._told_at = now_seen, now
            self._announce(_signal(now_seen, "open" if before is None else "still_open", now))
        elif now_seen is not None:
            self._told = now_seen

    def tell_pause(self, seconds: float, *, now: datetime) -> None:
        """Tell that the service asked for a rest, unless that was told lately."""
        if self._paused_at is None or now - self._paused_at >= timedelta(seconds=REMIND_SECONDS):
            self._paused_at = now
            self._announce(TenantPaused(round(seconds, 3)))

    def _is_news(self, seen: Outage, now: datetime) -> bool:
        if self._told is None or self._told_at is None or seen.calls != self._told.calls:
            return True
        return now - self._told_at >= timedelta(seconds=REMIND_SECONDS)


def _signal(outage: Outage, state: str, now: datetime) -> CircuitChanged:
    return CircuitChanged(
        state,
        calls=outage.calls,
        reason=outage.reason,
        why=outage.why,
        seconds=round(max(0.0, (now - outage.since).total_seconds()), 1),
        probes=outage.probes,
    )
