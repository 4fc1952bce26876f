"""Ingest runs in the log: which stretch an event belongs to, and what that stretch changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from ledger.log import store as log_store
from ledger.reference import Position
from ledger.schema.tables import events
from sync.projector.guard import Tally

WINDOW_POSITIONS = 1000
"""The stretch over which changes that come one by one are counted together."""
RUNS_MAX = 50


@dataclass(frozen=True, slots=True)
class Stretch:
    """Positions whose changes are judged together; `is_over` once nothing can be added."""

    first: Position
    last: Position
    is_over: bool = True


def stretch_of(connection: Connection, ledger: int, *, position: Position) -> Stretch:
    """Return the ingest run that a position lies in, or else a window of positions."""
    head = log_store.read_head(connection, ledger).size - 1
    started = _last(connection, ledger, event_type="ingest.started", before=position)
    if started is not None:
        finished = _first(connection, ledger, event_type="ingest.finished", after=started)
        if finished is None:
            return Stretch(started, head, is_over=False)
        if finished > position:
            return Stretch(started, finished)
    first = position - position % WINDOW_POSITIONS
    return Stretch(first, min(head, first + WINDOW_POSITIONS - 1))


def _last(
    connection: Connection, ledger: int, *, event_type: str, before: Position
) -> Position | None:
    statement = select(func.max(events.c.position)).where(
        events.c.ledger == ledger,
        events.c.is_outcome.is_(True),
        events.c.type == event_type,
        events.c.position < before,
    )
    found: Position | None = connection.execute(statement).scalar_one()
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


def tallies(connection: Connection, ledger: int, *, stretch: Stretch) -> Mapping[str, Tally]:
    """Return, by entity, how many records a stretch found and how many of those it changed."""
    known = _count_known(connection, ledger, before=stretch.first)
    changed = _count_changed(connection, ledger, stretch=stretch)
    return {entity: Tally(known.get(entity, 0), count) for entity, count in changed.items()}


def _count_known(connection: Connection, ledger: int, *, before: Position) -> dict[str, int]:
    rows = connection.execute(
        select(events.c.entity, func.count(func.distinct(events.c.source_id)))
        .where(
            events.c.ledger == ledger,
            events.c.is_outcome.is_(False),
            events.c.position < before,
        )
        .group_by(events.c.entity)
    )
    return {row[0]: row[1] for row in rows}


def _count_changed(connection: Connection, ledger: int, *, stretch: Stretch) -> dict[str, int]:
    latest = (
        select(events.c.entity, events.c.source_id, func.max(events.c.position).label("position"))
        .where(
            events.c.ledger == ledger,
            events.c.is_outcome.is_(False),
            events.c.position.between(stretch.first, stretch.last),
        )
        .group_by(events.c.entity, events.c.source_id)
        .subquery()
    )
    earlier, old, new = events.alias("earlier"), events.alias("old"), events.alias("new")
    before = (
        select(
            latest.c.entity,
            latest.c.position.label("now"),
            func.max(earlier.c.position).label("then"),
        )
        .join(
            earlier,
            and_(
                earlier.c.ledger == ledger,
                earlier.c.entity == latest.c.entity,
                earlier.c.source_id == latest.c.source_id,
                earlier.c.position < stretch.first,
                earlier.c.is_outcome.is_(False),
            ),
        )
        .group_by(latest.c.entity, latest.c.position)
        .subquery()
    )
    rows = connection.execute(
        select(before.c.entity, func.count())
        .join(new, and_(new.c.ledger == ledger, new.c.position == before.c.now))
        .join(old, and_(old.c.ledger == ledger, old.c.position == before.c.then))
        .where(new.c.content_digest != old.c.content_digest)
        .group_by(before.c.entity)
    )
    return {row[0]: row[1] for row in rows}
