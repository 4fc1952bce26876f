import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, Table, select
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

from ledger.clock import ManualClock, SeededEntropy
from ledger.errors import IntegrityError
from ledger.ledger import Ledger
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Scope, SourceRef, TargetId
from ledger.schema.tables import FOLDED, bindings, operations, wakes
from ledger.testing import address_in, ledger_in
from ledger.transaction import Transaction
from sync.projector.rebuild_worker import rebuild
from tests.sync.projector.hustle import Hustle

SEEDS = range(3)
ACTIONS = 60
SECONDS_MAX = 30
COURSE = SourceRef("course", "C9")


@asynccontextmanager
async def busy_ledger(
    folder: Path, *, seed: int = 1, actions: int = 40
) -> AsyncIterator[tuple[Ledger, Hustle]]:
    clock = ManualClock()
    async with ledger_in(folder, clock=clock, entropy=SeededEntropy(seed)) as ledger:
        hustle = Hustle(ledger, seed)
        for _ in range(actions):
            clock.advance(1)
            await hustle.act()
        yield ledger, hustle


def counted(connection: Connection, table: Table) -> Counter[int]:
    rows = connection.execute(select(table.c.generation))
    return Counter(row.generation for row in rows)


async def all_counted(ledger: Ledger) -> dict[str, Counter[int]]:
    return await ledger.read(lambda c: {each.name: counted(c, each) for each in (*FOLDED, wakes)})


async def live_generation(ledger: Ledger) -> int:
    return await ledger.read_folded(lambda _, scope: scope.generation)


async def bind(ledger: Ledger) -> None:
    await ledger.transact(
        lambda step: step.record(
            "mapping.bound", public={"target": TargetId("u-9")}, subject=COURSE
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_log_folds_to_the_same_tables_whatever_happened(home: Path, seed: int) -> None:
    async with busy_ledger(home, seed=seed, actions=0) as (ledger, hustle):
        for number in range(ACTIONS):
            await hustle.act()
            if number % 20 == 19:
                report = await rebuild(ledger, check=True)

                assert report.first_difference is None
                assert report.size == (await ledger.head()).size


async def test_a_check_leaves_nothing_behind(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        await rebuild(ledger, check=True)
        before = await all_counted(ledger)
        report = await rebuild(ledger, check=True)

        assert await all_counted(ledger) == before
        assert report.compared == sum(
            count.total() for name, count in before.items() if name != wakes.name
        )
        assert await live_generation(ledger) == 0


async def test_a_rebuild_takes_the_place_of_the_tables(home: Path) -> None:
    async with busy_ledger(home) as (ledger, hustle):
        before = await all_counted(ledger)
        report = await rebuild(ledger, check=False)
        after = await all_counted(ledger)

        assert report.first_difference is None
        assert await live_generation(ledger) == 1
        assert after["operations"] == Counter({1: before["operations"][0]})
        assert {generation for each in after.values() for generation in each} == {1}
        for _ in range(20):
            await hustle.act()
        assert (await rebuild(ledger, check=True)).first_difference is None


async def test_an_altered_row_is_named_and_a_rebuild_mends_it(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        await bind(ledger)
        spoil = bindings.update().where(bindings.c.source_id == COURSE.source_id)
        await ledger.database.run(lambda c: c.execute(spoil.values(target_id="u-8")))
        found = (await rebuild(ledger, check=True)).first_difference
        await rebuild(ledger, check=False)

        assert found is not None
        assert found.to_json() == {
            "table": "bindings",
            "key": {"entity": "course", "source_id": "C9"},
            "column": "target_id",
            "live": "u-8",
            "rebuilt": "u-9",
        }
        assert (await rebuild(ledger, check=True)).first_difference is None


async def test_a_lost_row_is_named(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        await ledger.database.run(lambda c: c.execute(operations.delete()))
        found = (await rebuild(ledger, check=True)).first_difference

    assert found is not None
    assert (found.table, found.column) == ("operations", None)
    assert (found.live, found.rebuilt) == ("no such row", "a row")


async def test_another_process_follows_to_the_new_folding_with_its_next_write(
    home: Path,
) -> None:
    async with busy_ledger(home) as (ledger, _):
        async with await Ledger.open(address_in(home), clock=ManualClock()) as other:
            await rebuild(ledger, check=False)
            await bind(other)

            assert await live_generation(other) == 1
        assert (await rebuild(ledger, check=True)).first_difference is None


async def test_a_host_that_only_reads_follows_to_the_new_folding(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        async with await Ledger.open(address_in(home), clock=ManualClock()) as reader:
            before = await reader.read_folded(outbox_store.count_by_state)
            for generation in (1, 2):
                await rebuild(ledger, check=False)

                assert await live_generation(reader) == generation
                assert await reader.read_folded(outbox_store.count_by_state) == before
        assert before


async def test_a_slow_reader_keeps_its_rows_while_they_are_replaced_and_dropped(
    home: Path,
) -> None:
    reached, may_go_on = Event(), Event()

    def slowly(connection: Connection, scope: Scope) -> list[dict[State, int]]:
        first = outbox_store.count_by_state(connection, scope)
        reached.set()
        if in_greenlet():
            await_only(asyncio.to_thread(may_go_on.wait, SECONDS_MAX))
        else:
            may_go_on.wait(SECONDS_MAX)
        return [first, outbox_store.count_by_state(connection, scope)]

    async with busy_ledger(home) as (ledger, _):
        async with await Ledger.open(address_in(home), clock=ManualClock()) as reader:
            before = await ledger.read_folded(outbox_store.count_by_state)
            reading = asyncio.create_task(reader.read_folded(slowly))
            await asyncio.to_thread(reached.wait, SECONDS_MAX)
            await rebuild(ledger, check=False)
            is_still_reading = not reading.done()
            left = {
                generation for each in (await all_counted(ledger)).values() for generation in each
            }
            may_go_on.set()

            assert await reading == [before, before]
        assert (is_still_reading, left) == (True, {1})


async def test_what_is_appended_meanwhile_is_part_of_the_comparison(home: Path) -> None:
    async with busy_ledger(home) as (ledger, hustle):

        async def go_on() -> None:
            for _ in range(20):
                await hustle.act()

        going_on = asyncio.create_task(go_on())
        report = await rebuild(ledger, check=True)
        await going_on

        assert report.first_difference is None


async def test_what_a_killed_rebuild_left_is_swept_away_first(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        row = {"ledger": 1, "generation": 7, "entity": "course", "source_id": "C1", "owner": "x"}
        values = {**row, "first_position": 0, "lane": ""}
        records = next(table for table in FOLDED if table.name == "records")
        await ledger.database.run(lambda c: c.execute(records.insert(), values))
        await rebuild(ledger, check=True)

        assert 7 not in (await all_counted(ledger))["records"]


async def test_a_log_that_does_not_follow_is_an_integrity_error(home: Path) -> None:
    async with busy_ledger(home) as (ledger, _):
        unknown = {"operation": "no such operation", "outcome": "done"}
        await ledger.transact(lambda step: _log_only(step, unknown))
        size = (await ledger.head()).size

        with pytest.raises(IntegrityError, match=rf"event {size - 1} .*audit verify"):
            await rebuild(ledger, check=True)
        assert set((await all_counted(ledger))["records"]) == {0}


def _log_only(step: Transaction, public: dict[str, str]) -> None:
    """Log an event without folding it, as no code does."""
    step._write([step._prepare("operation.settled", subject=None, public=dict(public))])
