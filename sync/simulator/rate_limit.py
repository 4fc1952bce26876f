"""The service's rate limit: so many requests in each minute of the clock, per tenant."""

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
        return too_many(None if switches.rate_limit.endswith("_silent") else str(60 - second))


def too_many(retry_after: str | None, *, edition: str = "new") -> SimulatedResponse:
    """Return a 429, with the given `Retry-After` if any."""
    plain = refused_response(RefusedError(429), edition=edition)
    hint = {} if retry_after is None else {"Retry-After": retry_after}
    return SimulatedResponse(429, headers={**plain.headers, **hint}, body=plain.body)
