"""Ingest runs in the log: which stretch an event belongs to, and what that stretch changed."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, func, select

from ledger.log import store as log_store
from ledger.reference import Position, Scope
from ledger.schema.tables import events, records

WINDOW_POSITIONS = 1000
"""The stretch over which changes that come one by one are counted together."""
RUNS_MAX = 50
_LAST: Final = select(func.max(events.c.position)).where(
    events.c.ledger == bindparam("in_ledger"),
    events.c.is_outcome.is_(True),
    events.c.type == bindparam("of_type"),
    events.c.position < bindparam("before"),
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Positions whose changes are judged together."""

    first: Position
    last: Position
    is_over: bool = True
    """Whether its ingest run was finished; a window of positions has nobody to wait for."""


def stretch_of(connection: Connection, ledger: int, *, position: Position) -> Stretch:
    """Return the ingest run that a position lies in, or else a window of positions."""
    started = _last(connection, ledger, event_type="ingest.started", before=position)
    if started is not None:
        finished = _first(connection, ledger, event_type="ingest.finished", after=started)
        if finished is None:
            head = log_store.read_head(connection, ledger).size - 1
            return Stretch(started, head, is_over=False)
        if finished > position:
            return Stretch(started, finished)
    return window_of(connection, ledger, position=position)


def window_of(connection: Connection, ledger: int, *, position: Position) -> Stretch:
    """Return the window that a position which no run claims lies in."""
    head = log_store.read_head(connection, ledger).size - 1
    first = position - position % WINDOW_POSITIONS
    return Stretch(first, min(head, first + WINDOW_POSITIONS - 1))


def moment_of(connection: Connection, ledger: int, *, position: Position) -> int:
    """Return when an event was recorded."""
    mine = and_(events.c.ledger == ledger, events.c.position == position)
    return int(connection.execute(select(events.c.recorded_at).where(mine)).scalar_one())


def run_times(connection: Connection, ledger: int, *, stretch: Stretch) -> tuple[int, int]:
    """Return when an ingest run began, and when its last source event so far arrived."""
    last = connection.execute(
        select(func.max(events.c.position)).where(
            events.c.ledger == ledger,
            events.c.is_outcome.is_(False),
            events.c.position.between(stretch.first, stretch.last),
        )
    ).scalar_one()
    moments = connection.execute(
        select(func.min(events.c.recorded_at), func.max(events.c.recorded_at)).where(
            events.c.ledger == ledger, events.c.position.in_([stretch.first, last])
        )
    ).one()
    return int(moments[0]), int(moments[1])


def _last(
    connection: Connection, ledger: int, *, event_type: str, before: Position
) -> Position | None:
    where = {"in_ledger": ledger, "of_type": event_type, "before": before}
    found: Position | None = connection.execute(_LAST, where).scalar_one()
    return found


def _first(
    connection: Connection, ledger: int, *, event_type: str, after: Position
) -> Position | None:
    statement = select(func.min(events.c.position)).where(
        events.c.ledger == ledger,
        events.c.is_outcome.is_(True),
        events.c.type == event_type,
        events.c.position > after,
    )
    found: Position | None = connection.execute(statement).scalar_one()
    return found


def count_known(connection: Connection, scope: Scope, *, before: Position) -> dict[str, int]:
    """Return, by entity, how many records were known before a position."""
    rows = connection.execute(
        select(records.c.entity, func.count())
        .where(
            records.c.ledger == scope.ledger,
            records.c.generation == scope.generation,
            records.c.first_position < before,
        )
        .group_by(records.c.entity)
    )
    return {row[0]: row[1] for row in rows}


def count_changed(connection: Connection, ledger: int, *, stretch: Stretch) -> dict[str, int]:
    """Return, by entity, how many records known before a stretch it changed or removed."""
    where = {"in_ledger": ledger, "from_position": stretch.first, "to_position": stretch.last}
    return {row[0]: row[1] for row in connection.execute(_CHANGED, where)}


def _changed() -> Select[Any]:
    ledger: BindParameter[int] = bindparam("in_ledger", type_=events.c.ledger.type)
    first: BindParameter[int] = bindparam("from_position", type_=events.c.position.type)
    latest = (
        select(events.c.entity, events.c.source_id, func.max(events.c.position).label("position"))
        .where(
            events.c.ledger == ledger,
            events.c.is_outcome.is_(False),
            events.c.position.between(first, bindparam("to_position")),
        )
        .group_by(events.c.entity, events.c.source_id)
        .subquery()
    )
    earlier, old, new = events.alias("earlier"), events.alias("old"), events.alias("new")
    then = (
        select(earlier.c.position)
        .where(
            earlier.c.ledger == ledger,
            earlier.c.entity == latest.c.entity,
            earlier.c.source_id == latest.c.source_id,
            earlier.c.position < first,
            earlier.c.is_outcome.is_(False),
        )
        .order_by(earlier.c.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    before = select(latest.c.entity, latest.c.position.label("now"), then.label("then")).subquery()
    return (
        select(before.c.entity, func.count())
        .join(new, and_(new.c.ledger == ledger, new.c.position == before.c.now))
        .join(old, and_(old.c.ledger == ledger, old.c.position == before.c.then))
        .where(new.c.content_digest != old.c.content_digest)
        .group_by(before.c.entity)
    )


_CHANGED: Final = _changed()
"""Built once: building it takes longer than running it."""
