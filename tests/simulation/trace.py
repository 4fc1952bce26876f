"""A simulation told line by line: requests with their fates beside what the log says."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ledger.log.event import Event as LogEvent
from tests.simulation.flight import Flight

if TYPE_CHECKING:
    from tests.simulation.run import Report

SHOWN = 500


def trace_of(
    flights: list[Flight],
    log: list[LogEvent],
    commits: list[tuple[float, int]],
    happened: list[tuple[float, str]],
) -> list[str]:
    """Return everything that happened in the order of true time."""
    lines = [(each.sent_at, 1, _flight(each)) for each in flights]
    lines += [(at, 0, f"-- {what}") for at, what in happened]
    positions = iter(log)
    for at, size in commits:
        for event in positions:
            lines.append((at, 2, _event(event)))
            if event.position + 1 >= size:
                break
    return [f"{at:10.3f} {text}" for at, _, text in sorted(lines, key=lambda line: line[:2])]


def _flight(flight: Flight) -> str:
    effect = "-" if flight.effect_at is None else f"{flight.effect_status}@{flight.effect_at:.2f}"
    heard = "never" if flight.heard_at is None else f"{flight.heard_at:.2f}"
    told = f"{flight.heard_status or ''} {flight.heard_fault}".strip()
    body = flight.body[:160].decode("utf-8", "replace") if flight.is_unsafe else flight.query[:100]
    return (
        f"   {flight.process.name} {flight.method} {flight.path} {flight.fate or 'ok'} "
        f"effect {effect} heard {told or '-'}@{heard} {body}"
    )


def _event(event: LogEvent) -> str:
    public = json.dumps(dict(event.public), default=str)[:SHOWN]
    data = json.dumps(event.data, default=str)[:200] if event.data else ""
    return f"   log {event.position} {event.type} {event.subject or ''} {public} {data}"


def tell(report: "Report") -> Iterator[str]:
    """Give the lines of a traced report."""
    yield json.dumps(report.plan.as_json())
    yield from report.trace
    yield from (f"VIOLATED: {each}" for each in report.violations)
    yield from (f"remark: {each}" for each in report.remarks)
