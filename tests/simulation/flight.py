"""A request on its way: when it left, what it did, and what its sender heard."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import inf
from typing import Final
from urllib.parse import parse_qsl

from sync.dokstamp.wire import Outgoing
from sync.simulator import SimulatedRequest
from tests.simulation.faults import SETTLE_SECONDS
from tests.simulation.loop import Process

BOUNDARY: Final = "simulated-boundary"


@dataclass(eq=False, slots=True)
class Flight:
    """One request: when it left, what it did, what its sender heard."""

    number: int
    process: Process
    method: str
    path: str
    query: str
    body: bytes
    sent_at: float
    started_at: datetime
    """By the sender's wall clock, as its evidence says."""
    ends_at: float
    """When its sender gives up, if it hears nothing."""
    fate: str = ""
    request_number: int | None = None
    """Its place in the order in which requests reached the service, if it did."""
    effect_at: float | None = None
    effect_status: int | None = None
    heard_at: float | None = None
    heard_status: int | None = None
    heard_fault: str = ""
    created: str = ""
    """The uuid of the record that it made."""
    known_at: float = inf
    """When the log told of what its sender heard; never, if it does not."""

    @property
    def is_unsafe(self) -> bool:
        """Whether it may change a record."""
        return self.method != "GET" and not self.path.startswith(("/oauth/", "/auth/"))

    @property
    def is_authorised(self) -> bool:
        """Whether it carries a token."""
        return not self.path.startswith(("/oauth/", "/auth/"))

    @property
    def digest(self) -> str:
        """What tells two equal requests."""
        return sha256(self.body).hexdigest()

    @property
    def took_effect(self) -> bool:
        """Whether the service did what it asked for."""
        return self.effect_status is not None and self.effect_status < 300

    @property
    def was_answered(self) -> bool:
        """Whether its sender heard the service's own answer."""
        is_own = self.fate in {"", "slow", "revoke_tokens"}
        return is_own and self.heard_status is not None and not self.heard_fault

    @property
    def is_cut_off(self) -> bool:
        """Whether its sender came to no end of its own."""
        return self.process.was_killed

    @property
    def is_beyond(self) -> bool:
        """Whether it took effect after every window in which that could be found out."""
        gave_up = self.ends_at if self.heard_at is None else self.heard_at
        return self.took_effect and (self.effect_at or 0.0) > gave_up + SETTLE_SECONDS


def content_of(outgoing: Outgoing) -> bytes:
    return outgoing.upload.content if outgoing.upload else outgoing.content or b""


def request_of(outgoing: Outgoing, flight: Flight) -> SimulatedRequest:
    headers, body = dict(outgoing.headers), flight.body
    if outgoing.upload is not None:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = _multipart(outgoing.upload.name, body)
    query = tuple(parse_qsl(flight.query, keep_blank_values=True))
    return SimulatedRequest(flight.method, flight.path, query=query, headers=headers, body=body)


def _multipart(name: str, content: bytes) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files[]"; filename="{name}"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
