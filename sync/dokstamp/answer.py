"""An answer of DokStamp, reduced to the eight things it can mean (API 6)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Meaning(StrEnum):
    """What an answer, or the lack of one, says about the request."""

    DONE = "done"
    INVALID = "invalid"
    """Understood and refused for its content: 400, 409, 413, 415, 422, but not to a DELETE."""
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    meaning: Meaning
    status: int | None
    """The HTTP status; `None` when no answer came."""
    body: Any = field(default=None, repr=False)
    """The decoded JSON body, or `None`."""
    retry_after_seconds: float | None = None
    fault: str = ""
    """A short code of what went wrong in transport: `timeout`, `reset`, `not_json`, …"""
