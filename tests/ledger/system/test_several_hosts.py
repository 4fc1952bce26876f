"""Several hosts open one ledger on a server: what they share, and what they tell one another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from ledger.clock import SystemClock
from ledger.home import initialise
from ledger.ledger import Ledger
from ledger.outbox import lease_store
from ledger.testing import address_in
from ledger.transaction import Transaction
from tests.ledger.outbox.histories import Outbox, terms

pytestmark = pytest.mark.parametrize("home", ["postgresql"], indirect=True)

SECONDS_MAX = 30


class WrongClock(SystemClock):
    """The clock of a host that is some hours off."""

    def __init__(self, hours: int) -> None:
        self._off = timedelta(hours=hours)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._off


@asynccontextmanager
async def hosts(home: Path, count: int) -> AsyncIterator[list[Ledger]]:
    """Give several hosts of one ledger, none of which brings a clock."""
    address = address_in(home)
    await initialise(address)
    async with AsyncExitStack() as exits:
        yield [await exits.enter_async_context(await Ledger.open(address)) for _ in range(count)]


def plan(count: int, lanes: int) -> Callable[[Transaction], None]:
    def step(step: Transaction) -> None:
        outbox = Outbox(step.connection)
        for number in range(count):
            outbox.plan(f"o{number}", lane=f"lane {number % lanes}")

    return step


async def claim(ledger: Ledger, host: str, *, lanes_max: int = 8, seconds: float = 60) -> list[str]:
    wanted = replace(terms(host=host, lanes_max=lanes_max), lease_seconds=seconds, settle_seconds=0)
    groups = await ledger.transact(lambda step: step.claim(wanted.at(step.lease_now)))
    return [each.lane for group in groups for each in group.operations]


async def beat(ledger: Ledger, host: str) -> int:
    def extend(connection: Connection) -> int:
        now = ledger.lease_now(connection)
        held = lease_store.extend(
            connection, ledger.scope, host=host, among=range(10), now=now, until=now + 60
        )
        return len(held)

    return await ledger.database.run(extend)


async def record(ledger: Ledger) -> None:
    await ledger.transact(lambda step: step.record("ingest.started", public={"run": "1"}))


async def end_others(ledger: Ledger) -> None:
    """End every connection to this database but our own, as a restart would."""
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await ledger.database.run(lambda connection: connection.execute(others))


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_host_whose_clock_is_off_neither_loses_nor_steals_leases(
    home: Path, hours: int
) -> None:
    async with hosts(home, 2) as (right, wrong):
        wrong.clock = WrongClock(hours)
        await right.transact(plan(2, lanes=2))

        taken = [await claim(right, "right", lanes_max=1), await claim(wrong, "wrong", lanes_max=1)]
        stolen = [await claim(right, "right"), await claim(wrong, "wrong")]
        prolonged = [await beat(right, "right"), await beat(wrong, "wrong")]

    assert taken == [["lane 0"], ["lane 1"]]
    assert stolen == [[], []]
    assert prolonged == [1, 1]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_lease_of_a_host_whose_clock_is_off_runs_out_for_all(
    home: Path, hours: int
) -> None:
    async with hosts(home, 2) as (right, wrong):
        wrong.clock = WrongClock(hours)
        await right.transact(plan(1, lanes=1))

        first = await claim(wrong, "wrong", seconds=-1)
        lost = await beat(wrong, "wrong")
        again = await claim(right, "right", seconds=-1)
        once_more = await claim(wrong, "wrong")

    assert first == again == once_more == ["lane 0"]
    assert lost == 0


@pytest.mark.parametrize("count", [2, 4])
async def test_hosts_that_claim_at_once_share_no_lane(home: Path, count: int) -> None:
    async with hosts(home, count) as several:
        await several[0].transact(plan(40, lanes=20))
        taken = await asyncio.gather(
            *(
                claim(ledger, f"host {number}", lanes_max=2)
                for number, ledger in enumerate(several)
                for _ in range(20 // count)
            )
        )
        left = await claim(several[0], "host 0")

    lanes = [lane for each in taken for lane in each]
    assert len(lanes) == len(set(lanes)) == 20
    assert left == []


async def test_rows_that_another_transaction_holds_are_passed_over_not_waited_for(
    home: Path,
) -> None:
    holds, may_let_go = asyncio.Event(), asyncio.Event()

    def hold(connection: Connection) -> None:
        connection.execute(text("SELECT * FROM operations WHERE key = 'o0' FOR UPDATE"))
        holds.set()
        await_only(asyncio.wait_for(may_let_go.wait(), SECONDS_MAX))

    async with hosts(home, 2) as (one, other):
        await one.transact(plan(3, lanes=3))
        holding = asyncio.create_task(one.database.run(hold))
        await holds.wait()
        meanwhile = await asyncio.wait_for(claim(other, "other"), SECONDS_MAX)
        is_held_still = not holding.done()
        may_let_go.set()
        await holding
        afterwards = await claim(other, "other")

    assert sorted(meanwhile) == ["lane 1", "lane 2"]
    assert is_held_still
    assert afterwards == ["lane 0"]


async def test_a_listener_that_was_cut_off_comes_back_and_hears_again(home: Path) -> None:
    async with hosts(home, 2) as (writer, listener):
        listener.listen()
        heard = await listener.bell.wait(listener.bell.rings, seconds_max=SECONDS_MAX)
        await end_others(writer)
        # It rings for what it may have missed as soon as the line stands again.
        back = await listener.bell.wait(heard, seconds_max=SECONDS_MAX)
        await record(writer)

        assert back == heard + 1
        assert await listener.bell.wait(back, seconds_max=SECONDS_MAX) > back


async def test_a_step_that_leaves_no_event_wakes_no_other_host(home: Path) -> None:
    async with hosts(home, 2) as (writer, listener):
        listener.listen()
        heard = await listener.bell.wait(listener.bell.rings, seconds_max=SECONDS_MAX)
        for _ in range(3):
            assert await claim(writer, "writer") == []
        await record(writer)
        # Notifications come in the order of their commits.
        await listener.bell.wait(heard, seconds_max=SECONDS_MAX)

        assert listener.bell.rings == heard + 1


async def test_closing_leaves_no_connection_no_task_and_no_thread(home: Path) -> None:
    counted = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND application_name = 'dokstamp-ledger'"
    )
    async with hosts(home, 1) as (watcher,):
        looking = watcher.database

        async def others() -> int:
            return int(await looking.read(lambda connection: connection.scalar(counted)))

        own, tasks = await others(), asyncio.all_tasks()
        async with await Ledger.open(address_in(home)) as ledger:
            ledger.listen()
            await ledger.bell.wait(ledger.bell.rings, seconds_max=SECONDS_MAX)
            await asyncio.gather(*(ledger.head() for _ in range(20)), record(ledger))
            opened = await others() - own
        async with asyncio.timeout(SECONDS_MAX):
            # The server takes a moment to notice.
            while await others() > own:
                pass

        assert 3 <= opened <= 12
        assert asyncio.all_tasks() == tasks
