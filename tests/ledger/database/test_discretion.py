"""What a server says about values stays with the server."""

import traceback
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection, text

from ledger.database import PostgresqlDatabase, Server
from tests.postgresql import Cluster

pytestmark = pytest.mark.one_database("errors of a server; those of SQLite repeat no value")

MARK = "Qanarvalue"
FAILING = {
    "a name that is taken": "INSERT INTO people VALUES (:value, 1)",
    "a text that is no number": "SELECT CAST(CAST(:value AS TEXT) AS INTEGER)",
    "what the driver cannot send": "INSERT INTO people VALUES ('x', :value)",
    "a row that breaks a rule": "INSERT INTO people VALUES (:value || 'x', -1)",
}


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Server]:
    with cluster.lent() as address:
        yield Server(address)


@pytest.fixture
async def people(server: Server) -> AsyncIterator[PostgresqlDatabase]:
    def begin(connection: Connection) -> None:
        table = "CREATE TABLE people (name TEXT PRIMARY KEY, number INTEGER CHECK (number > 0))"
        connection.execute(text(table))
        connection.execute(text("INSERT INTO people VALUES (:value, 1)"), {"value": MARK})

    database = PostgresqlDatabase(server)
    await database.run(begin)
    yield database
    await database.close()


@pytest.mark.parametrize("why", FAILING)
async def test_an_error_repeats_no_value(people: PostgresqlDatabase, why: str) -> None:
    with pytest.raises(Exception, match="Error") as caught:
        await people.run(lambda connection: connection.execute(text(FAILING[why]), {"value": MARK}))
    told = "".join(traceback.format_exception(caught.value))
    chain = [caught.value, caught.value.__cause__, getattr(caught.value, "orig", None)]

    assert MARK not in told
    assert MARK not in "".join(f"{each!r} {vars(each)}" for each in chain if each is not None)


async def test_an_error_still_says_what_broke(people: PostgresqlDatabase) -> None:
    taken = text(FAILING["a name that is taken"])

    with pytest.raises(Exception, match=r"sqlstate 23505.*constraint_name people_pkey"):
        await people.run(lambda connection: connection.execute(taken, {"value": MARK}))
