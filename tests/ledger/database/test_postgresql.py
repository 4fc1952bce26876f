"""What only a server does: hosts that share it, connections that break, retries, its own clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.util import await_only

from ledger.database import PostgresqlDatabase, Server
from ledger.database.postgresql import PAUSES_SECONDS
from ledger.errors import LedgerBusyError, LedgerError, StorageError
from ledger.schema.migrate import is_current, upgrade
from tests.postgresql import Cluster

pytestmark = pytest.mark.one_database("what only a server does")

TASKS = 40


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Server]:
    with cluster.lent() as address:
        yield Server(address)


@pytest.fixture
async def counting(server: Server) -> AsyncIterator[PostgresqlDatabase]:
    opened = PostgresqlDatabase(server, durability="normal")
    await opened.run(begin_counter)
    yield opened
    await opened.close()


def begin_counter(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE counter (name TEXT PRIMARY KEY, number INTEGER)"))
    connection.execute(text("INSERT INTO counter VALUES ('a', 0), ('b', 0)"))


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT sum(number) FROM counter")).scalar_one())


def raise_by_one(connection: Connection, name: str = "a") -> int:
    raised = text("UPDATE counter SET number = number + 1 WHERE name = :name RETURNING number")
    return int(connection.execute(raised, {"name": name}).scalar_one())


def end_others(connection: Connection) -> None:
    """End every other connection to this database, as a restart would."""
    connection.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    )


async def test_many_tasks_write_one_after_another(counting: PostgresqlDatabase) -> None:
    seen = await asyncio.gather(*(counting.run(raise_by_one) for _ in range(TASKS)))

    assert sorted(seen) == list(range(1, TASKS + 1))


async def test_a_failing_function_leaves_nothing(counting: PostgresqlDatabase) -> None:
    def fail(connection: Connection) -> None:
        raise_by_one(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await counting.run(fail)

    assert await counting.read(count) == 0


async def test_cancelling_the_caller_never_cuts_a_transaction_in_half(
    counting: PostgresqlDatabase, server: Server
) -> None:
    entered, may_go_on = asyncio.Event(), asyncio.Event()

    def twice(connection: Connection) -> None:
        raise_by_one(connection, "a")
        entered.set()
        await_only(may_go_on.wait())
        raise_by_one(connection, "b")

    caller = asyncio.create_task(counting.run(twice))
    await entered.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_go_on.set()
    await counting.close()

    again = PostgresqlDatabase(server)
    found = await again.read(count)
    await again.close()
    assert found == 2


async def test_two_hosts_that_lock_crosswise_both_come_through(
    counting: PostgresqlDatabase, server: Server
) -> None:
    other = PostgresqlDatabase(server, durability="normal")
    both_hold = asyncio.Barrier(2)
    tries: list[str] = []

    def crosswise(mine: str, theirs: str) -> Callable[[Connection], int]:
        def step(connection: Connection) -> int:
            raise_by_one(connection, mine)
            if mine not in tries:
                tries.append(mine)
                await_only(both_hold.wait())
            return raise_by_one(connection, theirs)

        return step

    await asyncio.gather(counting.run(crosswise("a", "b")), other.run(crosswise("b", "a")))

    await other.close()
    assert await counting.read(count) == 4


async def test_a_connection_that_was_ended_meanwhile_costs_nothing(
    counting: PostgresqlDatabase,
) -> None:
    other = PostgresqlDatabase(counting.server)
    await other.run(end_others)

    assert await counting.run(raise_by_one) == 1
    await other.run(end_others)
    assert await counting.read(count) == 1
    await other.close()


async def test_a_reader_cannot_write(counting: PostgresqlDatabase) -> None:
    with pytest.raises(StorageError, match="read-only"):
        await counting.read(raise_by_one)


async def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    url = make_url("postgresql+asyncpg://uni:hush@127.0.0.1:1/uni")
    database = PostgresqlDatabase(Server(url))

    with pytest.raises(LedgerBusyError, match="cannot be reached") as caught:
        await database.read(count)
    await database.close()

    assert "hush" not in f"{caught.value} {caught.value.__cause__} {database.server!r}"


async def test_a_database_that_is_not_there_is_told(cluster: Cluster) -> None:
    database = PostgresqlDatabase(Server(cluster.address.set(database="nowhere")))

    with pytest.raises(StorageError, match="no such database"):
        await database.read(count)
    await database.close()


async def test_one_task_is_done_by_one_host_at_a_time(counting: PostgresqlDatabase) -> None:
    other = PostgresqlDatabase(counting.server)
    async with counting.alone("rebuild"):
        with pytest.raises(LedgerBusyError, match="another `rebuild`"):
            async with other.alone("rebuild"):
                pass
    async with other.alone("rebuild"):
        pass

    await other.close()


async def test_who_wants_to_be_alone_waits_for_those_who_work_together(
    counting: PostgresqlDatabase,
) -> None:
    other = PostgresqlDatabase(counting.server)
    async with counting.together("sync"), other.together("sync"):
        with pytest.raises(LedgerBusyError, match="another `sync`"):
            async with other.alone("sync"):
                pass
    async with other.alone("sync"):
        with pytest.raises(LedgerBusyError, match="another `sync`"):
            async with counting.together("sync"):
                pass

    await other.close()


async def test_what_did_not_wait_for_the_disk_can_be_brought_there(
    counting: PostgresqlDatabase,
) -> None:
    def is_on_disk(connection: Connection) -> bool:
        asked = text("SELECT pg_current_wal_flush_lsn() >= CAST(CAST(:written AS text) AS pg_lsn)")
        return bool(connection.execute(asked, {"written": written}).scalar_one())

    def end_of_log(connection: Connection) -> str:
        raise_by_one(connection)
        return str(
            connection.execute(text("SELECT pg_current_wal_insert_lsn()::text")).scalar_one()
        )

    written = await counting.run(end_of_log)
    await counting.make_durable()

    assert await counting.run(is_on_disk)


async def test_a_closed_database_says_so(counting: PostgresqlDatabase) -> None:
    await counting.close()
    await counting.close()

    with pytest.raises(LedgerError, match="closed"):
        await counting.run(raise_by_one)


async def test_a_schema_that_was_made_for_a_user_needs_no_right_to_make_one(server: Server) -> None:
    class _UndoneError(Exception):
        """Takes everything back, the user included."""

    def migrate_as_a_guest(connection: Connection) -> None:
        connection.execute(text("CREATE ROLE ledger_guest"))
        connection.execute(text("CREATE SCHEMA given AUTHORIZATION ledger_guest"))
        connection.execute(text("SET LOCAL ROLE ledger_guest"))
        upgrade(connection, "main")
        if is_current(connection, "main"):
            raise _UndoneError

    database = PostgresqlDatabase(Server(server.url, schema="given"))
    with pytest.raises(_UndoneError):
        await database.run(migrate_as_a_guest)
    await database.close()


async def test_attempts_after_a_lost_connection_are_further_and_further_apart(
    counting: PostgresqlDatabase,
) -> None:
    loop, begun = asyncio.get_running_loop(), list[float]()

    def break_off(connection: Connection) -> None:
        begun.append(loop.time())
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(LedgerBusyError, match="cannot be reached"):
        await counting.run(break_off)

    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert len(gaps) == len(PAUSES_SECONDS)
    assert all(gap >= pause for gap, pause in zip(gaps, PAUSES_SECONDS, strict=True))


async def test_a_migration_by_another_host_costs_nothing(
    counting: PostgresqlDatabase, server: Server
) -> None:
    def look(connection: Connection) -> list[int]:
        return [len(row) for row in connection.execute(text("SELECT * FROM counter"))]

    def widen(connection: Connection) -> None:
        connection.execute(text(f"ALTER TABLE counter ADD COLUMN more_{len(seen)} INTEGER"))

    seen, other = list[list[int]](), PostgresqlDatabase(server)
    for run in (counting.run, counting.read):
        # Twice, so that the plan is kept.
        await run(look)
        seen.append(await run(look))
        await other.run(widen)
        seen.append(await run(look))
    await other.close()

    assert seen == [[2, 2], [3, 3], [3, 3], [4, 4]]
