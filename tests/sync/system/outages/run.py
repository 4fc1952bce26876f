"""What a campaign runs on: the practice service in its own process, the ledger, and the figures."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from ledger.ledger import Ledger
from sync.cli.sample_university import SOURCE
from sync.runtime.assembly import make_ledger, start_engine
from sync.runtime.engine import Engine
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources.event_reader import read_line
from sync.sources.ingest_worker import ingest
from sync.telemetry import log_signals
from sync.telemetry.signals import Signal
from tests.places import settings_in
from tests.sync.system.outages.gauges import Calls, Lines
from tests.sync.system.outages.told import Told

ROOT: Final = Path(__file__).resolve().parents[4]
TASKS: Final = 16
BLOCKS: Final = 15
PROBE_SECONDS: Final = 2.0
LANES: Final = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """How large and how long."""

    operations: int
    rate: float
    outage_seconds: float
    return_seconds: float
    graduates: int = 30

    @property
    def block_events(self) -> int:
        """How many events each task appends in one measure of the log's speed."""
        return max(2, min(10, self.operations // 200))


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
    calls: Calls = field(default_factory=Calls)
    told: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def note(self, name: str, value: float | str, *, holds: bool = True) -> None:
        """Keep a figure, and whether what was promised of it holds."""
        self.figures[name] = round(value, 4) if isinstance(value, float) else value
        sys.stderr.write(f"{name}: {self.figures[name]}\n")
        if not holds:
            self.broken.append(f"{name}: {self.figures[name]}")

    @asynccontextmanager
    async def engine(self, *, per_second: float | None = None) -> AsyncIterator[Engine]:
        """Give a running engine; calls and lines of the log are counted from its start."""
        self.calls.forget()
        self.lines.count.clear()
        log = log_signals(self.lines)

        def hear(signal: Signal) -> None:
            self.calls.hear(signal)
            log(signal)

        rate = self.terms.rate if per_second is None else per_second
        settings = self.settings.model_copy(update={"requests_per_second_max": rate})
        async with start_engine(self.ledger, settings, announce=hear) as engine:
            yield engine

    async def tell(self, events: Iterable[Told]) -> None:
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
        """Return how many events a second the log takes one by one, from several tasks.

        It is the median of some short measures, for the machine may be busy in one of them.
        """
        return median([await self._block() for _ in range(BLOCKS)])

    async def _block(self) -> float:
        async def append(task: int) -> None:
            for number in range(self.terms.block_events):
                name = f"N-{self.told}-{task}-{number}"
                await self.tell([("institution.upserted", name, {"name": name, "country": "PT"})])

        began = time.monotonic()
        await asyncio.gather(*(append(task) for task in range(TASKS)))
        return self.terms.block_events * TASKS / (time.monotonic() - began)


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    """Give a practice DokStamp behind a door, as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sync.system.outages.service",
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
    async with serving() as service:
        given: dict[str, Any] = {
            **settings_in(folder),
            "base_url": service.where["url"],
            "tenant": service.where["tenant"],
            "client_id": service.where["client_id"],
            "client_secret": service.where["client_secret"],
            "requests_per_second_max": terms.rate,
            "concurrency_max": LANES,
            "request_timeout_seconds": 3,
            "settle_seconds": 1,
            "circuit_probe_seconds": PROBE_SECONDS,
        }
        settings = Settings.load(environment={}, **given)
        async with make_ledger(settings) as ledger:
            yield Run(terms, service, ledger, settings)


async def until(is_so: Callable[[], bool], *, seconds: float) -> float:
    """Wait until something is so, and return how long that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() < began + seconds, "it did not come to that"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
