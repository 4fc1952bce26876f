"""Tokens: both ways in, expiry, rotation, and who a request speaks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from urllib.parse import parse_qsl

from sync.simulator.message import JsonObject, SimulatedRequest, SimulatedResponse, json_response
from sync.simulator.refusal import Errors, RefusedError, invalid
from sync.simulator.switches import Switches
from sync.simulator.tables import mint_uuid

SERVICE_TOKEN_SECONDS = 43_200
USER_TOKEN_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A customer of the practice service with its practice credentials."""

    domain: str
    name: str
    client_id: str
    client_secret: str = field(repr=False)
    email: str = field(repr=False)
    password: str = field(repr=False)


def practice_tenant(domain: str) -> Tenant:
    """Return a tenant whose credentials follow from its domain."""
    return Tenant(
        domain=domain,
        name=domain.replace("-", " ").title(),
        client_id=f"{domain}-client",
        client_secret=f"{domain}-secret",
        email=f"integration@{domain}.example",
        password=f"{domain}-password",
    )


PRACTICE_TENANT = practice_tenant("practice-university")
FOREIGN_TENANT = practice_tenant("foreign-university")


@dataclass(frozen=True, slots=True)
class Session:
    """What a valid token stands for."""

    tenant: Tenant
    is_user: bool
    expires_at: datetime


class Tokens:
    """Issues tokens and remembers which are valid."""

    def __init__(self, tenants: tuple[Tenant, ...], *, lifetime_seconds: int | None = None) -> None:
        self.tenants = {tenant.domain: tenant for tenant in tenants}
        self.lifetime_seconds = lifetime_seconds
        self._sessions: dict[str, Session] = {}
        self._refreshable: dict[str, Tenant] = {}

    def expire_all(self) -> None:
        """Make every access token invalid at once."""
        self._sessions.clear()

    def session(self, request: SimulatedRequest, *, now: datetime) -> Session:
        """Return what the request's token stands for, or refuse with 401."""
        scheme, _, token = request.header("authorization").partition(" ")
        session = self._sessions.get(token.strip())
        if scheme.lower() != "bearer" or session is None or session.expires_at <= now:
            raise RefusedError(401)
        return session

    def service_token(
        self, request: SimulatedRequest, *, now: datetime, rng: Random
    ) -> SimulatedResponse:
        """Answer `POST /oauth/token`."""
        form = _form(request)
        if form.get("grant_type") != "client_credentials":
            return _oauth_refusal(400, "unsupported_grant_type", "The grant type is not supported.")
        tenant = next(
            (one for one in self.tenants.values() if one.client_id == form.get("client_id")), None
        )
        if tenant is None or tenant.client_secret != form.get("client_secret"):
            return _oauth_refusal(401, "invalid_client", "Client authentication failed")
        seconds = self.lifetime_seconds or SERVICE_TOKEN_SECONDS
        token = self._grant(tenant, is_user=False, seconds=seconds, now=now, rng=rng)
        return json_response(
            200, {"token_type": "Bearer", "expires_in": seconds, "access_token": token}
        )

    def login(self, body: Mapping[str, object], *, now: datetime, rng: Random) -> SimulatedResponse:
        """Answer `POST /auth/login`."""
        _require(body, "email", "password")
        for tenant in self.tenants.values():
            if (tenant.email, tenant.password) == (body["email"], body["password"]):
                return self._log_in(tenant, now=now, rng=rng)
        return json_response(401, {"message": "These credentials do not match our records."})

    def refresh(
        self, body: Mapping[str, object], *, now: datetime, rng: Random
    ) -> SimulatedResponse:
        """Answer `POST /auth/refresh`; the refresh token is spent."""
        _require(body, "refresh_token")
        tenant = self._refreshable.pop(str(body["refresh_token"]), None)
        if tenant is None:
            return json_response(401, {"message": "The refresh token is invalid."})
        return self._log_in(tenant, now=now, rng=rng)

    def log_out(self, request: SimulatedRequest) -> SimulatedResponse:
        """Answer `POST /auth/logout`; the access token is void."""
        token = request.header("authorization").partition(" ")[2].strip()
        self._sessions.pop(token, None)
        return json_response(200, {"message": "Logged out."})

    def _log_in(self, tenant: Tenant, *, now: datetime, rng: Random) -> SimulatedResponse:
        seconds = self.lifetime_seconds or USER_TOKEN_SECONDS
        token = self._grant(tenant, is_user=True, seconds=seconds, now=now, rng=rng)
        refresh_token = _random_text(rng)
        self._refreshable[refresh_token] = tenant
        return json_response(
            200,
            {
                "access_token": token,
                "refresh_token": refresh_token,
                "token_type": "Bearer",
                "expires_in": seconds,
            },
        )

    def _grant(
        self, tenant: Tenant, *, is_user: bool, seconds: int, now: datetime, rng: Random
    ) -> str:
        token = ".".join(_random_text(rng) for _ in range(3))
        self._sessions[token] = Session(tenant, is_user, now + timedelta(seconds=seconds))
        return token


def describe_me(session: Session, *, switches: Switches) -> SimulatedResponse:
    """Answer `GET /auth/me`, with the identifiers of the edition."""
    if not session.is_user and switches.me_for_service_token == "401":  # noqa: S105 - a status
        raise RefusedError(401)
    tenant = session.tenant
    user_ids, tenant_ids = _ids(f"user {tenant.domain}"), _ids(tenant.domain)
    shown = {"old": ("id",), "new": ("uuid",), "mixed": ("id", "uuid")}[switches.edition]
    data: JsonObject = {
        **{name: user_ids[name] for name in shown},
        "name": "Integration",
        "email": tenant.email,
        "tenant": {
            **{name: tenant_ids[name] for name in shown},
            "name": tenant.name,
            "domain": tenant.domain,
        },
    }
    return json_response(200, {"data": data})


def _ids(text: str) -> JsonObject:
    # Dice seeded by the name, so that the identifiers stay the same for ever.
    dice = Random(text)  # noqa: S311
    return {"id": dice.randrange(1, 10_000), "uuid": mint_uuid(dice)}


def _form(request: SimulatedRequest) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _require(body: Mapping[str, object], *names: str) -> None:
    errors: Errors = {
        name: [f"The {name.replace('_', ' ')} field is required."]
        for name in names
        if not isinstance(body.get(name), str) or not body.get(name)
    }
    if errors:
        raise invalid(errors)


def _oauth_refusal(status: int, error: str, words: str) -> SimulatedResponse:
    return json_response(status, {"error": error, "error_description": words, "message": words})


def _random_text(rng: Random) -> str:
    return f"{rng.getrandbits(160):040x}"
