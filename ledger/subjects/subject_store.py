"""Persons in SQL: how each stands, which records are theirs, and who may not be told of."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, text

from ledger.reference import Position, Scope, SourceRef
from ledger.schema.statements import (
    folded_row,
    one_of,
    one_of_pairs,
    pages,
    pairs,
    parameters,
    within,
)
from ledger.schema.tables import OF_A_PERSON, events, records, subjects
from ledger.subjects.name import first_of, number_of

PERSONS_MAX: Final = 400
RECORDS_MAX: Final = 10_000
"""More records than any person has: a bound for what is read at once."""
_AFTER_TILDE: Final = "\x7f"


class Standing(StrEnum):
    """How a person stands under one name."""

    HELD = "held"
    """A legal hold: nothing of the person may be erased."""
    ERASING = "erasing"
    """Nothing is taken any more; what may have been sent is being found out."""
    ERASED = "erased"
    READMITTED = "readmitted"
    """Let in again, deliberately, after an earlier name was erased."""


CLOSED: Final = frozenset({Standing.ERASING, Standing.ERASED})
"""How a name stands under which nothing new is taken."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person under one name."""

    person: str
    standing: Standing
    position: Position
    """The event that made it so."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing is taken under this name any more."""
        return self.standing in CLOSED


_MINE = and_(within(subjects), subjects.c.person == bindparam("of_person"))
_CHANGE = subjects.update().where(_MINE)
_FORGET = subjects.delete().where(_MINE)
_INSERT = subjects.insert()
_ANY = select(subjects.c.person).where(within(subjects)).limit(1)
_FIND = select(subjects).where(within(subjects), subjects.c.person.in_(one_of("persons")))
_NAMES = select(subjects).where(
    within(subjects),
    or_(
        subjects.c.person == bindparam("first"),
        and_(subjects.c.person > bindparam("low"), subjects.c.person < bindparam("high")),
    ),
)
_PAGE = (
    select(subjects)
    .where(
        within(subjects),
        subjects.c.state.in_(one_of("standings")),
        subjects.c.person > bindparam("after"),
    )
    .order_by(subjects.c.person)
    .limit(PERSONS_MAX)
)
_LAST = select(func.max(subjects.c.position)).where(within(subjects))
_RECORDS = (
    select(events.c.entity, events.c.source_id)
    .where(
        events.c.ledger == bindparam("in_ledger"),
        events.c.person == bindparam("of_person"),
        text(OF_A_PERSON),
        events.c.is_outcome.is_(False),
        events.c.position < bindparam("before"),
    )
    .distinct()
    .order_by(events.c.entity, events.c.source_id)
    .limit(RECORDS_MAX)
)
_LAST_PERSON = (
    select(events.c.person)
    .where(
        events.c.ledger == records.c.ledger,
        events.c.entity == records.c.entity,
        events.c.source_id == records.c.source_id,
        events.c.person != "",
        events.c.is_outcome.is_(False),
    )
    .order_by(events.c.position.desc())
    .limit(1)
    .scalar_subquery()
)
_OWNERS = select(records.c.entity, records.c.source_id, _LAST_PERSON.label("person")).where(
    within(records), one_of_pairs(records.c.entity, records.c.source_id)
)


def write(
    connection: Connection, scope: Scope, *, person: str, standing: Standing, position: Position
) -> None:
    """Let a person stand like this under a name from an event on."""
    row = {"state": standing.value, "position": position}
    changed = connection.execute(_CHANGE, parameters(scope, of_person=person, **row))
    if changed.rowcount == 0:
        connection.execute(_INSERT, folded_row(scope, person=person, **row))


def forget(connection: Connection, scope: Scope, *, person: str) -> None:
    """Let a person stand like anybody else under a name."""
    connection.execute(_FORGET, parameters(scope, of_person=person))


def find(connection: Connection, scope: Scope, *, persons: Iterable[str]) -> dict[str, Subject]:
    """Return how these names stand, those that stand like anybody's left out."""
    found = dict[str, Subject]()
    for names in pages(sorted(set(persons)), PERSONS_MAX):
        asked = parameters(scope, persons=names)
        found |= {row.person: _as_subject(row) for row in connection.execute(_FIND, asked)}
    return found


def names_of(connection: Connection, scope: Scope, *, person: str) -> tuple[Subject, ...]:
    """Return every name of a person that stands in some way, in the order they were used."""
    first = first_of(person)
    asked = parameters(scope, first=first, low=f"{first}~", high=f"{first}{_AFTER_TILDE}")
    found = (_as_subject(row) for row in connection.execute(_NAMES, asked))
    mine = (each for each in found if first_of(each.person) == first)
    return tuple(sorted(mine, key=lambda each: number_of(each.person)))


def page(
    connection: Connection, scope: Scope, *, standings: Collection[Standing], after: str = ""
) -> list[Subject]:
    """Return names that stand in one of these ways, after a name, a page at most."""
    asked = parameters(scope, standings=sorted(standings), after=after)
    return [_as_subject(row) for row in connection.execute(_PAGE, asked)]


def last_position(connection: Connection, scope: Scope) -> Position:
    """Return the last event that changed how anybody stands, -1 where none ever did."""
    found = connection.execute(_LAST, parameters(scope)).scalar_one()
    return -1 if found is None else int(found)


def records_of(
    connection: Connection, ledger: int, *, person: str, before: Position
) -> tuple[SourceRef, ...]:
    """Return the records that the person's source events before a position are about."""
    asked = {"in_ledger": ledger, "of_person": person, "before": before}
    rows = connection.execute(_RECORDS, asked)
    return tuple(SourceRef(row.entity, row.source_id) for row in rows)


def owners(
    connection: Connection, scope: Scope, *, references: Iterable[SourceRef]
) -> dict[SourceRef, str]:
    """Return whose records these are, by the last source event that names a person."""
    wanted = [(each.entity, each.source_id) for each in dict.fromkeys(references)]
    found: dict[SourceRef, str] = {}
    for page in pages(wanted, PERSONS_MAX):
        rows = connection.execute(_OWNERS, parameters(scope, **pairs(page)))
        found |= {SourceRef(row.entity, row.source_id): row.person for row in rows if row.person}
    return found


class Doorkeeper:
    """Tells under which names nothing is taken, at no cost while nobody was ever erased."""

    def __init__(self) -> None:
        self._has_any: bool | None = None

    def closed(
        self, connection: Connection, scope: Scope, *, persons: Collection[str]
    ) -> frozenset[str]:
        """Return those names under which nothing is taken any more."""
        if not persons:
            return frozenset()
        if self._has_any is None:
            self._has_any = connection.execute(_ANY, parameters(scope)).first() is not None
        if not self._has_any:
            return frozenset()
        found = find(connection, scope, persons=persons)
        return frozenset(name for name, each in found.items() if each.is_closed)

    def look_again(self) -> None:
        """Forget what was found: a step changed how somebody stands."""
        self._has_any = None


def _as_subject(row: Row[Any]) -> Subject:
    return Subject(row.person, Standing(row.state), row.position)
