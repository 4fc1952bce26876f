"""No statement reads through more and more rows as a ledger grows, unless it is meant to.

Every statement that a module builds when it is imported is planned here on an empty ledger, as it
will be on every other. Left with the choice between an index that finds one row and one that finds
half of the log, SQLite may well take the other one: nothing is wrong then, and everything becomes
slower with every event.
"""

import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Final

import pytest
from sqlalchemy import Connection, Delete, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

import ledger
import sync
from ledger.database.sqlite import SqliteDatabase
from ledger.home import close_all, initialise
from ledger.ledger import Ledger
from ledger.schema.expectations import ROWS, figures
from ledger.schema.migrate import upgrade
from ledger.testing import address_in

SMALL: Final = (
    *("anon_1", "anon_2", "checkpoints", "epochs", "heads", "inbox", "leases", "ledgers"),
    *("pace_hosts", "paces", "subjects", "wakes"),
)
"""Tables of a few rows, however many events there are, and what a statement has just collected."""
NARROW: Final = re.compile(
    r"\b(digest|document|event_id|key|lane|operation|person|position|rowid|source_id|target_key"
    r"|to_source_id|waits_for)=\?|\bnumber[=>]\?|\b(position|person)>\?|\(operation,number\)>"
)
"""Conditions that few rows meet, or that a page begins after."""

COUNTS: Final = "counts for a person who asks"
ONE: Final = "takes the first or the last, in the order of the index"
OPEN: Final = "what is ready or in doubt, and no more; the rest has ended"
ONCE: Final = "changes everything, once, after a restore or an erasure"
PART: Final = "a part of other statements"
MANY: Final = {
    "ledger.log.quarantine_store._ANY": ONE,
    "ledger.log.quarantine_store._COUNT": COUNTS,
    "ledger.log.store._SELECTED": PART,
    "ledger.log.tile_store._COUNT": COUNTS,
    "ledger.log.tile_store._KEPT": PART,
    "ledger.log.tile_store._LAST": ONE,
    "ledger.log.tile_store._REMOVE_LOOSE": "few are loose",
    "ledger.mapping.store._COUNT_BY_ENTITY": COUNTS,
    "ledger.mapping.store._FORGET_SENT": ONCE,
    "ledger.mapping.store._IN_ORDER": PART,
    "ledger.moving.older_store._IN_DOUBT": COUNTS,
    "ledger.moving.older_store._MAYBE_DONE_IN_LOST_PART": PART,
    "ledger.moving.older_store._TOLD_NOBODY_KNOWS_WHAT": PART,
    "ledger.outbox.doubt_store._DOUBT": ONCE,
    "ledger.outbox.doubt_store._KEEP_IN_DOUBT": ONCE,
    "ledger.outbox.doubt_store._SENDING": PART,
    "ledger.outbox.due_store._IN_DOUBT": OPEN,
    "ledger.outbox.due_store._IN_DOUBT_PAGE": OPEN,
    "ledger.outbox.due_store._IS_ANY": OPEN,
    "ledger.outbox.due_store._IS_ANY_READY": OPEN,
    "ledger.outbox.due_store._READY": OPEN,
    "ledger.outbox.due_store._READY_BESIDE": OPEN,
    "ledger.outbox.due_store._READY_PAGE": OPEN,
    "ledger.outbox.gate_store._CLOSED": PART,
    "ledger.outbox.lease_store._DOUBTED": OPEN,
    "ledger.outbox.lease_store._NEXT_TRY": OPEN,
    "ledger.outbox.store._COUNT_BY_STATE": COUNTS,
    "ledger.outbox.store._COUNT_LOOKS": COUNTS,
    "ledger.subjects.fold_store._FORGET_DOCUMENTS": ONCE,
    "ledger.subjects.search_store._LAST_OF_TYPE": ONE,
    "sync.projector.run_store._LAST": ONE,
}
"""Statements that may read many rows, and why."""


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """Give the database of a ledger that was just made."""
    address = address_in(tmp_path)
    async with await Ledger.open(address, makes=True) as made:
        assert isinstance(made.database, SqliteDatabase)
        yield made.database


@pytest.mark.one_database("SQLite plans before there are rows, a server counts them")
async def test_every_statement_finds_its_rows_by_an_index(empty: SqliteDatabase) -> None:
    found = {
        name: wide
        for name, statement in statements()
        if (wide := await empty.read(partial(wide_steps, statement=statement)))
    }

    assert {name: wide for name, wide in found.items() if name not in MANY} == {}
    assert sorted(set(MANY) - set(found)) == []


