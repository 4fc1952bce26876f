"""A real ledger, and what it holds, for tests of whatever stands on one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.clock import ManualClock, SeededEntropy
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.testing import ledger_in


@asynccontextmanager
async def open_ledger(
    folder: Path, *, seed: int = 1, clock: ManualClock | None = None
) -> AsyncIterator[Ledger]:
    """Give the ledger of a folder, made if it is not there."""
    clock = clock or ManualClock()
    async with ledger_in(folder, clock=clock, entropy=SeededEntropy(seed)) as ledger:
        yield ledger


async def log_of(ledger: Ledger) -> list[Stored]:
    """Return the whole log of a small ledger."""
    return await ledger.read(
        lambda connection: log_store.read_page(
            connection, ledger.scope.ledger, after=-1, limit=10_000
        )
    )


async def types_of(ledger: Ledger) -> list[str]:
    return [event.type for event in await log_of(ledger)]
