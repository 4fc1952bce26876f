import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from ledger.errors import IntegrityError, StorageError
from ledger.ledger import Ledger
from ledger.outbox.operation import State
from ledger.testing import ledger_in
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from sync.runtime.engine import STALL_SECONDS, Engine
from sync.runtime.health import health_of
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.runtime.status import status
from sync.sources.event_reader import read_line
from sync.sources.ingest_worker import take_one
from tests.sync.dispatcher.floor import Register, failing

T = TypeVar("T")
SETTINGS = Settings.load(
    environment={},
    base_url="http://127.0.0.1:9",
    tenant="demo",
    client_id="app",
    client_secret="secret",
    requests_per_second_max=0,
    settle_seconds=0.1,
)


@dataclass
class Works:
    """An engine over a ledger, with a fake DokStamp."""

    ledger: Ledger
    register: Register
    engine: Engine
    signals: list[object]

    async def record(self, source_id: str, number: int = 1) -> None:
        event = {
            "specversion": "1.0",
            "id": f"{source_id}-{number}",
            "source": "urn:sis:test",
            "type": "institution.upserted",
            "subject": source_id,
            "data": {"name": f"University {source_id}", "country": f"Country {number}"},
        }
        rules = SETTINGS.intake()
        line = json.dumps(event).encode()
        item = read_line(line, number=1, origin="test", folder=None, rules=rules)
        await take_one(item, LedgerIngest(self.ledger))


@asynccontextmanager
async def works_in(folder: Path) -> AsyncIterator[Works]:
    """Give an engine that does not run yet."""
    async with ledger_in(folder) as ledger:
        register = Register(ledger.clock)
        signals: list[object] = []
        engine = Engine(ledger, register, SETTINGS, announce=signals.append)
        yield Works(ledger, register, engine, signals)
        await engine.stop(drain_seconds=5)


async def test_everything_that_can_be_done_is_done_without_patience(home: Path) -> None:
    async with works_in(home) as works:
        for number in range(5):
            await works.record(str(number))
        await works.engine.start()
        rest = await works.engine.idle(0)

        assert (rest.states, rest.lag, rest.waiting) == ({State.DONE: 5}, 0, 0)
        assert len(works.register.rows) == 5


async def test_idle_returns_at_once_when_there_is_nothing_to_do(home: Path) -> None:
    async with works_in(home) as works:
        await works.engine.start()
        rest = await works.engine.idle(3600)

        assert (rest.states, rest.uncertain) == ({}, 0)
        assert works.register.requests == []


async def test_what_is_due_within_the_patience_is_waited_for(home: Path) -> None:
    async with works_in(home) as works:
        await works.record("A")
        answers = [failing(429)(Request("GET", "/", "/")), None]
        works.register.before = lambda request: (
            answers.pop(0) if answers and request.path == "/institutions" else None
        )
        await works.engine.start()
        rest = await works.engine.idle(20)

        assert rest.states == {State.DONE: 1}


async def test_what_is_due_later_is_left(home: Path) -> None:
    async with works_in(home) as works:
        await works.record("A")
        works.register.before = lambda request: (
            Answer(Meaning.THROTTLED, 429, retry_after_seconds=900.0)
            if request.method == "POST"
            else None
        )
        await works.engine.start()
        rest = await works.engine.idle(5)

        assert (rest.states, rest.waiting) == ({State.READY: 1}, 1)
        assert [each.method for each in works.register.requests] == ["GET", "GET", "POST"]


async def test_idle_looks_no_oftener_than_something_happens(home: Path) -> None:
    async with works_in(home) as works:
        await works.record("A")
        asked, let_go = asyncio.Event(), asyncio.Event()

        async def stall(request: Request) -> None:
            if request.method == "POST":
                asked.set()
                await let_go.wait()

        works.register.before = stall
        looks = 0
        read = works.ledger.database.read

        async def count(function: Callable[[Connection], T]) -> T:
            nonlocal looks
            looks += 1
            return await read(function)

        await works.engine.start()
        idle = asyncio.create_task(works.engine.idle(60))
        await asked.wait()
        works.ledger.database.read = count  # type: ignore[method-assign]
        for _ in range(1000):
            await asyncio.sleep(0)
        let_go.set()
        await idle

        assert looks < 60


