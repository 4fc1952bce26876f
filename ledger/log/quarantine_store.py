"""What was refused, in SQL: one row for each refused line, and how often it came.

The rows are folded from `event.quarantined` and `quarantine.released`; how often the same line came
again is counted beside them and is no event, so that reading a file twice adds nothing to the log.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from ledger.reference import Position, Scope
from ledger.schema.statements import pages, parameters, within
from ledger.schema.tables import quarantine, sightings

KEYS_MAX: Final = 400
REFUSED: Final = "refused"
RELEASED: Final = "released"

_ANY = select(quarantine.c.key).where(within(quarantine)).limit(1)
_COUNT = select(func.count()).where(within(quarantine), quarantine.c.state == REFUSED)


@dataclass(frozen=True, slots=True)
class Kept:
    """One refused line, as far as it is kept in the clear."""

    key: str
    position: Position
    """The event that tells of it and holds it sealed."""
    state: str
    codes: str
    count: int
    """How often it came."""


def known(connection: Connection, scope: Scope, *, keys: Collection[str]) -> set[str]:
    """Return which of these keys are on record, in whatever state."""
    found = set[str]()
    for page in pages(sorted(keys), KEYS_MAX):
        statement = select(quarantine.c.key).where(_within(scope), quarantine.c.key.in_(page))
        found |= {row.key for row in connection.execute(statement)}
    return found


def refused_like(connection: Connection, scope: Scope, *, starts: Iterable[str]) -> list[str]:
    """Return the keys, still refused, that begin in one of these ways."""
    if connection.execute(_ANY, parameters(scope)).first() is None:
        return []
    found: list[str] = []
    for start in dict.fromkeys(starts):
        statement = select(quarantine.c.key).where(
            _within(scope),
            quarantine.c.state == REFUSED,
            # Keys are hexadecimal digits, so that "g" stands behind everything.
            quarantine.c.key >= start,
            quarantine.c.key <= f"{start}g",
        )
        found += [row.key for row in connection.execute(statement)]
    return found


def see_again(connection: Connection, ledger: int, *, key: str) -> None:
    """Count that a line which is on record came once more."""
    mine = and_(sightings.c.ledger == ledger, sightings.c.key == key)
    more = sightings.update().where(mine).values(count=sightings.c.count + 1)
    if connection.execute(more).rowcount == 0:
        connection.execute(sightings.insert(), {"ledger": ledger, "key": key, "count": 2})


def count(connection: Connection, scope: Scope) -> int:
    """Return how many lines are refused and not released."""
    return int(connection.execute(_COUNT, parameters(scope)).scalar_one())


def find(connection: Connection, scope: Scope, *, key: str) -> Kept | None:
    """Return one line, released or not."""
    row = connection.execute(_selected(scope).where(quarantine.c.key == key)).one_or_none()
    return None if row is None else _kept(row)


def read_page(connection: Connection, scope: Scope, *, after: Position, limit: int) -> list[Kept]:
    """Return up to `limit` lines that are still refused, in the order they first came."""
    statement = (
        _selected(scope)
        .where(quarantine.c.state == REFUSED, quarantine.c.position > after)
        .order_by(quarantine.c.position)
        .limit(limit)
    )
    return [_kept(row) for row in connection.execute(statement)]


def _within(scope: Scope) -> ColumnElement[bool]:
    return and_(quarantine.c.ledger == scope.ledger, quarantine.c.generation == scope.generation)


def _selected(scope: Scope) -> Select[Any]:
    same = and_(sightings.c.ledger == quarantine.c.ledger, sightings.c.key == quarantine.c.key)
    return select(quarantine, sightings.c.count).outerjoin(sightings, same).where(_within(scope))


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        key=row.key,
        position=row.position,
        state=row.state,
        codes=row.codes,
        # `Row.count` is a method of tuples, so the column is asked for by its name.
        count=row._mapping["count"] or 1,  # noqa: SLF001 - a public attribute of rows
    )