@pytest.mark.one_database("SQLite plans before there are rows, a server counts them")
async def test_a_database_that_is_opened_later_plans_the_same(empty: SqliteDatabase) -> None:
    awaited = dict(statements())["ledger.outbox.waiting_store._AWAITED"]
    later = SqliteDatabase(empty.path)

    found = await later.read(partial(plan_of, statement=awaited))
    await later.close()

    assert [step for step in found if "operation=?" in step]


@pytest.mark.one_database("SQLite plans before there are rows, a server counts them")
async def test_what_is_known_of_a_hosts_own_tables_is_kept(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "shared.db", durability="normal")
    await database.run(add_tables_of_a_host)

    await database.run(partial(upgrade, line="main"))

    told = await database.read(figures_told)
    await database.close()
    assert told.pop("lessons_room") == "3 3"
    assert "unread_by" not in told
    assert told["events_person"].startswith(f"{ROWS} ")


@pytest.mark.one_database("SQLite plans before there are rows, a server counts them")
@pytest.mark.parametrize("act", ["ANALYZE", "DROP TABLE sqlite_stat1"])
async def test_figures_that_a_person_replaced_are_given_again(tmp_path: Path, act: str) -> None:
    address = address_in(tmp_path)
    await initialise(address)
    databases = [address.main(), address.vault()]
    before = [await database.read(figures_told) for database in databases]
    for database in databases:
        await database.run(lambda connection: connection.exec_driver_sql(act).close())

    await initialise(address)

    after = [await database.read(figures_told) for database in databases]
    await close_all(*databases)
    assert [told.items() <= now.items() for told, now in zip(before, after, strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("columns", "is_unique", "expected"),
    [
        (["ledger", "position"], True, [ROWS, ROWS, 1]),
        (["ledger", "is_outcome", "position"], False, [ROWS, ROWS, ROWS // 2, 10]),
        (["digest", "entity"], False, [ROWS, 10, 1]),
    ],
)
def test_columns_that_many_rows_share_narrow_little(
    columns: list[str], *, is_unique: bool, expected: list[int]
) -> None:
    assert figures(columns, is_unique=is_unique) == expected


def add_tables_of_a_host(connection: Connection) -> None:
    for statement in (
        "CREATE TABLE lessons (room TEXT)",
        "CREATE INDEX lessons_room ON lessons (room)",
        "INSERT INTO lessons VALUES ('a'), ('a'), ('a')",
        "ANALYZE lessons",
        "CREATE TABLE unread (by TEXT)",
        "CREATE INDEX unread_by ON unread (by)",
        "INSERT INTO unread VALUES ('a')",
    ):
        connection.exec_driver_sql(statement)


def figures_told(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT idx, stat FROM sqlite_stat1")
    return {row.idx: row.stat for row in rows}


def wide_steps(connection: Connection, *, statement: ClauseElement) -> list[str]:
    """Return the steps of a statement that read as many rows as there are."""
    return [
        step
        for step in plan_of(connection, statement=statement)
        if (read := re.match(r"(?:SEARCH|SCAN) (\w+)", step))
        and read[1] not in SMALL
        and "CONSTANT ROW" not in step
        and not NARROW.search(step)
    ]


def plan_of(connection: Connection, *, statement: ClauseElement) -> list[str]:
    """Return the steps by which SQLite would run a statement."""
    compiled = str(statement.compile(dialect=sqlite.dialect()))
    asked = re.sub(r"\(__\[POSTCOMPILE_pairs\]\)", "(VALUES (?, ?), (?, ?))", compiled)
    asked = re.sub(r"__\[POSTCOMPILE_\w+\]", "?, ?", asked)
    rows = connection.exec_driver_sql(
        f"EXPLAIN QUERY PLAN {asked}", tuple("x" for _ in range(asked.count("?")))
    )
    return [row[3] for row in rows]


def modules() -> Iterator[ModuleType]:
    for package in (ledger, sync):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            # The vault's rows are in a database of their own, and all found by their names.
            if not re.search(r"\.migrations|\.vault|__main__", found.name):
                yield import_module(found.name)


def statements() -> Iterator[tuple[str, ClauseElement]]:
    """Give every statement that a module builds when it is imported, by its name."""
    for module in modules():
        for name, value in vars(module).items():
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Select | Update | Delete):
                    yield f"{module.__name__}.{name}", each
