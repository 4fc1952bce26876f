"""What the ledger asks of a database, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from typing import Final, Literal, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Durability = Literal["full", "normal"]
TASKS: Final = ("sync", "rebuild")
"""What locks tell of: who is at one of these would go on with tables that are others by then."""


class Database(ABC):
    """One place to keep tables in, with transactions that are whole or not at all."""

    is_shared: bool
    """Whether several hosts may work on it at once; if not, one process at a time does."""

    @abstractmethod
    async def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one write transaction and return its result once that is durable.

        Cancelling the caller never cuts the transaction in half: it commits or rolls back whole.
        The function may be run again after a rollback, so it must change nothing but the database.
        """

    @abstractmethod
    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot.

        It may run in another thread than the event loop's, so it touches nothing that lives there.
        """

    async def read_waiting(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads and may wait with `await_only` on the way."""
        return await self.read(function)

    @abstractmethod
    def read_now(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads from within a step of another database."""

    @abstractmethod
    async def scrub(self) -> None:
        """Leave nothing readable of what was deleted.

        Raises `LedgerBusyError` where that cannot be done now; what was deleted stays so.
        """

    async def make_durable(self) -> None:  # noqa: B027 - most places have nothing to do
        """Bring to the disk whatever was committed, also where commits do not wait for it."""

    @abstractmethod
    async def is_there(self) -> bool:
        """Tell whether anything was ever made at this place."""

    @abstractmethod
    def alone(self, task: str) -> AbstractAsyncContextManager[None]:
        """Keep every other process from the same task; raises `LedgerBusyError` if one is at it."""

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[None]:
        """Keep every other process from every task; raises `LedgerBusyError` if one is at any."""
        async with AsyncExitStack() as held:
            for task in TASKS:
                await held.enter_async_context(self.alone(task))
            yield

    def together(self, task: str) -> AbstractAsyncContextManager[None]:  # noqa: ARG002
        """Be at a task with others, and keep away who wants to be `alone` at it.

        Raises `LedgerBusyError` if somebody is. Nothing, where only one may be at it anyway.
        """
        return nullcontext()

    @abstractmethod
    def now_seconds(self, connection: Connection) -> float | None:
        """Return the time since 1970 by a clock that all hosts share, if there is one."""

    @abstractmethod
    def tell_hosts(self, connection: Connection) -> None:
        """Let the listeners of other hosts ring once this transaction is committed."""

    @abstractmethod
    def listen(self, ring: Callable[[], None]) -> None:
        """Ring at what other hosts commit, until this is closed; one may be missed."""

    @abstractmethod
    def require_recipe(self, connection: Connection) -> None:
        """Raise `LedgerError` for a host's connection that cannot commit its write and ours as one.

        The message holds the recipe.
        """

    @property
    @abstractmethod
    def schema(self) -> str | None:
        """How a host's own connection has to call the schema of the tables."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what runs and let go of every connection, thread and lock; twice is safe."""
