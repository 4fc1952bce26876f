"""The event log in SQL: the head row, the events, and keyset reads of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, select

from ledger.clock import to_microseconds
from ledger.log.envelope import Prepared, Stored
from ledger.log.merkle import CompactRange
from ledger.reference import Position, SourceRef
from ledger.schema.statements import one_of, one_of_pairs, pages, pairs
from ledger.schema.tables import events, heads

NAMES_MAX = 400
_NO_END = 2**62
"""Beyond every position."""

_COLUMNS = (
    events.c.position,
    events.c.source,
    events.c.event_id,
    events.c.type,
    events.c.entity,
    events.c.source_id,
    events.c.person,
    events.c.recorded_at,
    events.c.envelope,
    events.c.sealed,
    events.c.content_digest,
    events.c.leaf,
    events.c.is_outcome,
)

_HEAD = select(heads.c.compact_range).where(heads.c.ledger == bindparam("in_ledger"))
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = heads.update().where(heads.c.ledger == bindparam("in_ledger"))
_INSERT = events.insert()
_FIND_KNOWN = select(
    events.c.source, events.c.event_id, events.c.position, events.c.content_digest
).where(
    events.c.ledger == bindparam("in_ledger"),
    one_of_pairs(events.c.source, events.c.event_id),
)
_SELECTED = select(*_COLUMNS).where(events.c.ledger == bindparam("in_ledger"))
_AT = _SELECTED.where(events.c.position.in_(one_of("positions"))).order_by(events.c.position)
_DIGEST_AT = select(events.c.content_digest).where(
    events.c.ledger == bindparam("in_ledger"), events.c.position == bindparam("at")
)
_PAGE = (
    _SELECTED.where(
        events.c.position > bindparam("after"), events.c.position <= bindparam("through")
    )
    .order_by(events.c.position)
    .limit(bindparam("events_max", type_=Integer))
)
_PAGES = {
    None: _PAGE,
    True: _PAGE.where(events.c.is_outcome.is_(True)),
    False: _PAGE.where(events.c.is_outcome.is_(False)),
}
"""By which kind of events they are of."""
_TOLD_BEFORE = (
    _SELECTED.where(
        events.c.entity == bindparam("of_entity"),
        events.c.source_id == bindparam("of_source_id"),
        events.c.position < bindparam("before"),
        events.c.is_outcome.is_(False),
    )
    .order_by(events.c.position.desc())
    .limit(bindparam("events_max", type_=Integer))
)
_COUNT_SOURCES = select(func.count(), func.max(events.c.position)).where(
    events.c.ledger == bindparam("in_ledger"),
    events.c.is_outcome.is_(False),
    events.c.position > bindparam("after"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """An event that is in the log already."""

    position: Position
    content_digest: bytes


def read_head(connection: Connection, ledger: int) -> CompactRange:
    """Return the tree's compact range; its size is the next event's position."""
    return CompactRange.from_bytes(connection.execute(_HEAD, {"in_ledger": ledger}).scalar_one())


def lock_head(connection: Connection, ledger: int) -> CompactRange:
    """Return the compact range and keep every other writer of the ledger waiting."""
    locked = connection.execute(_LOCK_HEAD, {"in_ledger": ledger})
    return CompactRange.from_bytes(locked.scalar_one())


def write_head(connection: Connection, ledger: int, *, head: CompactRange) -> None:
    """Move the head row to a grown tree."""
    moved = {"size": head.size, "compact_range": head.to_bytes()}
    connection.execute(_MOVE_HEAD, {"in_ledger": ledger, **moved})


def insert(
    connection: Connection, ledger: int, *, first: Position, prepared: Sequence[Prepared]
) -> None:
    """Write events at consecutive positions."""
    rows = [
        {
            "ledger": ledger,
            "position": first + number,
            "source": event.source,
            "event_id": event.id,
            "type": event.type,
            "entity": event.subject.entity if event.subject else None,
            "source_id": event.subject.source_id if event.subject else None,
            "is_outcome": event.is_outcome,
            "recorded_at": to_microseconds(event.recorded_at),
            "person": event.person,
            "envelope": event.envelope,
            "sealed": event.sealed,
            "content_digest": event.content_digest,
            "leaf": event.leaf,
        }
        for number, event in enumerate(prepared)
    ]
    if rows:
        connection.execute(_INSERT, rows)


def find_known(
    connection: Connection, ledger: int, *, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Return which of these (source, id) pairs are in the log already."""
    known: dict[tuple[str, str], Known] = {}
    for page in pages(names, NAMES_MAX):
        for row in connection.execute(_FIND_KNOWN, {"in_ledger": ledger, **pairs(page)}):
            known[row.source, row.event_id] = Known(row.position, row.content_digest)
    return known


def read_page(
    connection: Connection,
    ledger: int,
    *,
    after: Position,
    limit: int,
    through: Position | None = None,
    is_outcome: bool | None = None,
) -> list[Stored]:
    """Return up to `limit` events after a position, in order; both kinds unless one is named."""
    end = _NO_END if through is None else through
    page = {"in_ledger": ledger, "after": after, "through": end, "events_max": limit}
    return _stored(connection.execute(_PAGES[is_outcome], page))


def read_at(connection: Connection, ledger: int, *, positions: Iterable[Position]) -> list[Stored]:
    """Return the events at these positions, in order."""
    found: list[Stored] = []
    for page in pages(sorted(set(positions)), NAMES_MAX):
        found += _stored(connection.execute(_AT, {"in_ledger": ledger, "positions": page}))
    return found


def read_told_before(
    connection: Connection, ledger: int, *, reference: SourceRef, before: Position, limit: int
) -> list[Stored]:
    """Return the last source events about a record before a position, newest first."""
    about = {"of_entity": reference.entity, "of_source_id": reference.source_id}
    asked = {"in_ledger": ledger, "before": before, "events_max": limit, **about}
    return _stored(connection.execute(_TOLD_BEFORE, asked))


def content_digest_at(connection: Connection, ledger: int, *, position: Position) -> bytes:
    """Return the keyed digest of the content of the event at a position."""
    asked = {"in_ledger": ledger, "at": position}
    return bytes(connection.execute(_DIGEST_AT, asked).scalar_one())


def count_sources(
    connection: Connection, ledger: int, *, after: Position
) -> tuple[int, Position | None]:
    """Return how many source events follow a position, and the last one's position."""
    row = connection.execute(_COUNT_SOURCES, {"in_ledger": ledger, "after": after}).one()
    return int(row[0]), row[1]


def _stored(rows: Iterable[Row[Any]]) -> list[Stored]:
    return [
        Stored(
            position=row.position,
            source=row.source,
            id=row.event_id,
            type=row.type,
            subject=SourceRef(row.entity, row.source_id) if row.entity is not None else None,
            person=row.person,
            recorded_at_microseconds=row.recorded_at,
            envelope=row.envelope,
            sealed=row.sealed,
            content_digest=row.content_digest,
            leaf=row.leaf,
            is_outcome=bool(row.is_outcome),
        )
        for row in rows
    ]
