"""The command line as processes of its own, which may be killed at a chosen request."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.schema.tables import leases
from sync.runtime.assembly import make_ledger
from sync.runtime.sync_run import SyncReport
from sync.simulator import Address, SimulatedRequest, SimulatedResponse, Simulator, serve
from sync.simulator.message import CUT
from tests.places import settings_in
from tests.sync.system.practice import Practice, settings_for
from tests.sync.system.university import Told, events

ROOT = Path(__file__).parents[3]
LIMITED = """
import resource, sys
from sync.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command line in a world where no file grows beyond a size."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str

    @property
    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.output)
        return answer


@dataclass(slots=True)
class Blow:
    """A signal to a process, at a request, before or after it has its effect."""

    request: int
    is_after: bool = True
    number: signal.Signals = signal.SIGKILL
    process: int = 0


class DangerousSimulator(Simulator):
    """A practice DokStamp whose callers get signals at chosen requests."""

    blow: Blow | None = None
    seen: int = 0

    def threaten(self, blow: Blow) -> None:
        """Strike at that request, counted from now."""
        self.blow, self.seen = blow, 0

    def handle(self, request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
        """Answer, unless the caller dies first."""
        blow = self.blow
        self.seen += 1
        if blow is None or self.seen != blow.request:
            return super().handle(request, now=now)
        self.blow = None
        response = super().handle(request, now=now) if blow.is_after else CUT
        os.kill(blow.process, blow.number)
        return response


@dataclass(slots=True)
class Station:
    """A folder with a ledger, and the practice DokStamp that its commands talk to."""

    folder: Path
    simulator: DangerousSimulator
    address: Address
    changes: dict[str, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        tenant = self.address.tenant
        place = {name.upper(): value for name, value in settings_in(self.folder).items()}
        settings = (
            place
            | {
                "DURABILITY": "normal",
                "BASE_URL": self.address.url,
                "TENANT": tenant.domain,
                "CLIENT_ID": tenant.client_id,
                "CLIENT_SECRET": tenant.client_secret,
                "REQUESTS_PER_SECOND_MAX": "0",
                "SETTLE_SECONDS": "0.2",
                "PATIENCE_SECONDS": "30",
            }
            | self.changes
        )
        ours = {f"DOKSTAMP_{name}": value for name, value in settings.items()}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | ours

    async def start(self, *words: str, file_bytes_max: int = 0) -> asyncio.subprocess.Process:
        """Start a command, in a world where no file grows beyond a size if one is given."""
        program = ("-c", LIMITED, str(file_bytes_max)) if file_bytes_max else ("-m", "sync.cli")
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *program, *words),
            cwd=ROOT,
            env=self.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *words: str, blow: Blow | None = None, file_bytes_max: int = 0) -> Ended:
        """Run a command to its end, or to the blow that ends it."""
        process = await self.start(*words, file_bytes_max=file_bytes_max)
        if blow is not None:
            blow.process = process.pid
            self.simulator.threaten(blow)
        return await ended(process)

    def write(self, told: Sequence[Told]) -> str:
        """Write events to a file and return its name."""
        file = self.folder / f"events-{len(self.told)}.jsonl"
        lines = [json.dumps(event) for event in events(told, first=len(self.told) + 1)]
        file.write_text("".join(f"{line}\n" for line in lines))
        self.told += told
        return str(file)

    async def ingest(self, told: Sequence[Told]) -> None:
        """Bring events in from this process."""
        async with self._practice() as practice:
            await practice.ingest(told)
            self.told = practice.told

    async def sync(self) -> SyncReport:
        """Synchronise from this process."""
        async with self._practice() as practice:
            return await practice.sync()

    async def unsettled(self) -> dict[str, str]:
        """Return what stands open, and why."""
        async with self._practice() as practice:
            return await practice.unsettled()

    async def outlast(self) -> None:
        """Let the leases of whoever died run out, which only several hosts have to wait for."""
        async with self._practice() as practice:
            if practice.ledger.database.is_shared:
                over = leases.update().values(until_seconds=0)
                await practice.ledger.database.run(lambda connection: connection.execute(over))

    async def faults(self) -> list[str]:
        """Tell everything that is wrong, whoever did it."""
        async with self._practice() as practice:
            return await practice.faults()

    @asynccontextmanager
    async def _practice(self) -> AsyncIterator[Practice]:
        settings = settings_for(self.folder, self.address, settle_seconds=0.2)
        async with make_ledger(settings) as ledger:
            practice = Practice(self.folder, self.simulator, settings, ledger, self.address)
            practice.told = self.told
            yield practice


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Return how a process ended."""
    output, errors = await process.communicate()
    return Ended(process.returncode or 0, output.decode(), errors.decode())


@asynccontextmanager
async def stationed(folder: Path, **changes: str) -> AsyncIterator[Station]:
    """Give a folder for a ledger, and a practice DokStamp."""
    simulator = DangerousSimulator()
    async with serve(simulator) as address:
        yield Station(folder, simulator, address, changes)
