"""An answer of DokStamp, reduced to the eight things it can mean (API 6)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Meaning(StrEnum):
    """What an answer, or the lack of one, says about the request."""

    DONE = "done"
    INVALID = "invalid"
    """Understood and refused for its content: 400, 413, 415, and 409, 422 but not to a DELETE."""
    MISSING = "missing"
    """404, 405 or 410: absent, another tenant's, or no such route."""
    REFUSED = "refused"
    """A DELETE answered 409, 422 or 5xx: protected by what depends on the record (API 6.4)."""
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    """Nothing was changed: a failed connect, or a read that failed."""
    UNCERTAIN = "uncertain"
    """The request may or may not have taken effect."""
    UNAUTHORISED = "unauthorised"
    """401 after a new token, or 403: configuration, for the whole tenant."""


class Fault(StrEnum):
    """What went wrong on the way, as the short code kept in evidence."""

    CONNECT = "connect"
    """No connection was made: nothing was sent."""
    TOKEN = "token"  # noqa: S105 - names a fault, holds no secret
    """No token that opens could be had just now: the request did nothing."""
    TIMEOUT = "timeout"
    RESET = "reset"
    """The connection ended before an answer came."""
    INCOMPLETE = "incomplete"
    """The connection ended inside the answer."""
    PROTOCOL = "protocol"
    """What came back is not HTTP."""
    TOO_LARGE = "too_large"
    """The answer is larger than any answer of DokStamp should be."""
    NOT_JSON = "not_json"
    REDIRECT = "redirect"
    """Redirects are never followed (API 14, trap 36)."""
    NOT_UNDERSTOOD = "not_understood"
    """JSON, but not the envelope that the call answers with."""


NOTHING_SENT: Final = frozenset({Fault.CONNECT, Fault.TOKEN})


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the service says about its limit; each part may be missing (API 6.2)."""

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    meaning: Meaning
    status: int | None
    """The HTTP status; `None` when no answer came."""
    body: Any = field(default=None, repr=False)
    """The decoded JSON body, or `None`; read it through `sync.dokstamp.envelope`."""
    retry_after_seconds: float | None = None
    fault: str = ""
    """A code of `Fault`, or nothing when the way there and back was sound."""
    rate_limit: RateLimit | None = None


class _Method(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"


_METHODS: Final = {"GET": _Method.READ, "HEAD": _Method.READ, "DELETE": _Method.DELETE}

_NO_ANSWER: Final = {
    _Method.READ: Meaning.UNAVAILABLE,
    _Method.WRITE: Meaning.UNCERTAIN,
    _Method.DELETE: Meaning.UNCERTAIN,
}
"""Timeout, reset, half an answer, a redirect, or an answer that makes no sense."""

_SERVER_FAULT: Final = _NO_ANSWER | {_Method.DELETE: Meaning.REFUSED}


def _always(meaning: Meaning) -> dict[_Method, Meaning]:
    return dict.fromkeys(_Method, meaning)


_CONTENT_REFUSED: Final = _always(Meaning.INVALID) | {_Method.DELETE: Meaning.REFUSED}

_BY_STATUS: Final = {
    401: _always(Meaning.UNAUTHORISED),
    403: _always(Meaning.UNAUTHORISED),
    404: _always(Meaning.MISSING),
    405: _always(Meaning.MISSING),
    409: _CONTENT_REFUSED,
    410: _always(Meaning.MISSING),
    422: _CONTENT_REFUSED,
    429: _always(Meaning.THROTTLED),
}

_BY_CLASS: Final = {
    2: _always(Meaning.DONE),
    4: _always(Meaning.INVALID),
    5: _SERVER_FAULT,
}


def classify(
    method: str, *, status: int | None, body_is_json: bool = True, fault: str = ""
) -> Meaning:
    """Return what an answer means, by its status alone and never by its texts (API 6).

    `body_is_json` is also true for a body that is rightly empty, as after a DELETE.
    """
    kind = _METHODS.get(method.upper(), _Method.WRITE)
    if fault in NOTHING_SENT:
        return Meaning.UNAVAILABLE
    if status is None:
        return _NO_ANSWER[kind]
    meaning = _BY_STATUS.get(status, _BY_CLASS.get(status // 100, _NO_ANSWER))[kind]
    if not body_is_json and _needs_json(meaning, kind):
        return _NO_ANSWER[kind]
    return meaning


def not_understood(method: str) -> Meaning:
    """Return what an answer means whose status is fine and whose content is not."""
    return _NO_ANSWER[_METHODS.get(method.upper(), _Method.WRITE)]


def _needs_json(meaning: Meaning, kind: _Method) -> bool:
    # A page of a proxy in between must prove neither that a write took effect nor that a
    # record is gone (API 3.2). Every other meaning stands on the status alone.
    return meaning is Meaning.DONE or (meaning is Meaning.MISSING and kind is _Method.READ)
