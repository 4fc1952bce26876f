"""Several real hosts on one PostgreSQL ledger: started, stopped, woken, killed, and looked at."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from ledger.ledger import Ledger
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Scope
from ledger.schema.tables import leases
from sync.runtime.assembly import make_ledger
from tests.sync.system.commands import Station
from tests.sync.system.fleet.journal import Call, Chains, chains
from tests.sync.system.fleet.remote import FarSimulator, far_away
from tests.sync.system.fleet.workload import keys_of, people
from tests.sync.system.practice import settings_for
from tests.sync.system.university import Told

LOOK_SECONDS = 0.05
WAIT_SECONDS_MAX = 60.0
AT_REST = frozenset({State.DONE, State.SUPERSEDED, State.HELD, State.DEAD, State.DISCARDED})
STRANGERS = 10
IN_A_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'dokstamp-ledger'
AND clock_timestamp() - xact_start > interval '1 s'
"""


@dataclass(frozen=True, slots=True)
class Pattern:
    """How patient the hosts are, and how slow DokStamp is."""

    latency_seconds: float = 0.2
    lanes: int = 2
    """Per host."""
    timeout_seconds: float = 2.0
    lease_seconds: float = 4.0
    settle_seconds: float = 1.0

    def settings(self) -> dict[str, str]:
        """Return what every host is told."""
        return {
            "CONCURRENCY_MAX": str(self.lanes),
            "REQUEST_TIMEOUT_SECONDS": str(self.timeout_seconds),
            "LEASE_SECONDS": str(self.lease_seconds),
            "SETTLE_SECONDS": str(self.settle_seconds),
            "MASS_CHANGE_FLOOR": "1000000",
        }


@dataclass(slots=True)
class Host:
    """One process of `dokstamp-ledger run`."""

    process: asyncio.subprocess.Process
    name: str = ""
    """As leases and claims call it."""
    caller: int = -1
    """As the journal calls it."""

    def send(self, number: signal.Signals) -> float:
        """Send it a signal and return when, on the monotonic clock."""
        self.process.send_signal(number)
        return time.monotonic()


@dataclass(slots=True)
class Fleet:
    """Hosts, their ledger, and the practice DokStamp that all of them talk to."""

    station: Station
    far: FarSimulator
    ledger: Ledger
    pattern: Pattern
    hosts: list[Host] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    strangers: int = 1_000
    """The number of the next student who is there to give a new host work."""

    async def start(self) -> Host:
        """Start a host and return once it is at work."""
        host = Host(await self.station.start("run"))
        self.hosts.append(host)
        assert host.process.stderr is not None
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while b"at work" not in (line := await host.process.stderr.readline()):
                assert line, "the host ended before it began"
        return host

    async def recruit(self) -> Host:
        """Start a host, give it work, and return once it is known by both its names."""
        names, callers = await self._known()
        host = await self.start()

        async def is_known() -> bool:
            await self.occupy()
            now = await self._known()
            return names < now[0] and callers < now[1]

        await self.until(is_known, "the host took no work")
        now = await self._known()
        (host.name,), (host.caller,) = now[0] - names, now[1] - callers
        return host

    async def occupy(self) -> None:
        """Give the hosts more to do, if nothing is: more than the lanes of one can take."""
        if not await self.open_count():
            await self.station.ingest(people(STRANGERS, first=self.strangers))
            self.strangers += STRANGERS

    async def _known(self) -> tuple[set[str], set[int]]:
        self.names |= set(await self.owners())
        return set(self.names), {call.caller for call in self.far.calls()}

    async def owners(self) -> list[str]:
        """Return whose leases there are, a name for every lease."""
        owner = select(leases.c.host).where(leases.c.host != "")
        return await self.ledger.read(lambda c: [str(each) for each in c.scalars(owner)])

    async def open_count(self) -> int:
        """Return how much is not at rest: source events to plan, operations to carry out."""
        head = (await self.ledger.head()).size
        if head == 0:
            return 1

        def look(connection: Connection, scope: Scope) -> int:
            states = outbox_store.count_by_state(connection, scope)
            return sum(count for state, count in states.items() if state not in AT_REST)

        return await self.ledger.read_folded(look)

    async def count(self, *states: State) -> int:
        """Return how many operations stand in these states."""
        found = await self.ledger.read_folded(outbox_store.count_by_state)
        return sum(found.get(state, 0) for state in states)

    async def is_stuck_in_a_transaction(self) -> bool:
        """Tell whether somebody has held a transaction open for a second."""
        held = await self.ledger.read(lambda c: c.exec_driver_sql(IN_A_TRANSACTION).scalar_one())
        return bool(held)

    async def done(self, told: Sequence[Told]) -> None:
        """Return once as many operations are done as there are events, and none is open."""
        wanted = await self.count(State.DONE) + len(told)
        await self.station.ingest(told)

        async def is_over() -> bool:
            return await self.count(State.DONE) >= wanted and not await self.open_count()

        await self.until(is_over, "the work does not end")

    async def until(self, holds: Callable[[], Awaitable[bool]], complaint: str) -> float:
        """Return when something came to hold, on the monotonic clock."""
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not await holds():
            assert time.monotonic() < end, complaint
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic()

    def chains(self) -> Chains:
        """Return the calls about each record."""
        return chains(self.far.calls(), keys_of(self.far))

    def calls_of(self, host: Host, *, since: float) -> list[Call]:
        """Return what a host asked since a moment."""
        calls = self.far.calls()
        return [each for each in calls if each.caller == host.caller and each.begun >= since]

    async def faults(self) -> list[str]:
        """Tell everything that is wrong in DokStamp, in the log, and between the two."""
        return await self.station.faults()

    async def dismiss(self) -> None:
        """End every host."""
        for host in self.hosts:
            if host.process.returncode is None:
                host.send(signal.SIGKILL)
            await host.process.communicate()


@asynccontextmanager
async def fleet_in(folder: Path, pattern: Pattern) -> AsyncIterator[Fleet]:
    """Give a fleet without hosts yet, whose ledger is where the folder says."""
    async with far_away(pattern.latency_seconds) as (far, address):
        station = Station(folder, far, address, pattern.settings())
        async with make_ledger(settings_for(folder, address)) as ledger:
            fleet = Fleet(station, far, ledger, pattern)
            try:
                yield fleet
            finally:
                await fleet.dismiss()
