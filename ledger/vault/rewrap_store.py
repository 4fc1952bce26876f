"""Every wrapped key of a vault, wrapped anew by another: in pages, within one transaction."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, LargeBinary, Text, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from ledger.schema.vault_tables import person_keys
from ledger.vault.key_store import DESTROYED
from ledger.vault.secret_store import (
    NAMES,
    WRAPPING,
    load_secrets,
    replace_secret,
    secret_owner,
)
from ledger.vault.wrapping import Wrapping

ROWS_PER_PAGE: Final = 1_000

_PUT = (
    update(person_keys)
    .where(
        person_keys.c.ledger == bindparam("of_ledger"),
        person_keys.c.person == bindparam("of_person"),
    )
    .values(wrapped=bindparam("rewrapped"))
)
# A page in one statement: a row at a time, whoever waits for a vault of 300,000 keys gives up.
_PUT_PAGE = text(
    "UPDATE person_keys SET wrapped = put.wrapped"
    " FROM unnest(:persons, :rewrapped) AS put (person, wrapped)"
    " WHERE person_keys.ledger = :of_ledger AND person_keys.person = put.person"
    # A page is a stretch of the index; told so, no planner reads the whole table for each.
    " AND person_keys.person BETWEEN :first AND :last"
).bindparams(
    bindparam("persons", type_=ARRAY(Text)), bindparam("rewrapped", type_=ARRAY(LargeBinary))
)


def rewrap_all(
    connection: Connection,
    ledger: int,
    *,
    old: Wrapping,
    new: Wrapping,
    nonce: Callable[[], bytes],
) -> int:
    """Wrap all keys and secrets by another wrapping, make it the live one, and count the keys."""

    def rewrapped(wrapped: bytes, owner: str) -> bytes:
        return new.wrap(old.unwrap(wrapped, owner=owner), nonce=nonce(), owner=owner)

    stored = load_secrets(connection, ledger)
    for name in NAMES:
        wrapped = rewrapped(stored[name], secret_owner(name))
        replace_secret(connection, ledger, name=name, wrapped=wrapped)
    replace_secret(connection, ledger, name=WRAPPING, wrapped=new.name)
    count = 0
    for page in _pages(connection, ledger):
        _put(connection, ledger, {person: rewrapped(wrapped, person) for person, wrapped in page})
        count += len(page)
    return count


def _put(connection: Connection, ledger: int, rewrapped: Mapping[str, bytes]) -> None:
    if connection.dialect.name == "postgresql":
        persons = list(rewrapped)
        page = {"persons": persons, "rewrapped": list(rewrapped.values())}
        page |= {"first": persons[0], "last": persons[-1]}
        connection.execute(_PUT_PAGE, {"of_ledger": ledger, **page})
        return
    rows = [
        {"of_ledger": ledger, "of_person": person, "rewrapped": wrapped}
        for person, wrapped in rewrapped.items()
    ]
    connection.execute(_PUT, rows)


def _pages(connection: Connection, ledger: int) -> Iterator[list[tuple[str, bytes]]]:
    query = (
        select(person_keys.c.person, person_keys.c.wrapped)
        .where(person_keys.c.ledger == ledger, person_keys.c.wrapped != DESTROYED)
        .order_by(person_keys.c.person)
        .limit(ROWS_PER_PAGE)
    )
    page = [(row.person, row.wrapped) for row in connection.execute(query)]
    while page:
        yield page
        after = query.where(person_keys.c.person > page[-1][0])
        page = [(row.person, row.wrapped) for row in connection.execute(after)]
