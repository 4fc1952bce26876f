"""What the log tells of writes, to a process that knows of those in its own life only.

```
 A in doubt ─► B written ─► (the run ends) ─► (another run) A in doubt
 └─ told by the log: others were answered since ─────────┘   counts against A
```

Where every run is a process of its own, the one record that fails each time would else be tried
for ever, for nobody remembers that everybody else went through.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, select

from ledger.log import store as log_store
from ledger.log.envelope import opened
from ledger.outbox import store as outbox_store
from ledger.reference import OperationKey, Position, Scope
from ledger.schema.tables import events

OTHERS_MAX: Final = 50
"""How many settlements are looked through: who writes at all does so among the latest."""
_SETTLED: Final = "operation.settled"
_ANSWERED: Final = range(200, 300)
_LATEST: Final = (
    select(events.c.position)
    .where(
        events.c.ledger == bindparam("in_ledger"),
        events.c.type == _SETTLED,
        events.c.position > bindparam("after"),
    )
    .order_by(events.c.position.desc())
    .limit(bindparam("events_max", type_=Integer))
)


def were_others_answered(connection: Connection, scope: Scope, *, operation: OperationKey) -> bool:
    """Tell whether writes for others went through since one of this operation's came to doubt."""
    since = _first_doubt(connection, scope, operation)
    if since is None:
        return False
    latest = {"in_ledger": scope.ledger, "after": since, "events_max": OTHERS_MAX}
    positions = connection.execute(_LATEST, latest).scalars().all()
    told = _told(connection, scope, positions)
    return any(
        public["operation"] != operation and any(map(_is_answered_write, _exchanges(public)))
        for public in told.values()
    )


def _first_doubt(connection: Connection, scope: Scope, operation: OperationKey) -> Position | None:
    positions = outbox_store.events_of(connection, scope, keys=[operation])
    told = _told(connection, scope, positions)
    in_doubt = (
        position
        for position, public in sorted(told.items())
        if public.get("outcome") == "uncertain" and _exchanges(public)
    )
    return next(in_doubt, None)


def _told(
    connection: Connection, scope: Scope, positions: Iterable[Position]
) -> dict[Position, Mapping[str, Any]]:
    """Return the public parts of the settlements among these events."""
    stored = log_store.read_at(connection, scope.ledger, positions=positions)
    settled = [opened(each, private=None) for each in stored if each.type == _SETTLED]
    return {event.position: event.public for event in settled}


def _exchanges(public: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    # Evidence is told as a list, or not at all.
    return public.get("exchanges") or []


def _is_answered_write(exchange: Mapping[str, Any]) -> bool:
    # A token is asked for with a POST too, and of that no digest is kept; nor is there one of a
    # DELETE that carries nothing, which tells little of how writes fare.
    is_write = exchange["method"] != "GET" and bool(exchange.get("request_digest"))
    return is_write and exchange["status"] in _ANSWERED
