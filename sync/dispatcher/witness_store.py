"""What the log tells of writes, to a process that knows of those in its own life only.

```
 A in doubt ─► B written ─► (the run ends) ─► (another run) A in doubt
 └─ told by the log: others were answered since ─────────┘   counts against A
```

Where every run is a process of its own, the one record that fails each time would else be tried
for ever, for nobody remembers that everybody else went through. Where many others failed since
the last of them went through, it is everybody's trouble by now, and counts against nobody.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, select

from ledger.log import store as log_store
from ledger.log.envelope import opened
from ledger.outbox import store as outbox_store
from ledger.reference import OperationKey, Position, Scope
from ledger.schema.tables import events

OTHERS_MAX: Final = 200
"""How many settlements are looked through: who writes at all does so among the latest."""
FAILING_MAX: Final = 4
"""How many operations may fail beside this one, each by its own fault; more are an outage."""
_SETTLED: Final = "operation.settled"
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


class _Word(Enum):
    """What came of the writes that a settlement tells of."""

    NONE = "none"
    ANSWERED = "answered"
    FAILED = "failed"


def were_others_answered(connection: Connection, scope: Scope, *, operation: OperationKey) -> bool:
    """Tell whether writes for others went through since one of this operation's came to doubt.

    They did not if, since the last that did, more others failed than can be at fault themselves.
    """
    since = _first_doubt(connection, scope, operation)
    if since is None:
        return False
    latest = {"in_ledger": scope.ledger, "after": since, "events_max": OTHERS_MAX}
    positions = connection.execute(_LATEST, latest).scalars().all()
    told = _told(connection, scope, positions)
    failing: set[str] = set()
    for _, public in sorted(told.items(), reverse=True):
        word = _word(public)
        if public["operation"] == operation or word is _Word.NONE:
            continue
        if word is _Word.ANSWERED:
            return len(failing) <= FAILING_MAX
        failing.add(public["operation"])
    return False


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


def _word(public: Mapping[str, Any]) -> _Word:
    # A token is asked for with a POST too, and of that no digest is kept; nor is there one of a
    # DELETE that carries nothing, which tells little of how writes fare.
    writes = [
        exchange["status"]
        for exchange in _exchanges(public)
        if exchange["method"] != "GET" and exchange.get("request_digest")
    ]
    if any(status is not None and 200 <= status < 300 for status in writes):
        return _Word.ANSWERED
    if any(status is None or status >= 500 for status in writes):
        return _Word.FAILED
    return _Word.NONE
