"""The way in: public calls, headers, token, tenant and rate limit, before any handler runs."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sync.simulator.authentication import Tokens, describe_me
from sync.simulator.message import (
    JsonObject,
    SimulatedRequest,
    SimulatedResponse,
    html_response,
)
from sync.simulator.rate_limit import RateLimit
from sync.simulator.refusal import RefusedError
from sync.simulator.routes import Route, find_route
from sync.simulator.switches import Switches

_OPEN_TO = {
    ("POST", "/oauth/token"): frozenset({"new", "mixed"}),
    ("POST", "/auth/login"): frozenset({"old", "mixed"}),
    ("POST", "/auth/refresh"): frozenset({"old", "mixed"}),
    ("POST", "/auth/logout"): frozenset({"new", "old", "mixed"}),
    ("GET", "/auth/me"): frozenset({"new", "old", "mixed"}),
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may reach its handler."""

    route: Route
    parameters: dict[str, str]
    tenant: str


@dataclass(slots=True)
class Gatekeeper:
    """Lets requests in, or answers them at the gate."""

    tokens: Tokens
    limit: RateLimit = field(default_factory=RateLimit)

    def admit(
        self, request: SimulatedRequest, *, switches: Switches, now: datetime, marks: set[str]
    ) -> Admitted | SimulatedResponse:
        """Return what may reach its handler, or the answer given at the gate."""
        route, parameters = find_route(request.method, request.path)
        if route.is_public:
            return Admitted(route, parameters, "")
        has_accept = "application/json" in request.header("accept").lower()
        has_tenant = bool(request.header("x-tenant"))
        marks |= set() if has_accept else {"missing_accept"}
        marks |= set() if has_tenant else {"missing_tenant"}
        if not has_accept and switches.missing_accept == "redirect":
            return html_response(302, headers={"Location": "/login"})
        session = self.tokens.session(request, now=now)
        tenant = request.header("x-tenant")
        if tenant not in self.tokens.tenants:
            raise RefusedError(_missing_tenant_status(route, switches))
        if tenant != session.tenant.domain:
            raise RefusedError(403)
        too_many = self.limit.refuse(tenant, switches=switches, now=now)
        return too_many or Admitted(route, parameters, tenant)

    def authenticate(
        self,
        request: SimulatedRequest,
        body: JsonObject,
        *,
        switches: Switches,
        now: datetime,
        rng: Random,
    ) -> SimulatedResponse:
        """Answer a call of the `/oauth` and `/auth` families."""
        if switches.edition not in _OPEN_TO.get((request.method, request.path), ()):
            raise RefusedError(404)
        match request.path:
            case "/oauth/token":
                return self.tokens.service_token(request, now=now, rng=rng)
            case "/auth/login":
                return self.tokens.login(body, now=now, rng=rng)
            case "/auth/refresh":
                return self.tokens.refresh(body, now=now, rng=rng)
        session = self.tokens.session(request, now=now)
        if request.path == "/auth/logout":
            return self.tokens.log_out(request)
        return describe_me(session, switches=switches)


def _missing_tenant_status(route: Route, switches: Switches) -> int:
    if switches.missing_tenant == "per_endpoint":
        return 404 if "{uuid}" in route.pattern else 401
    return int(switches.missing_tenant)
