"""One long outage in three forms, with a mass of operations waiting, and the return after it."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.ledger import Ledger
from sync.cli.sample_university import SOURCE
from sync.projector.worker import Projector
from sync.runtime.assembly import make_ledger, start_engine
from sync.runtime.engine import Engine
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources.event_reader import read_line
from sync.sources.ingest_worker import ingest
from sync.telemetry import log_signals
from sync.telemetry.signals import CallMade, Signal
from tests.places import settings_in
from tests.sync.system.outages.gauges import Lines, resident_mib

ROOT: Final = Path(__file__).resolve().parents[4]
TASKS: Final = 16
FORMS: Final = ("down", "refusing", "silent")


@dataclass(frozen=True, slots=True)
class Terms:
    """How large and how long."""

    operations: int
    rate: float
    outage_seconds: float
    return_seconds: float
    appended: int = 400


@dataclass(slots=True)
class Service:
    """The way to the practice DokStamp in its own process."""

    process: asyncio.subprocess.Process
    where: dict[str, str]

    async def ask(self, line: str) -> dict[str, Any]:
        """Say a line and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()
        answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


@dataclass(slots=True)
class Run:
    """What is measured, and the things that it is measured on."""

    terms: Terms
    service: Service
    ledger: Ledger
    settings: Settings
    lines: Lines = field(default_factory=Lines)
    calls: list[tuple[float, int | None]] = field(default_factory=list)
    told: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def hear(self, signal: Signal) -> None:
        """Note when a call was made and what came back."""
        if isinstance(signal, CallMade):
            self.calls.append((time.monotonic(), signal.status))

    def note(self, name: str, value: float | str, *, holds: bool = True) -> None:
        """Keep a figure, and whether what was promised of it holds."""
        self.figures[name] = round(value, 4) if isinstance(value, float) else value
        sys.stderr.write(f"{name}: {self.figures[name]}\n")
        if not holds:
            self.broken.append(f"{name}: {self.figures[name]}")

    async def tell(self, events: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
        """Bring events in."""
        items = [
            read_line(
                self._line(*event),
                number=1,
                origin="outage",
                folder=None,
                rules=self.settings.intake(),
            )
            for event in events
        ]
        report = await ingest(iter(items), LedgerIngest(self.ledger), name="outage")
        assert report.quarantined == 0, report

    def _line(self, kind: str, subject: str, data: dict[str, Any]) -> bytes:
        self.told += 1
        event = {"specversion": "1.0", "id": f"o-{self.told}", "source": SOURCE, "type": kind}
        return json.dumps(event | {"subject": subject, "data": data}).encode()

    async def appends_per_second(self) -> float:
        """Return how many events a second the log takes one by one, from several tasks."""
        count = self.terms.appended // TASKS

        async def append(task: int) -> None:
            for number in range(count):
                name = f"N-{self.told}-{task}-{number}"
                await self.tell([("institution.upserted", name, {"name": name, "country": "PT"})])

        began = time.monotonic()
        await asyncio.gather(*(append(task) for task in range(TASKS)))
        return count * TASKS / (time.monotonic() - began)

    def calls_since(self, began: float) -> list[int | None]:
        """Return what came back for each call since a moment."""
        return [status for moment, status in self.calls if moment >= began]


@asynccontextmanager
async def serving(rate: float) -> AsyncIterator[Service]:
    """Give a practice DokStamp that allows so many calls a second, minute by minute."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sync.system.outages.service",
        str(int(rate * 60)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        yield Service(process, json.loads(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(folder: Path, terms: Terms) -> AsyncIterator[Run]:
    """Give a new ledger and the service that it is for."""
    async with serving(terms.rate) as service:
        given: dict[str, Any] = {
            **settings_in(folder),
            "base_url": service.where["url"],
            "tenant": service.where["tenant"],
            "client_id": service.where["client_id"],
            "client_secret": service.where["client_secret"],
            "requests_per_second_max": terms.rate,
            "request_timeout_seconds": 3,
            "settle_seconds": 1,
            "circuit_probe_seconds": 2,
        }
        settings = Settings.load(environment={}, **given)
        async with make_ledger(settings) as ledger:
            yield Run(terms, service, ledger, settings)


async def build(run: Run) -> None:
    """Leave so many operations waiting, each in a lane of its own."""
    began = time.monotonic()
    for first in range(0, run.terms.operations, 1000):
        await run.tell(
            _student(number) for number in range(first, min(first + 1000, run.terms.operations))
        )
    run.note("build_seconds_ingest", time.monotonic() - began)
    began = time.monotonic()
    projector = Projector(run.ledger)
    while await projector.project():
        pass
    run.note("build_seconds_project", time.monotonic() - began)


def _student(number: int) -> tuple[str, str, dict[str, Any]]:
    data = {
        "name": f"Student {number}",
        "email": f"student-{number}@example.edu",
        "date_of_birth": "2001-01-01",
    }
    return ("student.upserted", f"B-{number}", data)


async def suffer(run: Run, form: str) -> None:
    """Let the service fail in one way for a while, and see what that costs."""
    await run.service.ask("up")
    log_before = sum(run.lines.count.values())
    listener = log_signals(run.lines)

    def hear(signal: Signal) -> None:
        run.hear(signal)
        listener(signal)

    async with start_engine(run.ledger, run.settings, announce=hear) as engine:
        await _fall(run, engine, form)
        began, memory = time.monotonic(), resident_mib()
        appended = await run.appends_per_second()
        await asyncio.sleep(max(0.0, run.terms.outage_seconds - (time.monotonic() - began)))
        seconds = time.monotonic() - began
        _judge(run, engine, form, calls=len(run.calls_since(began)), seconds=seconds)
        ratio = appended / run.figures["appends_per_second"]
        run.note(f"{form}: appends to those without outage", ratio, holds=ratio >= 0.8)
        grown = resident_mib() - memory
        run.note(f"{form}: memory grown MiB", grown, holds=grown < 32)
        written = sum(run.lines.count.values()) - log_before
        run.note(f"{form}: log lines", written, holds=written <= 30)


async def _fall(run: Run, engine: Engine, form: str) -> None:
    """Let the service fail in the middle of work, when a token is at hand."""
    before = len(run.calls)
    await _until(lambda: len(run.calls) > before + 2, seconds=300)
    await run.service.ask(form)
    await _until(lambda: engine.pace.outage is not None, seconds=120)


def _judge(run: Run, engine: Engine, form: str, *, calls: int, seconds: float) -> None:
    outage = engine.pace.outage
    is_told = outage is not None and bool(outage.reason)
    run.note(f"{form}: told as", "" if outage is None else outage.why, holds=is_told)
    # Intervals of 2, 4, 8, … seconds; a probe may be sent again once with a new token.
    probes_max = 3 + seconds / 8
    run.note(f"{form}: calls while down", calls, holds=calls <= 2 * probes_max)


async def come_back(run: Run) -> None:
    """Let the service work again and see how calls begin, and how much of the rate is used."""
    listener = log_signals(run.lines)

    def hear(signal: Signal) -> None:
        run.hear(signal)
        listener(signal)

    async with start_engine(run.ledger, run.settings, announce=hear) as engine:
        await _fall(run, engine, "down")
        await run.service.ask("up")
        returned = len(run.calls)
        await _until(lambda: 200 in [status for _, status in run.calls[returned:]], seconds=120)
        began = time.monotonic()
        await asyncio.sleep(1)
        first = len(run.calls_since(began))
        run.note("return: calls in the first second", first, holds=first <= run.terms.rate * 0.6)
        await asyncio.sleep(14)
        began = time.monotonic()
        await asyncio.sleep(run.terms.return_seconds)
        statuses = run.calls_since(began)
        used = len(statuses) / (run.terms.rate * (time.monotonic() - began))
    run.note("return: used part of the allowed rate", used, holds=0.9 <= used <= 1.0)
    throttled = statuses.count(429) / max(1, len(statuses))
    run.note("return: part answered 429", throttled, holds=throttled < 0.001)
    run.note("return: calls measured", len(statuses))
    run.note("return: operations done", engine.dispatcher.counts.done)
    verdict = (await run.service.ask("verdict"))["faults"]
    run.note("return: faults in the service's journal", len(verdict), holds=not verdict)


async def _until(is_so: Any, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.05)


async def campaign(folder: Path, terms: Terms) -> Run:
    """Go through all of it and return what was measured."""
    async with running(folder, terms) as run:
        # The same work goes on beside it as in the outage: what is appended is planned at once.
        async with start_engine(run.ledger, run.settings, announce=run.hear):
            run.note("appends_per_second", await run.appends_per_second())
        await build(run)
        for form in FORMS:
            await suffer(run, form)
        await run.service.ask("up")
        await come_back(run)
        return run
