"""Every wrapped key of a vault, wrapped anew by another: in pages, within one transaction."""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

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

ROWS_PER_PAGE: Final = 500

_PUT = (
    update(person_keys)
    .where(
        person_keys.c.ledger == bindparam("of_ledger"),
        person_keys.c.person == bindparam("of_person"),
    )
    .values(wrapped=bindparam("rewrapped"))
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
        rows = [
            {"of_ledger": ledger, "of_person": person, "rewrapped": rewrapped(wrapped, person)}
            for person, wrapped in page
        ]
        connection.execute(_PUT, rows)
        count += len(rows)
    return count


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
