"""Leaps of the clock that leases and settle windows go by, seen against one that never leaps.

A window that a leap ended may have lasted no time at all. So after a leap forward nothing is found
out about what is in doubt until a whole window has passed on the clock that never leaps. A process
that was just started knows of no leap before it and goes by the clock alone.
"""

from dataclasses import dataclass
from typing import Final

TOLERATED_SECONDS: Final = 1.0
"""How far two readings may stray without a leap: a look that took its time, a clock that is set."""


@dataclass(slots=True)
class Leaps:
    """Watches one clock by another; told the time whenever somebody goes by it."""

    settle_seconds: float
    _ahead: float | None = None
    """How far the watched clock is ahead of the one that never leaps."""
    _until: float = float("-inf")
    """On the clock that never leaps."""

    def rest_seconds(self, now: float, *, monotonic: float, since: float | None = None) -> float:
        """Return for how long what is in doubt must be left alone.

        `since` is when the reading of `now` began, on the clock that never leaps.
        """
        rest = max(0.0, self._until - monotonic)
        if since is not None and monotonic - since > TOLERATED_SECONDS:
            # Read too far apart to tell a leap from a stall: only the next reading can.
            return max(rest, TOLERATED_SECONDS) if self._may_have_leapt(now - since) else rest
        ahead = now - monotonic
        if self._may_have_leapt(ahead):
            self._until = monotonic + self.settle_seconds
            self._ahead = ahead
        else:
            # The lowest so far: small steps that add up to a leap are one.
            self._ahead = ahead if self._ahead is None else min(ahead, self._ahead)
        return max(0.0, self._until - monotonic)

    def _may_have_leapt(self, ahead: float) -> bool:
        return self._ahead is not None and ahead - self._ahead > TOLERATED_SECONDS
