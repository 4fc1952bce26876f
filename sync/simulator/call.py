"""What a handler knows while it answers one request, and what it leaves behind."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NoReturn

from sync.simulator.message import JsonObject, SimulatedRequest, SimulatedResponse, json_response
from sync.simulator.refusal import RefusedError
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, Store

Later = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """One change to one record, or a notice sent to a student."""

    action: str
    table: str
    uuid: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Call:
    """One request being answered for one tenant at one moment."""

    store: Store
    switches: Switches
    request: SimulatedRequest = field(repr=False)
    now: datetime
    rng: Random = field(repr=False)
    tenant: str
    parameters: Mapping[str, str]
    schedule: Callable[[datetime, Later], None] = field(repr=False)
    report: Callable[[Effect, datetime], None] = field(repr=False)
    search_lag: timedelta = timedelta(0)
    # Habits of the caller worth counting, by name.
    marks: set[str] = field(default_factory=set)

    def note(self, action: str, record: Record, table: str, *fields: str) -> None:
        """Leave an effect for the journal."""
        self.note_at(action, record, table, *fields, now=self.now)

    def note_at(self, action: str, record: Record, table: str, *fields: str, now: datetime) -> None:
        """Leave an effect that happens at another moment than the request."""
        self.report(Effect(action, table, record.uuid, fields), now)

    def body(self) -> JsonObject:
        """Return the JSON object sent; a body of another type counts as empty."""
        if self.request.content_type != "application/json" or not self.request.body:
            return {}
        try:
            decoded = json.loads(self.request.body, parse_constant=_refuse_constant)
        except ValueError as error:
            raise RefusedError(400) from error
        if not isinstance(decoded, dict):
            raise RefusedError(400)
        return decoded

    def own(self, table: str, uuid: str) -> Record | None:
        """Return this tenant's record that is not deleted."""
        record = self.store.table(table).get(uuid)
        if record is None or record.tenant != self.tenant or record.deleted_at is not None:
            return None
        return record

    def named(self, table: str, parameter: str = "uuid") -> Record:
        """Return the record that the path names, or refuse with 404."""
        record = self.own(table, self.parameters[parameter])
        if record is None:
            self.refuse_path()
        return record

    def refuse_path(self) -> NoReturn:
        """Refuse because the path names no record of this tenant."""
        if self.request.is_unsafe:
            self.marks.add("unknown_path")
        raise RefusedError(404)

    def success(self, listed: int, payload: object) -> SimulatedResponse:
        """Return the answer to a write, with the listed status or 200 everywhere."""
        status = 200 if self.switches.write_status == "200" else listed
        if status == 204:
            return SimulatedResponse(204)
        return json_response(status, payload)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
