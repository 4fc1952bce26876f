"""Judges whether the log knows of every effect: by its exchange, or by the claim it was sent under.

An exchange may be missing only where the process died that heard, or would have heard, of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ledger.log.event import Event as LogEvent
from tests.simulation.flight import Flight
from tests.simulation.marks import Identities
from tests.simulation.network import Network
from tests.simulation.order import effects_of
from tests.simulation.workload import Name

Told = tuple[str, str, int | None]


@dataclass(slots=True)
class Claims:
    """What the log says about who might send for which record when."""

    records: dict[str, Name] = field(default_factory=dict)
    """Operations by key."""
    claimed: dict[Name, list[tuple[float, str]]] = field(default_factory=dict)
    """When an operation of the record was claimed, and which."""
    settled: dict[str, list[float]] = field(default_factory=dict)
    planned: dict[str, float] = field(default_factory=dict)
    """When operations were planned."""
    looks: set[str] = field(default_factory=set)
    """Operations that only look once more, and may send nothing that changes anything."""
    exchanges: dict[Told, float] = field(default_factory=dict)
    """When the log first told of an exchange."""

    def under(self, at: float, names: Iterable[Name]) -> list[str]:
        """Return the operations of these records that were claimed then and not settled since."""
        return [
            key
            for name in names
            for claimed_at, key in self.claimed.get(name, ())
            if claimed_at <= at
            and not any(claimed_at < done <= at for done in self.settled.get(key, ()))
        ]


def evidence_faults(network: Network, claims: Claims, identities: Identities) -> Iterator[str]:
    """Tell which effect of the practice service's journal the log cannot account for."""
    for flight in network.flights:
        if not flight.is_unsafe:
            continue
        told = (flight.method, flight.started_at.isoformat(timespec="milliseconds"))
        flight.known_at = claims.exchanges.get((*told, flight.heard_status), inf)
        if flight.heard_at is not None and flight.known_at == inf and not flight.is_cut_off:
            where = f"{flight.method} {flight.path} at {flight.sent_at:.1f}"
            yield f"{where} left no exchange in the log"
        if flight.took_effect:
            yield from _unclaimed(flight, claims, identities)
    wrote = {each.request_number for each in network.flights}
    for entry in network.world.journal.writes:
        if entry.request not in wrote:
            yield f"{entry.action} of {entry.table} by a request that nobody sent"


def _unclaimed(flight: Flight, claims: Claims, identities: Identities) -> Iterator[str]:
    for names, _ in effects_of(flight, identities):
        if not claims.under(flight.sent_at, names):
            yield (
                f"{flight.method} {flight.path} about {' '.join(names[0])} at {flight.sent_at:.1f} "
                "was sent under no claim"
            )


def claims_of(log: Sequence[LogEvent], commits: Sequence[tuple[float, int]]) -> Claims:
    """Return what the log says about who might send what when."""
    claims, moments = Claims(), _moments(len(log), commits)
    for event in log:
        _take(claims, event, moments[event.position])
    return claims


def _take(claims: Claims, event: LogEvent, at: float) -> None:
    public: Any = event.public
    for exchange in public.get("exchanges", ()):
        started = str(exchange["started_at"]).replace("Z", "+00:00")
        claims.exchanges.setdefault((exchange["method"], started, exchange["status"]), at)
    match event.type:
        case "operations.planned":
            for step in public["steps"]:
                for intent in step.get("intents", ()):
                    claims.records[intent["key"]] = (intent["entity"], intent["source_id"])
                    claims.planned[intent["key"]] = at
        case "operations.claimed":
            for key in public["operations"]:
                if key not in claims.looks:
                    claims.claimed.setdefault(claims.records[key], []).append((at, key))
            claims.looks |= {look for _, look in public.get("looks", ())}
        case "operation.settled":
            claims.settled.setdefault(public["operation"], []).append(at)
        case _:
            return


def _moments(size: int, commits: Sequence[tuple[float, int]]) -> list[float]:
    """Return when each position was committed."""
    moments: list[float] = []
    for at, grown in commits:
        moments += [at] * (grown - len(moments))
    return moments + [commits[-1][0] if commits else 0.0] * (size - len(moments))
