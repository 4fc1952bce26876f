"""The two editions of the documentation, as data: what they differ in and we depend on (API 2)."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class AuthMode(StrEnum):
    """How a token is had."""

    CLIENT_CREDENTIALS = "client_credentials"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Edition:
    """What one edition of the documentation says where the other says otherwise."""

    name: str
    base_url: str
    auth_mode: AuthMode
    token_path: str
    refresh_path: str | None
    token_lifetime_seconds: int
    """As documented; an answer's own `expires_in` always wins."""
    issue_style: str
    """What alone makes a certificate issued: `finish`, or `status` with `issued_at`."""


NEWER: Final = Edition(
    name="newer",
    base_url="https://api.dokstamp.com",
    auth_mode=AuthMode.CLIENT_CREDENTIALS,
    token_path="/oauth/token",  # noqa: S106 - a path, not a secret
    refresh_path=None,
    token_lifetime_seconds=43_200,
    issue_style="finish",
)

OLDER: Final = Edition(
    name="older",
    base_url="https://api.dokstamp.eu",
    auth_mode=AuthMode.LOGIN,
    token_path="/auth/login",  # noqa: S106 - a path, not a secret
    refresh_path="/auth/refresh",
    token_lifetime_seconds=31_536_000,
    issue_style="status",
)

BY_AUTH_MODE: Final = MappingProxyType({edition.auth_mode: edition for edition in (NEWER, OLDER)})
"""Both ways in exist at once on the current site, so the way in decides and the host is free."""
