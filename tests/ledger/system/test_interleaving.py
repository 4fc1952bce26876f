"""Several hosts on one server: a transaction is held open at each step while others go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from ledger.database import Database
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.outbox import lease_store
from ledger.reference import Scope
from ledger.testing import address_in, ledger_in
from ledger.transaction import Appended, Transaction
from tests.ledger.outbox.histories import Outbox, claim, terms
from tests.ledger.rows import LEDGER_SCOPE, begin_ledger
from tests.ledger.steps import Told, in_step, offers

pytestmark = pytest.mark.parametrize("home", ["postgresql"], indirect=True)

LEDGER = LEDGER_SCOPE.ledger
STEPS = ("the head is locked", "events are written", "the head is moved")
SECONDS_MAX = 30


class Turnstile:
    """Holds a step where it passes until it is let through."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    def stop(self) -> None:
        self.reached.set()
        await_only(asyncio.wait_for(self.opened.wait(), SECONDS_MAX))


def append(connection: Connection, name: str, passing: Callable[[str], None]) -> list[Appended]:
    log_store.lock_head(connection, LEDGER)
    passing(STEPS[0])

    def write(transaction: Transaction) -> list[Appended]:
        answers = transaction.append(offers(Told(name)))
        passing(STEPS[1])
        return answers

    answers = in_step(connection, write)
    passing(STEPS[2])
    return answers


def ids(connection: Connection) -> list[tuple[int, str]]:
    stored = log_store.read_page(connection, LEDGER, after=-1, limit=100)
    assert log_store.read_head(connection, LEDGER).size == len(stored)
    return [(event.position, event.id) for event in stored]


def freely(_step: str) -> None:
    pass


@asynccontextmanager
async def hosts(home: Path, *, count: int = 2) -> AsyncIterator[list[Database]]:
    """Give connections of several hosts to one begun ledger."""
    async with AsyncExitStack() as exits:
        opened = [address_in(home).main() for _ in range(count)]
        for database in opened:
            exits.push_async_callback(database.close)
        await opened[0].run(begin_ledger)
        yield opened


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fails", [False, True])
async def test_nobody_passes_a_slow_writer_wherever_it_stands(
    home: Path, step: str, *, fails: bool
) -> None:
    turnstile = Turnstile()

    def passing(reached: str) -> None:
        if reached == step:
            turnstile.stop()
            if fails:
                raise LookupError

    async with hosts(home, count=3) as (slow, quick, reader):
        first = asyncio.create_task(slow.run(lambda c: append(c, "slow", passing)))
        await turnstile.reached.wait()
        second = asyncio.create_task(quick.run(lambda c: append(c, "quick", freely)))
        meanwhile = [await reader.read(ids) for _ in range(3)]
        has_passed = second.done()
        turnstile.opened.set()
        await asyncio.gather(first, second, return_exceptions=True)
        at_last = await reader.read(ids)

    assert meanwhile == [[], [], []]
    assert not has_passed
    assert at_last == ([(0, "quick")] if fails else [(0, "slow"), (1, "quick")])


async def test_a_reader_keeps_its_snapshot_while_others_write(home: Path) -> None:
    turnstile = Turnstile()

    def twice(connection: Connection) -> tuple[object, object]:
        before = ids(connection)
        turnstile.stop()
        return before, ids(connection)

    async with hosts(home) as (writer, reader):
        reading = asyncio.create_task(reader.read(twice))
        await turnstile.reached.wait()
        await writer.run(lambda c: append(c, "a", freely))
        turnstile.opened.set()

        assert await reading == ([], [])
        assert await reader.read(ids) == [(0, "a")]


async def test_positions_are_dense_whoever_writes(home: Path) -> None:
    async with hosts(home, count=4) as several:
        await asyncio.gather(
            *(
                host.run(lambda c, name=f"{number} {turn}": append(c, name, freely))  # type: ignore[misc]
                for number, host in enumerate(several)
                for turn in range(8)
            )
        )
        found = await several[0].read(ids)

    assert [position for position, _ in found] == list(range(32))
    assert len({name for _, name in found}) == 32


async def test_claims_at_the_same_time_share_no_lane(home: Path) -> None:
    def plan(connection: Connection) -> None:
        outbox = Outbox(connection)
        for number in range(12):
            outbox.plan(f"o{number}", lane=f"lane {number % 6}")

    def take(host: str) -> Callable[[Connection], list[list[str]]]:
        def step(connection: Connection) -> list[list[str]]:
            log_store.lock_head(connection, LEDGER)
            return claim(Outbox(connection), terms(host=host, lanes_max=4))

        return step

    async with hosts(home, count=3) as several:
        await several[0].run(plan)
        taken = await asyncio.gather(
            *(host.run(take(f"host {number}")) for number, host in enumerate(several))
        )

    names = [name for groups in taken for group in groups for name in group]
    lanes = [int(name[1:]) % 6 for name in names]
    assert len(names) == 6
    assert sorted(lanes) == list(range(6))


async def test_a_heartbeat_does_not_queue_behind_an_append(home: Path) -> None:
    turnstile = Turnstile()

    def passing(reached: str) -> None:
        if reached == STEPS[2]:
            turnstile.stop()

    def prepare(connection: Connection) -> None:
        outbox = Outbox(connection)
        outbox.plan("a")
        claim(outbox, terms())

    def beat(connection: Connection) -> int:
        scope: Scope = LEDGER_SCOPE
        held = lease_store.extend(
            connection, scope, host="host a", among=[1], now=101.0, until=161.0
        )
        return len(held)

    async with hosts(home) as (slow, other):
        await slow.run(prepare)
        appending = asyncio.create_task(slow.run(lambda c: append(c, "slow", passing)))
        await turnstile.reached.wait()
        prolonged = await asyncio.wait_for(other.run(beat), SECONDS_MAX)
        is_still_appending = not appending.done()
        turnstile.opened.set()
        await appending

    assert prolonged == 1
    assert is_still_appending


async def record(ledger: Ledger) -> None:
    await ledger.transact(lambda step: step.record("ingest.started", public={"run": "1"}))


async def test_what_one_host_commits_rings_at_another(home: Path) -> None:
    async with ledger_in(home) as writer, ledger_in(home) as listener:
        heard = listener.bell.rings
        listener.listen()
        # The line rings once when it stands.
        heard = await listener.bell.wait(heard, seconds_max=SECONDS_MAX)
        await record(writer)

        assert await listener.bell.wait(heard, seconds_max=SECONDS_MAX) > heard


async def test_a_host_that_hears_nothing_finds_out_when_it_looks(home: Path) -> None:
    async with ledger_in(home) as writer, ledger_in(home) as deaf:
        heard = deaf.bell.rings
        await record(writer)

        assert await deaf.bell.wait(heard, seconds_max=0.01) == heard
        assert (await deaf.head()).size == 1
