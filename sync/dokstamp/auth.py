"""How a token is asked for, read and kept, as decisions without I/O (API 4).

```
 no token ──► refresh, once, if the last answer gave one ──► Token
                  └─ refused ─► credentials ──► Token
                                     └─ refused ─► Denial: configuration, never retried
```
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.edition import BY_AUTH_MODE, AuthMode
from sync.dokstamp.wire import encode_body

RENEW_MARGIN_SECONDS: Final = 60.0
RENEW_MARGIN_SHARE: Final = 0.1
"""A token that lives shorter than ten margins is renewed after nine tenths of its life."""
LIFETIME_SECONDS_MAX: Final = 31_536_000
LIFETIME_SECONDS_UNSAID: Final = 3_600
"""How long a token is used whose answer does not say: a 401 renews it in any case."""

_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The newer way in: a service token (API 4.1)."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """The older way in: a user's e-mail and password (API 4.2)."""

    email: str = field(repr=False)
    password: str = field(repr=False)


Credentials = ClientCredentials | Login


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One way to ask for a token; always a POST, and never with a tenant."""

    path: str
    content_type: str
    content: bytes = field(repr=False)
    is_refresh: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the resource endpoints, until when, and what renews it."""

    value: str = field(repr=False)
    expires_at: datetime
    renew_at: datetime
    """From here on a new one is asked for before the next request."""
    refresh: str = field(default="", repr=False)

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the token may be used without renewing it first."""
        return now < self.renew_at

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the service no longer takes the token."""
        return now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Denial:
    """The credentials or the address are wrong; a person must correct a setting."""

    message: str


def token_requests(credentials: Credentials, refresh: str = "") -> tuple[TokenRequest, ...]:
    """Return the ways to ask for a token, in the order to try them.

    A refresh token is good for one try: it rotates, so a lost answer has used it up.
    """
    requests = [_first_request(credentials)]
    refresh_path = BY_AUTH_MODE[auth_mode(credentials)].refresh_path
    if refresh and refresh_path is not None:
        content = encode_body({"refresh_token": refresh})
        requests.insert(0, TokenRequest(refresh_path, "application/json", content, is_refresh=True))
    return tuple(requests)


def auth_mode(credentials: Credentials) -> AuthMode:
    """Return the way in that these credentials are for."""
    is_login = isinstance(credentials, Login)
    return AuthMode.LOGIN if is_login else AuthMode.CLIENT_CREDENTIALS


def read_token(
    credentials: Credentials, request: TokenRequest, answer: Answer, *, now: datetime
) -> Token | Denial | Answer:
    """Return the token that an answer gives, or why there is none.

    An `Answer` is what the request that needed the token is then answered with: nothing of it
    was sent, and it can be tried again.
    """
    status = answer.status
    if answer.meaning is Meaning.DONE:
        token = _parse(answer.body, now)
        return token if token is not None else _not_now(answer)
    if answer.meaning is Meaning.THROTTLED:
        return _not_now(answer, Meaning.THROTTLED)
    if status in {301, 308}:
        return Denial(
            f"{request.path} is answered with a redirect ({status}): "
            "set DOKSTAMP_BASE_URL to the address it leads to"
        )
    if status is None or status // 100 != 4 or status == 408:
        return _not_now(answer)
    if status in {404, 405, 410}:
        return Denial(
            f"there is no {request.path} at this address ({status}): "
            "check DOKSTAMP_BASE_URL and DOKSTAMP_AUTH_MODE"
        )
    return Denial(
        f"DokStamp refuses the credentials ({status}): check {_SETTINGS[auth_mode(credentials)]}"
    )


_SETTINGS: Final = {
    AuthMode.CLIENT_CREDENTIALS: "DOKSTAMP_CLIENT_ID and DOKSTAMP_CLIENT_SECRET",
    AuthMode.LOGIN: "DOKSTAMP_EMAIL and DOKSTAMP_PASSWORD",
}


def _first_request(credentials: Credentials) -> TokenRequest:
    path = BY_AUTH_MODE[auth_mode(credentials)].token_path
    if isinstance(credentials, Login):
        body = {"email": credentials.email, "password": credentials.password}
        return TokenRequest(path, "application/json", encode_body(body))
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    if credentials.scope:
        form["scope"] = credentials.scope
    return TokenRequest(path, "application/x-www-form-urlencoded", urlencode(form).encode())


def _parse(body: Any, now: datetime) -> Token | None:  # noqa: ANN401 - the decoder's edge
    if not isinstance(body, Mapping):
        return None
    value = body.get("access_token")
    kind = body.get("token_type", "Bearer")
    refresh = body.get("refresh_token")
    # The value goes into a header as it is, so it may hold nothing that ends one.
    if not isinstance(value, str) or not _BEARER.fullmatch(value):
        return None
    if not isinstance(kind, str) or kind.casefold() != "bearer":
        return None
    seconds = _lifetime_seconds(body.get("expires_in"))
    margin = min(RENEW_MARGIN_SECONDS, seconds * RENEW_MARGIN_SHARE)
    return Token(
        value,
        expires_at=now + timedelta(seconds=seconds),
        renew_at=now + timedelta(seconds=seconds - margin),
        refresh=refresh if isinstance(refresh, str) else "",
    )


def _lifetime_seconds(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return LIFETIME_SECONDS_UNSAID
    return min(value, LIFETIME_SECONDS_MAX)


def _not_now(answer: Answer, meaning: Meaning = Meaning.UNAVAILABLE) -> Answer:
    return Answer(
        meaning,
        answer.status if meaning is Meaning.THROTTLED else None,
        retry_after_seconds=answer.retry_after_seconds,
        fault=Fault.TOKEN,
    )
