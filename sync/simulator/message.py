"""Requests and responses as plain values, so that the core needs no HTTP library."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

JsonObject = dict[str, object]

HTML_PAGE = b"<!DOCTYPE html><html><head><title>DokStamp</title></head><body>Sign in</body></html>"


@dataclass(frozen=True, slots=True)
class SimulatedRequest:
    """One request as the practice service sees it; header names are case-insensitive."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        lowered = {name.lower(): value for name, value in self.headers.items()}
        object.__setattr__(self, "headers", lowered)

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty text."""
        return self.headers.get(name.lower(), "")

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters, in lower case."""
        return self.header("content-type").split(";", 1)[0].strip().lower()

    @property
    def is_unsafe(self) -> bool:
        """Tell whether the request may change something."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class SimulatedResponse:
    """One answer, with what the wire is to do to it.

    `cut` breaks the connection instead of answering. `stall_seconds` holds the answer back.
    With a `ticket`, wait that long and then ask `World.collect(ticket)` for the real answer.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    cut: bool = False
    stall_seconds: float = 0.0
    ticket: int | None = None

    def decoded(self) -> object:
        """Return the body read as JSON."""
        return json.loads(self.body)


CUT = SimulatedResponse(0, cut=True)


def json_response(
    status: int, payload: object, *, headers: Mapping[str, str] | None = None
) -> SimulatedResponse:
    """Return a JSON answer."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return SimulatedResponse(
        status, headers={"Content-Type": "application/json", **(headers or {})}, body=body
    )


def html_response(status: int, *, headers: Mapping[str, str] | None = None) -> SimulatedResponse:
    """Return an HTML page, as a proxy or a login form would."""
    return SimulatedResponse(
        status,
        headers={"Content-Type": "text/html; charset=utf-8", **(headers or {})},
        body=HTML_PAGE,
    )
