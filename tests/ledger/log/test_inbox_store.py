"""What a host writes of its own and the event are one transaction, on a server as well."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ledger.database import Server
from ledger.errors import LedgerError
from ledger.ledger import Ledger
from ledger.log import inbox_store
from ledger.log.event import NewEvent
from ledger.log.inbox_store import Entry
from ledger.reference import SourceRef
from ledger.testing import address_in, ledger_in
from ledger.transaction import Offer
from tests.ledger.steps import SOURCE

pytestmark = pytest.mark.parametrize("home", ["postgresql"], indirect=True)

GRADES = "CREATE TABLE IF NOT EXISTS grades (grade TEXT)"


async def entry_of(ledger: Ledger, name: str) -> Entry:
    event = NewEvent(
        source=SOURCE,
        id=name,
        type="course.changed",
        subject=SourceRef("course", name),
        private={"data": {"name": name}},
    )
    (offer,) = await ledger.offers([event])
    return Entry(offer.prepared, document=offer.document)


@asynccontextmanager
async def host(
    home: Path, *, synchronous: str = "on", read_only: str = "off", **options: Any
) -> AsyncIterator[AsyncConnection]:
    """Give a connection of the host's own, told how to commit."""
    place = address_in(home).place
    assert isinstance(place, Server)
    told = {"synchronous_commit": synchronous, "default_transaction_read_only": read_only}
    engine = create_async_engine(place.url, connect_args={"server_settings": told}, **options)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def write(connection: AsyncConnection, ledger: Ledger, entry: Entry) -> None:
    """Write a grade and put the event beside it, as a host does."""

    def both(inside: Connection) -> None:
        inside.execute(text(GRADES))
        inside.execute(text("INSERT INTO grades VALUES ('A')"))
        inbox_store.put(inside, ledger.scope.ledger, entry=entry, database=ledger.database)

    await connection.run_sync(both)


async def held(ledger: Ledger) -> tuple[int, int]:
    """Return how many grades there are, and how many entries wait."""

    def look(connection: Connection) -> tuple[int, int]:
        is_there = connection.scalar(text("SELECT to_regclass('public.grades')"))
        grades = connection.scalar(text("SELECT count(*) FROM public.grades")) if is_there else 0
        return grades, len(inbox_store.read_page(connection, ledger.scope.ledger, limit=10))

    return await ledger.read(look)


async def take(ledger: Ledger) -> list[int | None]:
    waiting = await ledger.read(
        lambda connection: inbox_store.read_page(connection, ledger.scope.ledger, limit=10)
    )
    offers = [Offer(each.entry.prepared, document=each.entry.document) for each in waiting]

    def step(transaction: Any) -> list[int | None]:
        answers = transaction.append(offers)
        inbox_store.remove(transaction.connection, numbers=[each.number for each in waiting])
        return [answer.position for answer in answers]

    return await ledger.transact(step)


async def test_a_hosts_write_and_the_event_are_committed_as_one(home: Path) -> None:
    async with ledger_in(home) as ledger, host(home) as connection:
        await write(connection, ledger, await entry_of(ledger, "a"))
        # No append waits for a host that takes its time, and none passes what it has not seen.
        meanwhile = await ledger.append([])
        before = await held(ledger), await take(ledger)
        await connection.commit()
        after = await held(ledger), await take(ledger)

        assert (meanwhile, before) == ([], ((0, 0), []))
        assert after == ((1, 1), [0])
        assert await held(ledger) == (1, 0)


async def test_what_a_host_rolls_back_leaves_neither(home: Path) -> None:
    async with ledger_in(home) as ledger, host(home) as connection:
        await write(connection, ledger, await entry_of(ledger, "a"))
        await connection.rollback()

        assert await held(ledger) == (0, 0)


async def test_two_hosts_commit_in_one_order_and_are_sequenced_in_another(home: Path) -> None:
    async with ledger_in(home) as ledger, host(home) as first, host(home) as second:
        await write(first, ledger, await entry_of(ledger, "first"))
        entry = await entry_of(ledger, "second")
        await second.run_sync(
            lambda c: inbox_store.put(c, ledger.scope.ledger, entry=entry, database=ledger.database)
        )
        await second.commit()
        early = await take(ledger)
        await first.commit()
        late = await take(ledger)

        assert (early, late) == ([0], [1])
        assert {each.id for each in (await ledger.events_at([0])).values()} == {"second"}


@pytest.mark.parametrize(
    "fault",
    [
        {"isolation_level": "AUTOCOMMIT"},
        {"synchronous": "off"},
        {"read_only": "on"},
    ],
    ids=lambda fault: next(iter(fault)),
)
async def test_a_connection_that_cannot_commit_both_as_one_is_refused_with_the_recipe(
    home: Path, fault: dict[str, Any]
) -> None:
    async with ledger_in(home) as ledger, host(home, **fault) as connection:
        entry = await entry_of(ledger, "a")

        with pytest.raises(LedgerError, match="leave synchronous_commit on"):
            await connection.run_sync(
                lambda c: inbox_store.put(
                    c, ledger.scope.ledger, entry=entry, database=ledger.database
                )
            )
        await connection.rollback()
        assert await held(ledger) == (0, 0)


async def test_a_connection_to_another_database_is_refused_with_the_recipe(
    home: Path, elsewhere: Path
) -> None:
    async with ledger_in(home) as ledger, host(elsewhere) as connection:
        entry = await entry_of(ledger, "a")

        with pytest.raises(LedgerError, match="ledger's own server and database"):
            await write(connection, ledger, entry)
