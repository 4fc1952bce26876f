"""A host that embeds the runtime: what it sees and logs says nothing of a marked person."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from ledger.database import Database
from ledger.errors import EventError
from sync.runtime import Runtime
from sync.simulator import serve
from sync.telemetry.logs import log_signals
from sync.telemetry.signals import Signal, announce_to
from tests.sync.runtime.hosts import host_at
from tests.sync.system.canary import story
from tests.sync.system.canary.markers import Search
from tests.sync.system.canary.stage import echoing, talkative
from tests.sync.system.canary.witness import Lines, Witness, only_what_is_new
from tests.sync.system.practice import settings_for

HELD = {"Answer", "Event", "NewEvent", "Request", "Item", "Checked", "Work"}
"""What must have been looked at for the rest to mean something."""
TABLES_MIN = 20


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)


async def fail_in_every_way(runtime: Runtime) -> list[str]:
    """Make errors out of personal data, and leave two of them for the loop to log."""
    loop, told = asyncio.get_running_loop(), story.accepted()
    wrong = story.event(400, "student.upserted", "S-9", story.person(email="Qanarrefused"))
    loop.set_debug(True)
    (item,) = (runtime._item(each) for each in told if each["subject"] == "S-1")
    loop.call_soon(_raise, item)
    forgotten = asyncio.create_task(runtime.prepare(wrong), name="forgotten")
    await asyncio.wait([forgotten])
    del forgotten
    gc.collect()
    loop.set_debug(False)
    said = []
    attempts: list[Callable[[], Awaitable[object]]] = [partial(runtime.prepare, wrong)]
    attempts += [partial(_break_a_rule, *each) for each in await _rules(runtime)]
    for attempt in attempts:
        try:
            await attempt()
        except Exception as error:  # noqa: BLE001 - whatever it says is looked at
            said.append(f"{error!r} {error} {error.__cause__!r}")
    assert len(said) > TABLES_MIN, "a rule of every table is to be broken"
    return said


def _raise(_item: object) -> None:
    raise EventError


async def _rules(runtime: Runtime) -> list[tuple[Database, str]]:
    """Return statements that no table takes: a row once more, and a row that lacks its key."""
    found = []
    for database in (runtime.ledger.database, runtime.ledger.vault.database):
        for table, key in await database.read(_tables):
            found += [
                (database, f"INSERT INTO {table} SELECT * FROM {table}"),
                (database, f"UPDATE {table} SET {key} = NULL"),
            ]
    return found


def _tables(connection: Connection) -> list[tuple[str, str]]:
    look = inspect(connection)
    keys = {name: look.get_pk_constraint(name) for name in look.get_table_names()}
    return [(name, found["constrained_columns"][0]) for name, found in keys.items()]


async def _break_a_rule(database: Database, statement: str) -> None:
    await database.run(lambda connection: connection.execute(text(statement)))


async def test_a_host_sees_no_mark_of_a_person(home: Path, lines: list[str]) -> None:
    simulator, witness, heard = echoing(), Witness(), list[Signal]()
    simulator.listen = witness.look
    announce = announce_to(heard.append, log_signals(), witness.hear)
    server_log = await talkative(home)
    async with only_what_is_new(), serve(simulator) as address:
        settings = settings_for(
            home, address, settle_seconds=0.1, patience_seconds=5, request_timeout_seconds=1
        )
        async with Runtime(settings, announce=announce) as runtime:
            told = story.accepted()
            async with host_at(settings.address.place) as host:
                entry = await runtime.prepare(told.pop())
                await host.commit(partial(runtime.put, entry=entry))
            recorded = [await runtime.record(event) for event in told]
            for line in story.refused():
                with contextlib.suppress(ValueError):
                    recorded.append(await runtime.record(story.parsed(line)))
            await runtime.idle()
            errors = await fail_in_every_way(runtime)
            found = await runtime.ledger.events_at(range((await runtime.ledger.head()).size))
            witness.look()
            state = [runtime.health(), await runtime.status(), recorded, list(found.values())]

    logged = server_log.read() if server_log is not None else None
    said = [*lines, *map(repr, heard), *map(repr, state), *errors]
    leaks = Search().in_bytes(logged or b"", where="the server's log")
    leaks += [leak for each in said for leak in Search().in_text(each, where=each[:80])]
    leaks += sorted(witness.found)
    assert not leaks, "\n".join(leaks)
    assert witness.seen >= HELD, HELD - witness.seen
    assert any("never retrieved" in line for line in lines)
    assert any("Exception in callback" in line for line in lines)
    assert logged is None or b"DETAIL:  Failing row contains" in logged
