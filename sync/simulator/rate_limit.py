"""The service's rate limit: so many requests in each minute of the clock, per tenant.

It may say nothing of itself, tell how long to wait when it refuses, or tell with every answer how
many requests a window holds and how many of them remain (API 6.2).
"""

from dataclasses import replace
from datetime import datetime

from sync.simulator.message import SimulatedResponse
from sync.simulator.refusal import RefusedError, refused_response
from sync.simulator.switches import Switches


class RateLimit:
    """Counts the requests of the current minute."""

    def __init__(self) -> None:
        self._minute = -1
        self._counts: dict[str, int] = {}

    def refuse(self, tenant: str, *, switches: Switches, now: datetime) -> SimulatedResponse | None:
        """Return the 429 of a request too many, or none."""
        limit = switches.requests_per_minute
        if limit is None:
            return None
        minute, second = divmod(int(now.timestamp()), 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        self._counts[tenant] = self._counts.get(tenant, 0) + 1
        if self._counts[tenant] <= limit:
            return None
        refused = too_many(None if switches.is_limit_silent else str(60 - second))
        return self.tell(refused, tenant=tenant, switches=switches)

    def tell(
        self, response: SimulatedResponse, *, tenant: str, switches: Switches
    ) -> SimulatedResponse:
        """Return an answer to a request that was counted, with what it tells of the limit."""
        limit = switches.requests_per_minute
        if limit is None or not switches.is_limit_told:
            return response
        remaining = max(0, limit - self._counts.get(tenant, 0))
        told = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining)}
        return replace(response, headers={**response.headers, **told})


def too_many(retry_after: str | None, *, edition: str = "new") -> SimulatedResponse:
    """Return a 429, with the given `Retry-After` if any."""
    plain = refused_response(RefusedError(429), edition=edition)
    hint = {} if retry_after is None else {"Retry-After": retry_after}
    return SimulatedResponse(429, headers={**plain.headers, **hint}, body=plain.body)
