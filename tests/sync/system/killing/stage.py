"""What a process that may be killed does: it opens the ledger, works, and notes its promises."""

import asyncio
import json
import socket
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ledger.clock import START_OF_MANUAL_TIME, ManualClock, SeededEntropy
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.outbox import lease_store
from sync.projector.rebuild_worker import rebuild
from sync.runtime.assembly import make_ledger, open_ledger
from sync.runtime.engine import Engine
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources.event_reader import read_events, read_line
from sync.sources.ingest_worker import ingest
from sync.sources.item import Checked, Item
from sync.telemetry.signals import OperationSettled
from tests.sync.system.killing.remote import client_of
from tests.sync.system.killing.suspensions import watching
from tests.sync.system.killing.tripwire import Notebook, Tripwire
from tests.sync.system.university import Told, events

ROUNDS_MAX = 1_000
DRAIN_SECONDS = 60.0
Act = Callable[["Stage"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Role:
    """Which of the processes of a trial this is."""

    number: int
    """Another one has other dice, and comes a day later."""
    makes_the_ledger: bool = False
    prelude: "Prelude | None" = None
    """What it does before it opens the ledger."""


TEMPLATE, VICTIM = Role(1, makes_the_ledger=True), Role(2)
OPENER, SURVIVOR = Role(3), Role(4)


@dataclass(frozen=True, slots=True)
class Opening:
    """What there is before a ledger is open."""

    settings: Settings
    clock: ManualClock
    entropy: SeededEntropy
    notebook: Notebook


Prelude = Callable[[Opening], Awaitable[None]]


@dataclass(slots=True)
class Stage:
    """An open ledger, everything that moves it on, and where promises are noted."""

    folder: Path
    settings: Settings
    ledger: Ledger
    clock: ManualClock
    engine: Engine
    notebook: Notebook
    files: int = 0

    async def ingest(self, told: Sequence[Told], *, first: int, spoilt: bytes = b"") -> None:
        """Bring events in as a file, with a line that cannot be read where one is given."""
        self.files += 1
        file = self.folder / f"told-{self.files}.jsonl"
        lines = [json.dumps(event).encode() + b"\n" for event in events(told, first=first)]
        file.write_bytes(b"".join([*lines, spoilt]))
        reading = read_events([str(file)], rules=self.settings.intake())
        await ingest(reading, LedgerIngest(self.ledger), name="killing")
        self.promise(*(f"e-{number}" for number in range(first, first + len(told))))

    async def append(self, told: Sequence[Told], *, first: int) -> list[str]:
        """Append events as a host would and return what the ledger said to each."""
        new = self.checked(told, first=first)
        answers = await self.ledger.append(new)
        self.promise(*(event.id for event in new))
        return [answer.verdict.value for answer in answers]

    def checked(self, told: Sequence[Told], *, first: int) -> list[NewEvent]:
        """Return events as the log takes them."""
        found = []
        for item in self.items(told, first=first):
            assert isinstance(item.outcome, Checked), item
            found.append(item.outcome.event)
        return found

    def items(self, told: Sequence[Told], *, first: int) -> list[Item]:
        """Return events as they are read from a line each."""
        rules = self.settings.intake()
        lines = [json.dumps(event).encode() for event in events(told, first=first)]
        return [
            read_line(line, number=1, origin="killing", folder=None, rules=rules) for line in lines
        ]

    def promise(self, *names: str) -> None:
        """Note that these events are in the log."""
        for name in names:
            self.notebook.note("event", name)

    async def project(self) -> None:
        """Plan everything and open every gate."""
        while await self.engine.projector.project():
            pass
        await self.engine.opener.open_woken()

    async def take_over(self) -> None:
        """End the leases of whoever was there before, as the engine does when it starts."""
        now = self.clock.now().timestamp()
        await self.ledger.transact(
            lambda step: lease_store.expire_others(
                step.connection, step.scope, host=self.engine.host, now=now
            )
        )

    async def work_off(self) -> None:
        """Do everything that is owed, letting time pass where only that helps."""
        dispatcher = self.engine.dispatcher
        for _ in range(ROUNDS_MAX):
            await self.project()
            if await dispatcher.dispatch():
                await dispatcher.drain(DRAIN_SECONDS)
                continue
            assert dispatcher.fault is None, dispatcher.fault
            wait = await self.ledger.read_folded(dispatcher.seconds_to_due())
            if wait is None:
                return
            self.clock.advance(max(wait, 1.0))
        message = "the work never ends"
        raise AssertionError(message)

    async def attest(self) -> None:
        """Note what the ledger says about itself: its root, and whether its tables agree."""
        head = await self.ledger.head()
        self.notebook.note("head", str(head.size), head.root().hex())
        report = await rebuild(self.ledger, check=True)
        self.notebook.note("rebuild", str(report.first_difference))


@dataclass(frozen=True, slots=True)
class Life:
    """What a process is given: its part, its ledger, the way to DokStamp, and its death."""

    role: Role
    settings: Settings
    channel: socket.socket
    notebook: Notebook
    tripwire: Tripwire | None


def live(act: Act, life: Life) -> int:
    """Be a process that does this; returns how it ends where it comes to its end."""
    loop = asyncio.new_event_loop()
    if life.tripwire is not None:
        loop.set_task_factory(watching(life.tripwire))
    try:
        loop.run_until_complete(_play(act, life))
    except BaseException:  # noqa: BLE001 - told to the parent, whatever it is
        life.notebook.note("error", traceback.format_exc().replace("\n", " | "))
        return 1
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    return 0


async def _play(act: Act, life: Life) -> None:
    clock = ManualClock(START_OF_MANUAL_TIME + timedelta(days=life.role.number))
    entropy = SeededEntropy(life.role.number)
    opening = make_ledger if life.role.makes_the_ledger else open_ledger
    if life.tripwire is not None:
        life.tripwire.arm()
    if life.role.prelude is not None:
        await life.role.prelude(Opening(life.settings, clock, entropy, life.notebook))
    async with opening(life.settings, clock=clock, entropy=entropy) as ledger:
        client = client_of(life.channel, life.settings, clock)

        def hear(signal: object) -> None:
            if isinstance(signal, OperationSettled):
                life.notebook.note("settled", signal.operation, signal.outcome)

        engine = Engine(ledger, client, life.settings, announce=hear)
        folder = life.settings.address.key_file.parent
        await act(Stage(folder, life.settings, ledger, clock, engine, life.notebook))
    if life.tripwire is not None:
        life.tripwire.disarm()
