"""One typed signal per fact, for logs, metrics and spans to listen to.

A signal names no person: it holds keys, codes, counts and times, never a payload or a uuid.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, Self

from sync.telemetry.route import template


class Evidence(Protocol):
    """What is known of one HTTP request and its answer."""

    @property
    def method(self) -> str:
        """How it was asked."""

    @property
    def route(self) -> str:
        """The path that was asked, the records named as they are."""

    @property
    def status(self) -> int | None:
        """What came back."""

    @property
    def seconds(self) -> float:
        """How long that took."""

    @property
    def fault(self) -> str:
        """What went wrong on the way."""


@dataclass(frozen=True, slots=True)
class RuntimeStarted:
    """A runtime opened its ledger and works from now on."""

    ledger: str
    tenant: str
    host: str


@dataclass(frozen=True, slots=True)
class RuntimeStopped:
    """A runtime drained and let go of everything."""

    ledger: str
    seconds: float


@dataclass(frozen=True, slots=True)
class IngestStarted:
    """A file, package or stream is being read."""

    name: str


@dataclass(frozen=True, slots=True)
class IngestFinished:
    """A file, package or stream was read to its end."""

    name: str
    lines: int
    taken: int
    duplicate: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class EventsTaken:
    """Source events are durable in the log."""

    events: int
    size: int
    """How many events the log holds now."""


@dataclass(frozen=True, slots=True)
class EventRefused:
    """An event went to quarantine."""

    source: str
    line: int
    type: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchPlanned:
    """The projector turned events into operations."""

    events: int
    operations: int
    position: int
    """The last event that is planned now."""


@dataclass(frozen=True, slots=True)
class EventParked:
    """An event could not be planned: its record waits for a person."""

    position: int
    entity: str
    source_id: str


@dataclass(frozen=True, slots=True)
class OperationClaimed:
    """An operation is on record as begun; what it may send follows."""

    operation: str
    entity: str
    source_id: str
    kind: str
    epoch: int


@dataclass(frozen=True, slots=True)
class OperationSettled:
    """An operation ended for now, and how is on record."""

    operation: str
    entity: str
    source_id: str
    kind: str
    outcome: str
    reason: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another host took over: what this one still learns is evidence and settles nothing."""

    operation: str
    epoch: int


@dataclass(frozen=True, slots=True)
class ConversationFailed:
    """The program itself failed in the middle of its work; the operations are tried again."""

    error: str
    """The kind of error, without its text: that may say more than a log should keep."""
    place: str
    """The function, file and line where it came up."""


@dataclass(frozen=True, slots=True)
class CallMade:
    """One HTTP request was sent, or tried, and this came back."""

    method: str
    route: str
    """The path, with placeholders for what names a record."""
    status: int | None
    seconds: float
    fault: str = ""

    @classmethod
    def of(cls, exchange: Evidence) -> Self:
        """Return the signal for an exchange."""
        return cls(
            exchange.method,
            template(exchange.route),
            status=exchange.status,
            seconds=exchange.seconds,
            fault=str(exchange.fault),
        )


@dataclass(frozen=True, slots=True)
class TenantPaused:
    """DokStamp asked for a rest: nothing is sent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CircuitChanged:
    """Calls stopped because nothing works, still do not go, or go again."""

    state: str
    """`open` when they stop, `still_open` now and then while they do, `closed` when they go."""
    calls: str = "all"
    """Which calls: `all`, or `writes` while reads still work."""
    reason: str = ""
    why: str = ""
    """The reason in words."""
    seconds: float = 0.0
    """How long it lasts, or lasted."""
    probes: int = 0
    """How many calls looked in vain whether the service is back."""


@dataclass(frozen=True, slots=True)
class TenantStopped:
    """Credentials, tenant or address are refused: a person must correct a setting."""

    message: str


@dataclass(frozen=True, slots=True)
class ServiceDied:
    """A loop ended by an error; it begins again after a pause unless a person must mend that."""

    name: str
    error: str
    """The kind of error, without its text: that may say more than a log should keep."""


@dataclass(frozen=True, slots=True)
class CheckpointPublished:
    """A signed tree head was written where the operator wants it."""

    size: int
    """How many events it speaks for."""


@dataclass(frozen=True, slots=True)
class CheckpointFailed:
    """A tree head could not be written, or must not be signed; it is tried again."""

    error: str
    """The kind of error."""


Signal = (
    RuntimeStarted
    | RuntimeStopped
    | IngestStarted
    | IngestFinished
    | EventsTaken
    | EventRefused
    | BatchPlanned
    | EventParked
    | OperationClaimed
    | OperationSettled
    | LeaseLost
    | ConversationFailed
    | CallMade
    | TenantPaused
    | CircuitChanged
    | TenantStopped
    | ServiceDied
    | CheckpointPublished
    | CheckpointFailed
)
Announce = Callable[[Signal], None]


def nobody(_signal: Signal) -> None:
    """Hear a signal and do nothing, for who has no listener."""


def announce_to(*listeners: Announce) -> Announce:
    """Return an announcer that every listener hears; what a listener raises harms nobody."""

    def announce(signal: Signal) -> None:
        for listener in listeners:
            with suppress(Exception):
                listener(signal)

    return announce