async def test_refused_credentials_are_raised_and_everything_waits(home: Path) -> None:
    async with works_in(home) as works:
        await works.record("A")

        def refuse(request: Request) -> None:
            if request.method == "POST":
                message = "wrong secret"
                raise ConfigurationError(message)

        works.register.before = refuse
        await works.engine.start()
        with pytest.raises(ConfigurationError, match="wrong secret"):
            await works.engine.idle(60)
        health = health_of(works.engine)
        rest = await works.engine.remaining()
        await works.engine.stop(drain_seconds=5)
        stopped = (await status(works.ledger))["stopped"]

        assert (health.is_healthy, health.stopped_by) == (False, "wrong secret")
        assert isinstance(stopped, dict)
        assert (stopped["why"], stopped["host"]) == ("wrong secret", works.engine.host)
        assert rest.states == {State.READY: 1}


async def test_a_wrong_tenant_writes_nothing(home: Path) -> None:
    async with works_in(home) as works:
        await works.record("A")
        works.register.before = failing(404)
        await works.engine.start()
        with pytest.raises(ConfigurationError, match="nothing was written"):
            await works.engine.idle(60)

        assert [each.method for each in works.register.requests] == ["GET"]
        assert (await works.engine.remaining()).states == {State.READY: 1}
        assert "TenantStopped" in [type(each).__name__ for each in works.signals]


@pytest.mark.parametrize("error", [StorageError("the disk is full"), IntegrityError("damaged")])
@pytest.mark.parametrize("part", ["projector", "opener"])
async def test_what_a_person_must_mend_is_raised(home: Path, error: Exception, part: str) -> None:
    async with works_in(home) as works:

        async def fail() -> int:
            raise error

        if part == "projector":
            works.engine.projector.project = fail  # type: ignore[method-assign]
        else:
            works.engine.opener.open_woken = fail  # type: ignore[method-assign]
        await works.record("A")
        await works.engine.start()
        with pytest.raises(type(error)):
            await works.engine.idle(60)
        health = health_of(works.engine)

        assert not health.is_healthy
        assert [each.name for each in health.services if not each.is_alive] == [part]


async def test_a_service_that_stumbles_goes_on(home: Path) -> None:
    async with works_in(home) as works:
        project = works.engine.projector.project
        stumbles = [ZeroDivisionError()]

        async def stumble() -> int:
            if stumbles:
                raise stumbles.pop()
            return await project()

        works.engine.projector.project = stumble  # type: ignore[method-assign]
        await works.record("A")
        await works.engine.start()
        rest = await works.engine.idle(30)
        [projector] = [each for each in health_of(works.engine).services if each.deaths]

        assert rest.states == {State.DONE: 1}
        assert (projector.name, projector.last_error) == ("projector", "ZeroDivisionError")


async def test_a_listener_that_fails_costs_no_evidence(home: Path) -> None:
    async with ledger_in(home) as ledger:

        def fail(_signal: object) -> None:
            raise ZeroDivisionError

        register = Register(ledger.clock)
        engine = Engine(ledger, register, SETTINGS, announce=fail)
        works = Works(ledger, register, engine, [])
        await works.record("A")
        await engine.start()
        rest = await engine.idle(10)
        await engine.stop(drain_seconds=5)

        assert rest.states == {State.DONE: 1}


@pytest.mark.parametrize("cancels", [0, 1, 2])
async def test_a_stop_leaves_nothing_leased_however_often_it_is_cancelled(
    home: Path, cancels: int
) -> None:
    async with works_in(home) as works:
        await works.record("A")
        asked = asyncio.Event()

        async def stall(request: Request) -> None:
            if request.method == "POST":
                asked.set()
                await asyncio.Event().wait()

        works.register.before = stall
        before = asyncio.all_tasks()
        await works.engine.start()
        await asked.wait()
        stopping = asyncio.create_task(works.engine.stop(drain_seconds=30 if cancels else 0.01))
        for _ in range(cancels):
            await asyncio.sleep(0.01)
            stopping.cancel()
        await asyncio.wait([stopping])
        await works.engine.stop(drain_seconds=1)

        assert asyncio.all_tasks() - before == set()
        assert (await works.engine.remaining()).states == {State.UNCERTAIN: 1}


def test_a_stall_outlasts_the_pause_that_the_projector_makes() -> None:
    assert STALL_SECONDS > 5
