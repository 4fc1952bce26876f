"""Many lives of a runtime in one process: whole ones, and ones cancelled at any await.

Each life starts, takes an event in, works and stops. A recording tells how often each of the three
waits; then every life but each fourth is cancelled at one of these moments, and sometimes once
more while it winds up. After each the process must be as it was before: tasks, threads, files.
"""

import asyncio
import gc
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from aiohttp import ClientSession
from sqlalchemy import Connection, func, select

from ledger.database import Database
from ledger.ledger import Ledger
from ledger.schema.tables import leases
from sync.runtime.engine import Engine
from sync.runtime.runtime import Runtime
from sync.runtime.settings import Settings
from sync.simulator import Simulator, http_server
from tests.sync.dispatcher.floor import Cut
from tests.sync.system.practice import settings_for
from tests.sync.system.university import events

PHASES: Final = ("start", "work", "stop")
SUBJECTS: Final = 5
AFTERWARDS_MAX: Final = 20
"""How soon after the first cancellation a second one comes, in suspensions."""
LOOKS_MAX: Final = 2_000
LOOK_SECONDS: Final = 0.001
"""The other end of a connection sees a moment later that it is gone."""
OURS: Final = (Runtime, Ledger, Engine, Database, ClientSession)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a process holds besides memory."""

    tasks: int
    threads: int
    descriptors: int

    @classmethod
    def now(cls) -> "Trace":
        """Return what this process holds."""
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return cls(len(asyncio.all_tasks()), threading.active_count(), descriptors)

    def exceeds(self, other: "Trace") -> bool:
        """Tell whether this is more of anything."""
        return (
            self.tasks > other.tasks
            or self.threads > other.threads
            or self.descriptors > other.descriptors
        )


@dataclass(slots=True)
class Balance:
    """What many lives came to."""

    lives: int = 0
    cancelled: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    before: Trace | None = None
    after: Trace | None = None


class Lives:
    """Lives of a runtime over one ledger, one after the other."""

    def __init__(self, settings: Settings, *, seed: int) -> None:
        self._settings = settings
        self._rng = Random(seed)
        self._lengths: dict[str, int] = {}
        self.balance = Balance()

    async def go_through(self, times: int, *, told: Callable[[int], None] = lambda _: None) -> None:
        """Live so many times, and note whatever is left behind."""
        await self._record()
        for number in range(1, times + 1):
            phase = (*PHASES, "")[number % 4]
            await self._live(number, phase)
            self.balance.lives += 1
            told(number)
        self.balance.after = Trace.now()

    async def _record(self) -> None:
        # The first one makes the ledger, which takes steps that no other does.
        await self._life(0, lambda _: None)
        counts: dict[str, int] = {}

        def note(phase: str) -> None:
            counts[phase] = life.suspensions

        life = Cut(self._life(0, note))
        task = asyncio.create_task(_awaited(life))
        await asyncio.wait([task])
        task.result()
        ends = [counts["work"], counts["stop"], life.suspensions]
        self._lengths = dict(
            zip(PHASES, (ends[0], ends[1] - ends[0], ends[2] - ends[1]), strict=True)
        )
        await asyncio.sleep(LOOK_SECONDS * LOOKS_MAX / 10)
        self.balance.before = Trace.now()

    async def _live(self, number: int, phase: str) -> None:
        moments = self._moments(phase)

        def note(begun: str) -> None:
            if begun == phase:
                life.strike(*moments)

        life = Cut(self._life(number, note), *(moments if phase == "start" else ()))
        task = asyncio.create_task(_awaited(life))
        await asyncio.wait([task])
        name = f"life {number}, cancelled at {moments} of {phase or 'nothing'},"
        if task.cancelled():
            self.balance.cancelled[phase] += 1
        elif (error := task.exception()) is not None:
            self.balance.faults.append(f"{name} ended with {error!r}")
        await self._settle(name)

    def _moments(self, phase: str) -> tuple[int, ...]:
        if not phase:
            return ()
        first = self._rng.randrange(max(1, self._lengths[phase]))
        is_twice = self._rng.random() < 1 / 3
        return (first, first + self._rng.randint(1, AFTERWARDS_MAX)) if is_twice else (first,)

    async def _life(self, number: int, note: Callable[[str], None]) -> None:
        """Live, telling where work and where the stop begins."""
        async with Runtime(self._settings) as runtime:
            note("work")
            await runtime.record(_event(number))
            if number % 3 == 0:
                await runtime.idle(patience_seconds=0)
            note("stop")

    async def _settle(self, name: str) -> None:
        """Wait until the process holds no more than before; note it where that never comes."""
        before = self.balance.before
        assert before is not None
        for _ in range(LOOKS_MAX):
            if not Trace.now().exceeds(before):
                return
            await asyncio.sleep(LOOK_SECONDS)
        self.balance.faults.append(f"{name} left {Trace.now()}, before it was {before}")
        self.balance.before = Trace.now()


@asynccontextmanager
async def living(folder: Path, *, seed: int = 1) -> AsyncIterator[Lives]:
    """Give lives over the ledger of a folder; whatever they leave is among their faults then."""
    # Somebody else in this process, such as a test before, may keep some of their own.
    before = _living_values()
    async with http_server.serve(Simulator()) as address:
        settings = settings_for(folder, address)
        lives = Lives(settings, seed=seed)
        with _hearing(lives.balance.faults):
            yield lives
            left = _living_values() - before
        lives.balance.faults += [f"{count} {name} left" for name, count in left.items()]
        lives.balance.faults += await _left_in(settings)


def _living_values() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, OURS))


async def _awaited(cut: Cut[None]) -> None:
    await cut


def _event(number: int) -> dict[str, Any]:
    data = {"name": f"University {number % SUBJECTS}", "country": f"Country {number}"}
    [event] = events([("institution.upserted", str(number % SUBJECTS), data)], first=number + 1)
    return event


@contextmanager
def _hearing(faults: list[str]) -> Iterator[None]:
    """Note what nobody awaited, retrieved or handled."""
    loop = asyncio.get_running_loop()
    handler, hook = loop.get_exception_handler(), sys.unraisablehook
    loop.set_exception_handler(lambda _, told: faults.append(f"the loop heard {told}"))
    sys.unraisablehook = lambda told: faults.append(f"nobody handled {told}")
    try:
        yield
    finally:
        loop.set_exception_handler(handler)
        sys.unraisablehook = hook


async def _left_in(settings: Settings) -> list[str]:
    """Tell of leases that nobody works under, and of connections that nobody closed."""
    async with await Ledger.open(settings.address) as ledger:
        held = await ledger.read(lambda c: _held(c, ledger))
        is_shared = ledger.database.is_shared
        strangers = await ledger.read(_strangers) if is_shared else 0
    found = [f"{held} leases left"] if held else []
    return found + ([f"{strangers} connections left"] if strangers else [])


def _held(connection: Connection, ledger: Ledger) -> int:
    now = ledger.lease_now(connection)
    counting = select(func.count()).select_from(leases).where(leases.c.until_seconds > now)
    return int(connection.execute(counting).scalar_one())


def _strangers(connection: Connection) -> int:
    """Count the connections to this database that are not our own, which are new."""
    return int(
        connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'dokstamp-ledger' "
            "AND backend_start < now() - interval '1 second'"
        ).scalar_one()
    )
