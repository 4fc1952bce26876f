"""The database port for simulation: SQLite in memory, every transaction run inline.

The same store functions run as in production. A place outlives the processes that use it: what was
committed stays, and a process that dies around a transaction finds it done or not done, never half.
"""

import asyncio
import atexit
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ledger.clock import START_OF_MANUAL_TIME, Entropy, ManualClock, SeededEntropy
from ledger.database import Database
from ledger.database.meanings import raise_translated
from ledger.errors import LedgerBusyError
from ledger.home import Address, initialise
from tests.simulation.loop import RUNNING, Process, VirtualLoop

T = TypeVar("T")
HOP_SECONDS_MAX = 0.02
STATEMENTS_KEPT = 2_000


@dataclass(eq=False)
class Traffic:
    """What databases do beside storing: how long hops take, who is told, what is refused."""

    loop: VirtualLoop
    rng: Random
    is_shared: bool = False
    busy_share: float = 0.0
    """How often a shared server refuses a transaction that it has rolled back."""
    refused: int = 0
    commits: list[tuple[float, int]] = field(default_factory=list)
    """When the log had grown to which size."""
    listeners: list[tuple[Process | None, Callable[[], None]]] = field(default_factory=list)


class Store:
    """One database in memory, emptied for every simulation and used for many.

    Statements are compiled and prepared once for all simulations of a process.
    """

    def __init__(self) -> None:
        self._connection = _engine().connect()
        self.driver: sqlite3.Connection = self._connection.connection.driver_connection  # type: ignore[assignment]
        # Begun once for SQLAlchemy; what SQLite is told is said here.
        self._connection.begin()

    def fill(self, content: bytes) -> None:
        """Hold nothing but this from now on."""
        self.driver.deserialize(content)
        _prepare(self.driver)

    def write(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one transaction, at once."""
        self.driver.execute("BEGIN IMMEDIATE")
        try:
            result = function(self._connection)
        except BaseException as error:
            self.driver.execute("ROLLBACK")
            if isinstance(error, DBAPIError | sqlite3.Error):
                raise_translated(error)
            raise
        self.driver.execute("COMMIT")
        return result

    def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, at once; nothing can come between."""
        try:
            return function(self._connection)
        except (DBAPIError, sqlite3.Error) as error:
            raise_translated(error)


class InlineDatabase(Database):
    """One process's connection to a store."""

    def __init__(self, store: Store, traffic: Traffic | None = None) -> None:
        self._store = store
        self._traffic = traffic
        self._wants_to_tell = False

    @property
    def is_shared(self) -> bool:  # type: ignore[override]  # a plain attribute in the port
        """Whether several hosts work on it."""
        return self._traffic is not None and self._traffic.is_shared

    async def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one transaction; who is cancelled meanwhile does not cut it short."""
        if self._traffic is None:
            return self._store.write(function)
        return await asyncio.shield(asyncio.get_running_loop().create_task(self._run(function)))

    async def _run(self, function: Callable[[Connection], T]) -> T:
        traffic, process = self._traffic, RUNNING.get() or Process("nobody")
        assert traffic is not None
        process.come_to("begin")
        await self._hop(traffic, process, "before a commit")
        if traffic.is_shared and traffic.rng.random() < traffic.busy_share:
            traffic.refused += 1
            message = "other hosts kept getting in the way: try again later"
            raise LedgerBusyError(message)
        self._wants_to_tell = False
        result = self._store.write(function)
        self._committed(traffic)
        process.come_to("commit")
        await self._hop(traffic, process, "between a commit and its answer")
        return result

    async def _hop(self, traffic: Traffic, process: Process, doing: str) -> None:
        is_slow = traffic.rng.random() < 0.1
        process.doing[doing] += 1
        await asyncio.sleep(traffic.rng.random() * HOP_SECONDS_MAX if is_slow else 0)
        process.doing[doing] -= 1

    def _committed(self, traffic: Traffic) -> None:
        row = self._store.driver.execute("SELECT size FROM heads").fetchone()
        if row is not None and (not traffic.commits or traffic.commits[-1][1] != row[0]):
            traffic.commits.append((traffic.loop.time(), row[0]))
        if self._wants_to_tell and traffic.is_shared:
            self._tell(traffic)

    def _tell(self, traffic: Traffic) -> None:
        own = RUNNING.get()
        traffic.listeners = [each for each in traffic.listeners if not _is_dead(each[0])]
        for process, ring in traffic.listeners:
            if process is own or traffic.rng.random() < 0.1:
                continue
            delay = traffic.rng.random() * HOP_SECONDS_MAX
            context = traffic.loop.outside.copy()
            context.run(RUNNING.set, process)
            traffic.loop.call_later(delay, ring, context=context)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads."""
        if self._traffic is not None and self._traffic.rng.random() < 0.2:
            await asyncio.sleep(0)
        return self._store.read(function)

    def read_now(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, from within a step of another database."""
        return self._store.read(function)

    async def scrub(self) -> None:
        """Do nothing: nothing here outlives the simulation."""

    async def is_there(self) -> bool:
        """Tell that there is something."""
        return True

    @asynccontextmanager
    async def alone(self, task: str) -> AsyncIterator[None]:  # noqa: ARG002 - as the port has it
        """Let everybody in: the simulation starts one process of a kind."""
        yield

    def now_seconds(self, connection: Connection) -> float | None:  # noqa: ARG002 - as above
        """Return the server's clock, if hosts share one."""
        if self._traffic is None or not self._traffic.is_shared:
            return None
        return START_OF_MANUAL_TIME.timestamp() + self._traffic.loop.time()

    def tell_hosts(self, connection: Connection) -> None:  # noqa: ARG002 - as above
        """Ring at other hosts once this is committed."""
        self._wants_to_tell = True

    def listen(self, ring: Callable[[], None]) -> None:
        """Ring at what other hosts commit."""
        if self._traffic is not None:
            self._traffic.listeners.append((RUNNING.get(), ring))

    def require_recipe(self, connection: Connection) -> None:
        """Take any connection."""

    @property
    def schema(self) -> None:
        """A database in memory has no schemas."""
        return

    async def close(self) -> None:
        """Do nothing: the store stays for the next process."""


class InlineAddress(Address):
    """Where the simulated ledger lives."""

    __slots__ = ("_main", "_traffic", "_vault")
    _main: Store
    _vault: Store
    _traffic: Traffic | None

    @classmethod
    def of(
        cls, main: Store, vault: Store, *, key_file: Path, traffic: Traffic | None = None
    ) -> "InlineAddress":
        """Return the address of two stores."""
        address = cls(key_file.with_name("ledger.db"), key_file)
        object.__setattr__(address, "_main", main)
        object.__setattr__(address, "_vault", vault)
        object.__setattr__(address, "_traffic", traffic)
        return address

    def main(self) -> Database:
        """Return a connection to the ledger's store."""
        return InlineDatabase(self._main, self._traffic)

    def vault(self) -> Database:
        """Return a connection to the vault's store."""
        # The vault has no head row, and its hops are the ledger's.
        return InlineDatabase(self._vault, None)


@dataclass(frozen=True, slots=True)
class Template:
    """An empty ledger, made once and copied for every simulation."""

    main: bytes
    vault: bytes
    key_file: Path


@cache
def stores() -> tuple[Store, Store]:
    """Return the stores of ledger and vault that every simulation of a process uses in turn."""
    return Store(), Store()


@cache
def template() -> Template:
    """Return an empty ledger."""
    key_file = Path(mkdtemp(prefix="simulation-")) / "ledger.key"
    atexit.register(clear_away)
    main, vault = stores()
    address = InlineAddress.of(main, vault, key_file=key_file)
    loop = VirtualLoop(Random(0))
    clock, entropy = ManualClock(), SeededEntropy(0)
    try:
        loop.run_until_complete(_initialise(address, clock, entropy))
    finally:
        loop.close()
    return Template(main.driver.serialize(), vault.driver.serialize(), key_file)


def clear_away() -> None:
    """Take the key file of the empty ledger away, also for a process that ends at once."""
    rmtree(template().key_file.parent, ignore_errors=True)


async def _initialise(address: Address, clock: ManualClock, entropy: Entropy) -> None:
    await initialise(address, clock=clock, entropy=entropy)


def _is_dead(process: Process | None) -> bool:
    return process is not None and process.is_dead


def _engine() -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        poolclass=StaticPool,
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "cached_statements": STATEMENTS_KEPT,
        },
        hide_parameters=True,
    )
    event.listen(engine, "connect", lambda driver, _entry: _prepare(driver))
    return engine


def _prepare(driver: sqlite3.Connection) -> None:
    for statement in ("PRAGMA foreign_keys = ON", "PRAGMA recursive_triggers = ON"):
        driver.execute(statement).close()
