"""One simulated host: the real ledger, client and engine, in a process that can be killed."""

import asyncio
from datetime import datetime, timedelta

from ledger.clock import START_OF_MANUAL_TIME, SeededEntropy
from ledger.errors import LedgerError
from ledger.ledger import Ledger
from sync.dokstamp.client import DokStampClient
from sync.errors import ConfigurationError
from sync.runtime.engine import Engine
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources.event_reader import read_line
from sync.sources.ingest_report import Intake
from sync.sources.ingest_worker import take_one
from sync.telemetry.signals import ServiceDied
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.network import Network, SimulatedTransport
from tests.simulation.place import InlineAddress
from tests.simulation.product import SOUND, Product

DRAIN_SECONDS = 10.0


class HostClock:
    """A host's clock: the wall's may be wrong and jump, the monotonic one is true."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.off_seconds = 0.0

    def now(self) -> datetime:
        """Return what this host takes for the present moment."""
        return START_OF_MANUAL_TIME + timedelta(seconds=self._loop.time() + self.off_seconds)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed."""
        await asyncio.sleep(max(0.0, seconds))


class Host:
    """Starts, feeds, stops and loses the processes of one host, one at a time."""

    def __init__(
        self,
        name: str,
        *,
        loop: VirtualLoop,
        address: InlineAddress,
        network: Network,
        settings: Settings,
        poll_seconds: float,
        entropy_seed: int,
        product: Product = SOUND,
    ) -> None:
        self.name = name
        self.clock = HostClock(loop)
        self.process: Process | None = None
        self.engine: Engine | None = None
        self.lives = 0
        self.unexpected: list[str] = []
        self._loop = loop
        self._address = address
        self._network = network
        self._settings = settings
        self._poll_seconds = poll_seconds
        self._entropy_seed = entropy_seed
        self._product = product
        self._ledger: Ledger | None = None
        self.all_processes: list[Process] = []

    @property
    def is_up(self) -> bool:
        """Whether a process of it works now."""
        is_alive = self.process is not None and not self.process.is_dead
        return is_alive and self._ledger is not None

    @property
    def needs_help(self) -> bool:
        """Whether a person or a supervisor would start it anew: it stopped by itself."""
        engine = self.engine
        if not self.is_up or engine is None:
            return False
        is_broken = engine.dispatcher.fault is not None or engine.dispatcher._damage is not None
        return is_broken or any(task.done() for task in engine._tasks)

    def start(self) -> None:
        """Start a process."""
        self.lives += 1
        self.process = Process(f"{self.name}.{self.lives}")
        self.all_processes.append(self.process)
        self.engine, self._ledger = None, None
        self._loop.start(self.process, self._live())

    def kill(self) -> None:
        """Lose the process, with everything that it was about to do."""
        if self.process is not None:
            self.process.kill()
        self.engine, self._ledger = None, None

    async def stop(self) -> None:
        """Stop the process as a signal would, within its bound."""
        process, engine, ledger = self.process, self.engine, self._ledger
        if process is None or engine is None or ledger is None:
            self.kill()
            return
        self._ledger = None
        stopping = self._loop.start(process, _stop(engine, ledger))
        await asyncio.wait([stopping], timeout=3600)
        if not process.is_dead and (not stopping.done() or stopping.exception() is not None):
            self.unexpected.append(f"{process.name} did not stop: {stopping}")
        process.end()
        self.kill()

    async def record(self, line: bytes, *, patience_seconds: float) -> Intake | None:
        """Offer an event; returns what became of it, or nothing if that was never heard."""
        process, ledger = self.process, self._ledger
        if process is None or ledger is None or process.is_dead:
            return None
        if self._product.loses_events and process.steps % 7 == 0:
            return Intake.TAKEN
        task = self._loop.start(process, _record(ledger, line, self._settings))
        done, _ = await asyncio.wait([task], timeout=patience_seconds)
        if not done or task.cancelled():
            return None
        error = task.exception()
        if error is not None and not isinstance(error, LedgerError):
            self.unexpected.append(f"recording: {error!r}")
        return None if error is not None else task.result()

    async def _live(self) -> None:
        entropy = SeededEntropy(self._entropy_seed * 1_000 + self.lives)
        while self._ledger is None:
            try:
                ledger = await self._product.ledger.open(
                    self._address, clock=self.clock, entropy=entropy
                )
                engine = self._engine(ledger)
                await engine.start()
            except LedgerError:
                await self.clock.sleep(1)
                continue
            self.engine, self._ledger = engine, ledger
        ledger.listen()

    def _engine(self, ledger: Ledger) -> Engine:
        client = DokStampClient(
            self._settings.connection(),
            clock=self.clock,
            transport=SimulatedTransport(self._network, self.clock),
        )
        return Engine(
            ledger,
            self._product.sends_by(client),
            self._settings,
            announce=self._hear,
            poll_seconds=self._poll_seconds,
        )

    def _hear(self, signal: object) -> None:
        if isinstance(signal, ServiceDied) and signal.error not in EXPECTED_DEATHS:
            self.unexpected.append(f"{signal.name} died of {signal.error}")


EXPECTED_DEATHS = frozenset({"LedgerBusyError"})


async def _stop(engine: Engine, ledger: Ledger) -> None:
    await engine.stop(drain_seconds=DRAIN_SECONDS)
    await ledger.close()


async def _record(ledger: Ledger, line: bytes, settings: Settings) -> Intake:
    rules = settings.intake()
    item = read_line(line, number=1, origin="simulation", folder=None, rules=rules)
    outcome = await take_one(item, LedgerIngest(ledger))
    if not isinstance(outcome, Intake):
        message = f"the workload is wrong: {outcome.reasons}"
        raise ConfigurationError(message)
    return outcome
