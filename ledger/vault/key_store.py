"""Wrapped person keys in the vault's database: find, make, destroy.

A person is named like `student:S-1001`; the empty name has the key of what belongs to
nobody. Keys come and go wrapped: `wrap_key` and `unwrap_key` of `ledger.vault.sealed`
belong to the caller. A destroyed key leaves an empty row, so that its name never gets another:
what an erased person's name sealed must stay shut, and nothing new may be sealed under it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from ledger.clock import to_microseconds
from ledger.schema.statements import pages
from ledger.schema.vault_tables import insert_or_ignore, person_keys

PERSONS_PER_QUERY: Final = 500
DESTROYED: Final = b""
"""What stands in the place of a wrapped key that was destroyed."""
TRACES_LEFT: Final = 0
"""The time of a destroyed key whose old bytes may still be readable in the database's files."""


def load_keys(connection: Connection, ledger: int, *, persons: Iterable[str]) -> dict[str, bytes]:
    """Return the wrapped keys of those persons who have one."""
    found: dict[str, bytes] = {}
    for page in pages(dict.fromkeys(persons), PERSONS_PER_QUERY):
        query = select(person_keys.c.person, person_keys.c.wrapped).where(
            person_keys.c.ledger == ledger,
            person_keys.c.person.in_(page),
            person_keys.c.wrapped != DESTROYED,
        )
        found.update((row.person, row.wrapped) for row in connection.execute(query))
    return found


def ensure_keys(
    connection: Connection,
    ledger: int,
    *,
    persons: Iterable[str],
    make: Callable[[str], bytes],
    now: datetime,
) -> dict[str, bytes]:
    """Return the wrapped keys of these persons, made now where there never was one.

    A person whose key was destroyed has none and gets none. Commit before anything sealed with
    them is stored. `make` returns a new key, wrapped.
    """
    wanted = list(dict.fromkeys(persons))
    found = load_keys(connection, ledger, persons=wanted)
    missing = [person for person in wanted if person not in found]
    if not missing:
        return found
    created_at = to_microseconds(now)
    rows = [
        {"ledger": ledger, "person": person, "wrapped": make(person), "created_at": created_at}
        for person in missing
    ]
    connection.execute(insert_or_ignore(connection, person_keys), rows)
    # Another process may have been first: what stands in the table is the key, not ours.
    return found | load_keys(connection, ledger, persons=missing)


def destroy_key(connection: Connection, ledger: int, *, person: str) -> bool:
    """Destroy the person's key for ever and tell whether there was one.

    On SQLite the old bytes stay in the write-ahead log until it is truncated.
    """
    row = {"ledger": ledger, "person": person, "wrapped": DESTROYED, "created_at": TRACES_LEFT}
    connection.execute(insert_or_ignore(connection, person_keys), row)
    statement = (
        update(person_keys)
        .where(
            person_keys.c.ledger == ledger,
            person_keys.c.person == person,
            person_keys.c.wrapped != DESTROYED,
        )
        .values(wrapped=DESTROYED, created_at=TRACES_LEFT)
    )
    return connection.execute(statement).rowcount > 0


def scrub_pending(connection: Connection, ledger: int, *, persons: Iterable[str]) -> frozenset[str]:
    """Return those persons whose destroyed key may still be readable in the database's files."""
    found: set[str] = set()
    for page in pages(dict.fromkeys(persons), PERSONS_PER_QUERY):
        query = select(person_keys.c.person).where(
            person_keys.c.ledger == ledger,
            person_keys.c.person.in_(page),
            person_keys.c.wrapped == DESTROYED,
            person_keys.c.created_at == TRACES_LEFT,
        )
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def note_scrubbed(connection: Connection, ledger: int, *, person: str, now: datetime) -> None:
    """Remember that nothing readable is left of a destroyed key."""
    statement = update(person_keys).where(
        person_keys.c.ledger == ledger,
        person_keys.c.person == person,
        person_keys.c.wrapped == DESTROYED,
    )
    connection.execute(statement.values(created_at=to_microseconds(now)))
