"""Whether the log accounts for everything that DokStamp's own journal says happened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sync.simulator import Simulator
from sync.simulator.journal import RequestEntry
from tests.sync.system.killing.outside import Sight

SLACK: Final = timedelta(milliseconds=5)
"""How far a moment of the caller's and one of DokStamp's may lie apart."""
Writes = list[tuple[str, tuple[str, ...]]]
Name = tuple[str, str]


@dataclass(slots=True)
class Evidence:
    """What the log says was sent, and under which claims."""

    exchanges: list[dict[str, Any]] = field(default_factory=list)
    claims: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    settled: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, sight: Sight) -> "Evidence":
        """Read it from the envelopes of the log."""
        found = cls()
        for entry in sight.log:
            public = entry.public
            found.exchanges += public.get("exchanges", ())
            at = _moment(json.loads(entry.envelope)["recorded_at"])
            if entry.type == "operations.claimed":
                found.claims.append((at, frozenset(public["operations"])))
            elif entry.type == "operation.settled" and public.get("outcome") == "done":
                found.settled[public["operation"]] = at
        return found


def effect_faults(simulator: Simulator, after: Sight) -> Iterator[str]:
    """Tell which effect has neither an exchange in the log nor, at least, a claim before it."""
    evidence = Evidence.of(after)
    for entry in simulator.journal.requests:
        if not _changes(entry):
            continue
        exchange = _exchange_of(entry, evidence)
        if exchange is not None:
            evidence.exchanges.remove(exchange)
        elif not _is_claimed(entry, evidence):
            yield f"G7: {entry.method} {entry.path} is neither in the log nor was it claimed"
    for exchange in evidence.exchanges:
        if _is_effect(exchange):
            yield f"G7: the log tells of a {exchange['method']} that DokStamp never saw"


def _is_effect(exchange: dict[str, Any]) -> bool:
    is_safe = exchange["method"] == "GET" or "oauth" in exchange["route"]
    return not is_safe and exchange["status"] is not None and exchange["status"] < 300


def _changes(entry: RequestEntry) -> bool:
    is_safe = entry.method in {"GET", "HEAD"} or entry.path.startswith(("/oauth/", "/auth/"))
    return not is_safe and entry.effect_status is not None and entry.effect_status < 300


def _exchange_of(entry: RequestEntry, evidence: Evidence) -> dict[str, Any] | None:
    for exchange in evidence.exchanges:
        begun = _moment(exchange["started_at"])
        ended = begun + timedelta(seconds=float(exchange["seconds"]))
        is_meant = (exchange["method"], exchange["status"]) == (entry.method, entry.status)
        if is_meant and begun - SLACK <= entry.at <= ended + SLACK:
            return exchange
    return None


def _is_claimed(entry: RequestEntry, evidence: Evidence) -> bool:
    return any(
        at <= entry.at and any(evidence.settled.get(key, entry.at) >= entry.at for key in keys)
        for at, keys in evidence.claims
    )


def history_of(simulator: Simulator, uuids: Mapping[Name, str]) -> dict[Name, Writes]:
    """Return what happened to each record, without what only repeats the step before."""
    names = {uuid: name for name, uuid in uuids.items()}
    found: dict[Name, Writes] = {}
    for write in simulator.journal.writes:
        if write.uuid in names:
            steps = found.setdefault(names[write.uuid], [])
            step = (write.action, tuple(sorted(write.fields)))
            if not steps or steps[-1] != step:
                steps.append(step)
    return found


def order_faults(found: Mapping[Name, Writes], wanted: Mapping[Name, Writes]) -> Iterator[str]:
    """Tell which record went another way than it does when nobody dies."""
    for name in found.keys() | wanted.keys():
        if found.get(name) != wanted.get(name):
            yield f"G3: {' '.join(name)} went {found.get(name)}, not {wanted.get(name)}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
