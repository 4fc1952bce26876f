"""Practice controls under `/_simulator`: reading the truth and turning the screws.

These paths need no headers and no token, and cannot exist in the real service.

- `GET /_simulator`: the practice credentials and this list
- `GET journal` (`after`, `limit`): requests, writes and notices
- `GET verdict` (`tenant`): what the truth says about the callers
- `GET records/<table>` (`tenant`, `deleted=1`): the stored records
- `GET switches`, `POST switches` `{"edition": "old"}`
- `POST faults` `{"faults": ["cut_after:nth=3"], "search_lag_seconds": 2}`: replaces the faults
- `POST outage` `{"mode": "cut" | "503", "after_seconds": 0, "seconds": 10}`, `{"on": false}`
- `POST platform` `{"action": "restore" | "expire" | "suspend", "table": ..., "uuid": ...}`
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sync.errors import InputError
from sync.simulator.faults import Fault, parse_faults, read_fault
from sync.simulator.journal import entry_json
from sync.simulator.message import JsonObject, SimulatedRequest, SimulatedResponse, json_response
from sync.simulator.outage import Outage
from sync.simulator.platform import act
from sync.simulator.tables import Record, stamp

if TYPE_CHECKING:
    from sync.simulator.world import World

PREFIX = "/_simulator"
_ENTRIES_MAX = 10_000


def answer(world: "World", request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
    """Answer a call to a practice control."""
    name, _, rest = request.path.removeprefix(PREFIX).strip("/").partition("/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return json_response(404, {"message": f"Choose from: {_choices()}."})
    try:
        return json_response(200, handler(world, request, rest, now))
    except InputError as error:
        return json_response(422, {"message": str(error)})


def raw_records(
    world: "World", table: str, *, tenant: str | None = None, with_deleted: bool = False
) -> list[JsonObject]:
    """Return the stored records of a table as they truly are."""
    if table not in world.store.tables:
        raise InputError(f"There is no table {table!r}: {', '.join(world.store.tables)}.")
    return [
        _raw(record)
        for record in world.store.table(table).everything()
        if (with_deleted or record.deleted_at is None) and tenant in {None, record.tenant}
    ]


def _raw(record: Record) -> JsonObject:
    return {
        "uuid": record.uuid,
        "tenant": record.tenant,
        **record.values,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
        "deleted_at": stamp(record.deleted_at) if record.deleted_at else None,
    }


def _overview(world: "World", _request: SimulatedRequest, _rest: str, _now: datetime) -> JsonObject:
    tenants = world.gatekeeper.tokens.tenants.values()
    return {"tenants": [asdict(tenant) for tenant in tenants], "controls": _choices()}


def _journal(world: "World", request: SimulatedRequest, _rest: str, _now: datetime) -> JsonObject:
    query = dict(request.query)
    after, limit = _number(query, "after", 0), _number(query, "limit", _ENTRIES_MAX)
    entries = [entry for entry in world.journal.requests if entry.number > after][:limit]
    numbers = {entry.number for entry in entries}
    return {
        "requests": [entry_json(entry) for entry in entries],
        "writes": [entry_json(one) for one in world.journal.writes if one.request in numbers],
        "notifications": [
            entry_json(one) for one in world.journal.notifications if one.request in numbers
        ],
    }


def _verdict(world: "World", request: SimulatedRequest, _rest: str, _now: datetime) -> JsonObject:
    return world.verdict(tenant=dict(request.query).get("tenant")).as_json()


def _records(world: "World", request: SimulatedRequest, rest: str, _now: datetime) -> JsonObject:
    query = dict(request.query)
    with_deleted = query.get("deleted") in {"1", "true"}
    return {"data": raw_records(world, rest, tenant=query.get("tenant"), with_deleted=with_deleted)}


def _switches(world: "World", request: SimulatedRequest, _rest: str, _now: datetime) -> JsonObject:
    if request.method == "POST":
        world.set_switches(_body(request))
    return dict(asdict(world.switches))


def _faults(world: "World", request: SimulatedRequest, _rest: str, _now: datetime) -> JsonObject:
    body = _body(request)
    if "search_lag_seconds" in body:
        world.search_lag_seconds = _seconds(body["search_lag_seconds"])
    if "faults" in body:
        world.set_faults(_read_faults(body["faults"]))
    return {"search_lag_seconds": world.search_lag_seconds}


def _read_faults(faults: object) -> list[Fault]:
    if isinstance(faults, str):
        return list(parse_faults(faults))
    if not isinstance(faults, list):
        raise InputError("faults is a list, or a text such as cut_after:nth=3.")
    return [
        fault
        for item in faults
        for fault in ([read_fault(item)] if isinstance(item, dict) else parse_faults(str(item)))
    ]


def _outage(world: "World", request: SimulatedRequest, _rest: str, now: datetime) -> JsonObject:
    body = _body(request)
    if body.get("on") is False:
        world.outage = None
        return {"on": False}
    starts_at = now + timedelta(seconds=_seconds(body.get("after_seconds", 0)))
    seconds = body.get("seconds")
    ends_at = None if seconds is None else starts_at + timedelta(seconds=_seconds(seconds))
    mode = str(body.get("mode", "cut"))
    world.outage = Outage(mode=mode, starts_at=starts_at, ends_at=ends_at)
    return {"on": True, "mode": mode}


def _platform(world: "World", request: SimulatedRequest, _rest: str, now: datetime) -> JsonObject:
    body = _body(request)
    record = act(
        world.store,
        str(body.get("action")),
        table=str(body.get("table")),
        uuid=str(body.get("uuid")),
        now=now,
    )
    return _raw(record)


def _body(request: SimulatedRequest) -> Mapping[str, object]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise InputError("Send a JSON object.") from error
    if not isinstance(body, dict):
        raise InputError("Send a JSON object.")
    return body


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InputError("Seconds are a number, zero or more.")
    return float(value)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit():
        raise InputError(f"{name} is a whole number.")
    return int(text)


_Handler = Callable[["World", SimulatedRequest, str, datetime], JsonObject]
_HANDLERS: Mapping[tuple[str, str], _Handler] = {
    ("GET", ""): _overview,
    ("GET", "journal"): _journal,
    ("GET", "verdict"): _verdict,
    ("GET", "records"): _records,
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switches,
    ("POST", "faults"): _faults,
    ("POST", "outage"): _outage,
    ("POST", "platform"): _platform,
}


def _choices() -> str:
    return ", ".join(f"{method} {PREFIX}/{name}" for method, name in _HANDLERS)
