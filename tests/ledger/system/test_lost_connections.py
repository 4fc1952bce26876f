"""A connection breaks in the middle: an error or a success that stands, never a gap or a double."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ledger.database import Server
from ledger.errors import LedgerBusyError
from ledger.home import initialise
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.testing import address_in
from ledger.transaction import Appended, Transaction, Verdict
from tests.ledger.steps import SOURCE
from tests.ledger.system.broken_lines import Line, broken_line

pytestmark = pytest.mark.parametrize("home", ["postgresql"], indirect=True)

AT_COMMIT = """
CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER break_off AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION break_off()
"""


def event(name: str) -> NewEvent:
    return NewEvent(
        source=SOURCE,
        id=name,
        type="course.changed",
        subject=SourceRef("course", name),
        private={"data": {"name": name}},
    )


@asynccontextmanager
async def on_a_line(home: Path) -> AsyncIterator[tuple[Line, Ledger]]:
    """Give a ledger whose connections go through a line that can break."""
    address = address_in(home)
    await initialise(address)
    assert isinstance(address.place, Server)
    async with (
        broken_line(address.place) as (line, near),
        await Ledger.open(replace(address, place=near)) as ledger,
    ):
        yield line, ledger


async def ids(ledger: Ledger) -> list[str]:
    stored = await ledger.read(
        lambda c: log_store.read_page(c, ledger.scope.ledger, after=-1, limit=100)
    )
    assert [each.position for each in stored] == list(range((await ledger.head()).size))
    return [each.id for each in stored]


def breaking_off(times: int) -> Callable[[Transaction], int]:
    """Return a step whose connection is ended from within, so many times."""
    left = [times]

    def step(transaction: Transaction) -> int:
        position = transaction.record("ingest.started", public={"run": "1"})
        if left[0]:
            left[0] -= 1
            end = "SELECT pg_terminate_backend(pg_backend_pid())"
            transaction.connection.execute(text(end))
        return position

    return step


async def test_a_connection_lost_in_mid_transaction_costs_nothing(home: Path) -> None:
    async with on_a_line(home) as (_, ledger):
        position = await ledger.transact(breaking_off(1))
        await ledger.append([event("a")])

        assert position == 0
        assert await ids(ledger) == ["ingest.started/0", "a"]


async def test_a_connection_lost_again_and_again_is_an_error_that_left_nothing(home: Path) -> None:
    async with on_a_line(home) as (_, ledger):
        with pytest.raises(LedgerBusyError, match="cannot be reached"):
            await ledger.transact(breaking_off(100))
        await ledger.append([event("a")])

        assert await ids(ledger) == ["a"]


async def test_an_answer_to_a_commit_that_is_lost_is_resolved_by_offering_again(
    home: Path,
) -> None:
    async with on_a_line(home) as (line, ledger):
        await ledger.append([event("a")])
        line.losses = 1
        with pytest.raises(LedgerBusyError, match="cannot be reached"):
            await ledger.append([event("b")])
        again = await ledger.append([event("b"), event("c")])

        assert line.lost == 1
        assert again == [Appended(Verdict.DUPLICATE, 1), Appended(Verdict.TAKEN, 2)]
        assert await ids(ledger) == ["a", "b", "c"]


async def test_callers_that_shared_the_lost_commit_all_hear_of_it_and_enter_once(
    home: Path,
) -> None:
    names = [f"e{number}" for number in range(20)]
    async with on_a_line(home) as (line, ledger):
        # The key that nobody's events share is made first.
        await ledger.append([event("a")])
        line.losses = 1
        answers = await asyncio.gather(
            *(ledger.append([event(name)]) for name in names), return_exceptions=True
        )
        again = [answer for name in names for answer in await ledger.append([event(name)])]

        assert line.lost == 1
        assert {type(answer) for answer in answers} <= {list, LedgerBusyError}
        assert [answer.verdict for answer in again] == [Verdict.DUPLICATE] * 20
        assert sorted(await ids(ledger)) == sorted(["a", *names])


async def test_a_connection_that_the_server_ends_at_the_commit_leaves_nothing(home: Path) -> None:
    async with on_a_line(home) as (_, ledger):

        def arm(connection: Connection) -> None:
            for statement in AT_COMMIT.split(";\nCREATE CONSTRAINT"):
                kind = "" if "FUNCTION break_off() RETURNS" in statement else "CREATE CONSTRAINT"
                connection.exec_driver_sql(kind + statement)

        await ledger.database.run(arm)
        with pytest.raises(LedgerBusyError, match="cannot be reached"):
            await ledger.append([event("a")])
        await ledger.database.run(
            lambda c: c.exec_driver_sql("DROP TRIGGER break_off ON events").close()
        )
        left = await ids(ledger)
        again = await ledger.append([event("a")])

        assert left == []
        assert again == [Appended(Verdict.TAKEN, 0)]
