"""What an outage looks like to a person: since when, why, how much goes, and when it is tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ledger.reference import Json
from sync.dispatcher.circuit import Circuit, State

ALL_CALLS: Final = "all"
WRITES: Final = "writes"
_WORDS: Final = {
    "connect": "no connection to it could be made",
    "token": "no token could be had from it",
    "timeout": "it did not answer in time",
    "reset": "it ended the connection before it answered",
    "incomplete": "it ended the connection within an answer",
    "protocol": "what it answered is not HTTP",
    "too_large": "what it answered is too large",
    "not_json": "what it answered is a page, not data",
    "redirect": "it sent us to another address",
    "not_understood": "what it answered is not the answer to what was asked",
}


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which calls, or only those that write, do not go as they should."""

    state: State
    calls: str
    """Which calls are concerned: `all`, or `writes` while reads still work."""
    since: datetime
    reason: str
    probes: int
    """How many calls failed to show since then that the service is back."""
    next_probe: datetime | None = None

    def spared(self, per_second: float | None, *, now: datetime) -> int | None:
        """Return about how many calls the rate allowed and nobody made; `None` without a rate."""
        if per_second is None or self.state is State.CLOSED:
            return None
        seconds = max(0.0, (now - self.since).total_seconds())
        return max(0, int(seconds * per_second) - self.probes)

    @property
    def why(self) -> str:
        """The reason in words."""
        return words(self.reason)


def words(reason: str) -> str:
    """Return in words why calls do not go."""
    if reason.startswith("status_"):
        return f"it answers with status {reason.removeprefix('status_')}"
    return _WORDS.get(reason, "it does not answer as it should")


def outage_of(all_calls: Circuit, writes: Circuit, *, ahead: timedelta) -> Outage | None:
    """Return the outage that there is, if there is one; what stops all calls comes first.

    `ahead` is how much later it is on the clock of people than on the clock of the circuits.
    """
    for circuit, calls in ((all_calls, ALL_CALLS), (writes, WRITES)):
        if circuit.is_in_trouble and circuit.since is not None:
            next_probe = None if circuit.probe_at is None else circuit.probe_at + ahead
            return Outage(
                # Until calls go as before it is not over, whatever a first probe said.
                State.HALF_OPEN if circuit.state is State.CLOSED else circuit.state,
                calls,
                circuit.since + ahead,
                circuit.reason,
                circuit.probes,
                next_probe,
            )
    return None


def to_json(outage: Outage | None) -> dict[str, Json] | None:
    """Return an outage as `status --json` and `health` show it."""
    if outage is None:
        return None
    return {
        "calls": outage.calls,
        "since": outage.since.isoformat(),
        "reason": outage.reason,
        "why": outage.why,
        "probes": outage.probes,
        "next_probe": None if outage.next_probe is None else outage.next_probe.isoformat(),
    }
