"""Forms of e-mail and web addresses."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ledger.reference import Json
from sync.resources.values import Fault, Form, holds_unsafe_characters

_EMAIL_LENGTH_MAX = 254
_LOCAL_LENGTH_MAX = 64
_WEBSITE_LENGTH_MAX = 2048
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN = re.compile(r"([^\W_]([\w-]*[^\W_])?\.)+[^\W_]([\w-]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Email(Form):
    """An e-mail address: sent as the source has it, compared without letter case."""

    def read(self, value: object) -> Json | Fault:
        """Return the address without blanks at its ends."""
        if not isinstance(value, str):
            return Fault("", "type", "must be text")
        address = value.strip()
        local, _, domain = address.rpartition("@")
        fits = len(address) <= _EMAIL_LENGTH_MAX and len(local) <= _LOCAL_LENGTH_MAX
        if not (fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
            return Fault("", "email", "must be an e-mail address such as name@example.edu")
        return address

    def same(self, first: Json, second: Json) -> bool:
        """Tell whether two spellings are one address."""
        return self.key(first) == self.key(second)

    def key(self, value: Json) -> str:
        """Return the address trimmed and in lower case."""
        return "" if value is None else str(value).strip().lower()


@dataclass(frozen=True, slots=True)
class Website(Form):
    """A complete web address."""

    def read(self, value: object) -> Json | Fault:
        """Return the address without blanks at its ends."""
        if not isinstance(value, str):
            return Fault("", "type", "must be text")
        address = value.strip()
        if len(address) > _WEBSITE_LENGTH_MAX or not _is_web_address(address):
            return Fault("", "website", "must be a web address such as https://www.example.edu")
        return address


def _is_web_address(address: str) -> bool:
    if holds_unsafe_characters(address) or any(c.isspace() for c in address):
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        # Reading the port raises when it is no number.
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_host = _DOMAIN.fullmatch(host) is not None or host == "localhost"
    return parts.scheme in {"http", "https"} and is_host and has_port
