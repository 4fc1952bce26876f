"""The whole system in one process: events in, a practice DokStamp over HTTP, and its own truth."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import fault
from ledger.log.merkle import CompactRange
from ledger.mapping import store as mapping_store
from ledger.outbox import look_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import FINAL, State
from sync.projector.rebuild_worker import rebuild
from sync.runtime.assembly import make_ledger
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.runtime.sync_run import SyncReport, run_sync
from sync.simulator import Address, Fault, Simulator, Switches, http_server
from sync.sources.event_reader import read_events
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest
from tests.places import settings_in
from tests.sync.system.strangers import Strangers
from tests.sync.system.truth import Truth
from tests.sync.system.university import Told, events

HURRY = 25
"""How many seconds pass on the clock of a test while one passes outside."""


class HurriedClock:
    """A clock that runs faster than the wall's, so that pauses of minutes take seconds."""

    def __init__(self, speed: float = HURRY) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._start = datetime.now(UTC)
        self._leapt = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._speed + self._leapt

    def leap(self, seconds: float) -> None:
        """Let time pass at once, while nobody sleeps."""
        self._leapt += seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)


@dataclass(slots=True)
class Practice:
    """A ledger, the practice DokStamp it serves, and everything that was told so far."""

    folder: Path
    simulator: Simulator
    settings: Settings
    ledger: Ledger
    address: Address
    clock: HurriedClock = field(default_factory=HurriedClock)
    told: list[Told] = field(default_factory=list)
    strangers: frozenset[str] = frozenset()
    signals: list[object] = field(default_factory=list)

    async def ingest(self, told: Sequence[Told]) -> IngestReport:
        """Bring events in as a file."""
        file = self.folder / f"events-{len(self.told)}.jsonl"
        lines = [json.dumps(event) for event in events(told, first=len(self.told) + 1)]
        file.write_text("".join(f"{line}\n" for line in lines))
        self.told += told
        reading = read_events([str(file)], rules=self.settings.intake())
        return await ingest(reading, LedgerIngest(self.ledger), name="test")

    async def sync(self) -> SyncReport:
        """Run `sync` once."""
        return await run_sync(self.ledger, self.settings, announce=self.signals.append)

    async def tell(self, told: Sequence[Told]) -> SyncReport:
        """Bring events in and synchronise."""
        report = await self.ingest(told)
        assert report.quarantined == 0, report
        return await self.sync()

    def add_strangers(self) -> None:
        """Put other people's records beside ours."""
        strangers = Strangers(self.simulator, now=self.ledger.clock.now())
        strangers.settle()
        self.strangers = frozenset(strangers.made)

    async def unsettled(self) -> dict[str, str]:
        """Return what stands open, looks for later aside: the source id and kind, and why."""
        operations = await self.ledger.read(
            lambda connection: outbox_store.read_page(
                connection,
                self.ledger.scope,
                states=[each for each in State if each not in FINAL],
                limit=1000,
            )
        )
        return {
            f"{each.reference.source_id} {each.kind}": f"{each.state.value} {each.reason}".strip()
            for each in operations
            if each.reason != look_store.REASON
        }

    async def faults(self, *, except_for: Iterable[str] = ()) -> list[str]:
        """Tell everything that is wrong, whoever did it."""
        truth = Truth(self.simulator, self.told, strangers=self.strangers)
        found = truth.differences(except_for=except_for)
        verdict = self.simulator.verdict()
        found += [f"verdict: {count} {name}" for name, count in verdict.faults.items()]
        found += await self._mapping_faults(truth)
        found += await log_faults(self.ledger)
        report = await rebuild(self.ledger, check=True)
        if report.first_difference is not None:
            found.append(f"rebuild: {report.first_difference}")
        return found

    async def _mapping_faults(self, truth: Truth) -> list[str]:
        def look(connection: Connection) -> dict[tuple[str, str], str]:
            page = mapping_store.read_page(connection, self.ledger.scope, limit=1000)
            return {
                (each.reference.entity, each.reference.source_id): str(each.target) for each in page
            }

        bound = await self.ledger.read(look)
        return [
            f"{' '.join(name)} is bound to {bound.get(name)}, not {uuid}"
            for name, uuid in truth.uuids.items()
            if name[0] != "course_module" and bound.get(name) != uuid
        ]


async def log_faults(ledger: Ledger) -> list[str]:
    """Tell what does not hold in the log: a byte, a leaf, the tree."""

    def look(connection: Connection) -> list[str]:
        number = ledger.scope.ledger
        stored = log_store.read_page(connection, number, after=-1, limit=100_000)
        found = [f"event {each.position}: {why}" for each in stored if (why := fault(each))]
        tree = CompactRange().extend(each.leaf for each in stored)
        if [each.position for each in stored] != list(range(len(stored))):
            found.append("the log has gaps")
        if tree != log_store.read_head(connection, number):
            found.append("the head is not the log's")
        return found

    return await ledger.read(look)


def settings_for(folder: Path, address: Address, **values: Any) -> Settings:
    """Return the settings of a ledger in a folder that serves a practice DokStamp."""
    tenant = address.tenant
    given: dict[str, Any] = {
        **settings_in(folder),
        "durability": "normal",
        "base_url": address.url,
        "tenant": tenant.domain,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "email": tenant.email,
        "password": tenant.password,
        "requests_per_second_max": 0,
        "lease_seconds": 3600,
        "patience_seconds": 600,
    }
    return Settings.load(environment={}, **{**given, **values})


@asynccontextmanager
async def practising(
    folder: Path,
    *,
    faults: Iterable[Fault] = (),
    switches: dict[str, str] | None = None,
    kind: type[Simulator] = Simulator,
    speed: float = HURRY,
    **settings: Any,
) -> AsyncIterator[Practice]:
    """Give a new ledger and a practice DokStamp that live on the same hurried clock."""
    clock = HurriedClock(speed)
    simulator = kind(switches=Switches(**(switches or {})), faults=faults)
    async with http_server.serve(simulator, clock=clock.now) as address:
        chosen = settings_for(folder, address, **settings)
        async with make_ledger(chosen, clock=clock) as ledger:
            yield Practice(folder, simulator, chosen, ledger, address, clock)
