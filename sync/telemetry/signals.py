"""One typed signal per fact, for logs, metrics and spans to listen to.

A signal names no person: it holds keys, codes, counts and times, never a payload or a uuid.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServiceStarted:
    """A runtime opened its ledger and works from now on."""

    ledger: str
    tenant: str
    host: str


@dataclass(frozen=True, slots=True)
class ServiceStopped:
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
class CallMade:
    """One HTTP request was sent, or tried, and this came back."""

    method: str
    route: str
    status: int | None
    seconds: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TenantPaused:
    """DokStamp asked for a rest: nothing is sent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CircuitChanged:
    """Calls stopped because nothing works, are probed, or go again."""

    state: str
    failures: int


@dataclass(frozen=True, slots=True)
class TenantStopped:
    """Credentials, tenant or address are refused: a person must correct a setting."""

    message: str


@dataclass(frozen=True, slots=True)
class LoopDied:
    """A service loop ended by an error that nobody expected."""

    name: str
    error: BaseException = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoopRestarted:
    """A service loop that died was started again after a pause."""

    name: str
    deaths: int
    pause_seconds: float


Signal = (
    ServiceStarted
    | ServiceStopped
    | IngestStarted
    | IngestFinished
    | EventsTaken
    | EventRefused
    | BatchPlanned
    | EventParked
    | OperationClaimed
    | OperationSettled
    | LeaseLost
    | CallMade
    | TenantPaused
    | CircuitChanged
    | TenantStopped
    | LoopDied
    | LoopRestarted
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
