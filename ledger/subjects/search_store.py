"""Events found by their type or their person, a page at a time."""

from typing import Final

from sqlalchemy import Connection, bindparam, func, select, text

from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.reference import Position
from ledger.schema.tables import OF_A_PERSON, events

PAGE_EVENTS_MAX: Final = 200

_OF_TYPE = (
    select(events.c.position)
    .where(
        events.c.ledger == bindparam("in_ledger"),
        events.c.type == bindparam("of_type"),
        events.c.position > bindparam("after"),
    )
    .order_by(events.c.position)
    .limit(PAGE_EVENTS_MAX)
)
_LAST_OF_TYPE = select(func.max(events.c.position)).where(
    events.c.ledger == bindparam("in_ledger"), events.c.type == bindparam("of_type")
)
_OF_PERSON = (
    select(events.c.position)
    .where(
        events.c.ledger == bindparam("in_ledger"),
        events.c.person == bindparam("of_person"),
        text(OF_A_PERSON),
        events.c.position > bindparam("after"),
    )
    .order_by(events.c.position)
    .limit(PAGE_EVENTS_MAX)
)


def page_of_type(
    connection: Connection, ledger: int, *, event_type: str, after: Position
) -> list[Stored]:
    """Return the events of one type after a position, a page at most."""
    asked = {"in_ledger": ledger, "of_type": event_type, "after": after}
    positions = connection.execute(_OF_TYPE, asked).scalars().all()
    return log_store.read_at(connection, ledger, positions=positions)


def last_of_type(connection: Connection, ledger: int, *, event_type: str) -> Position:
    """Return where the last event of a type stands, -1 where there is none."""
    asked = {"in_ledger": ledger, "of_type": event_type}
    found = connection.execute(_LAST_OF_TYPE, asked).scalar_one()
    return -1 if found is None else int(found)


def page_of_person(
    connection: Connection, ledger: int, *, person: str, after: Position
) -> list[Stored]:
    """Return the events sealed under one name of a person after a position, a page at most."""
    asked = {"in_ledger": ledger, "of_person": person, "after": after}
    positions = connection.execute(_OF_PERSON, asked).scalars().all()
    return log_store.read_at(connection, ledger, positions=positions)
