"""A real ledger in files, and what it holds, for tests of whatever stands on one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.clock import ManualClock, SeededEntropy
from ledger.home import Address, initialise
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import Stored


def address_in(folder: Path) -> Address:
    return Address(folder / "ledger.db", folder / "ledger.key", durability="normal")


@asynccontextmanager
async def open_ledger(
    folder: Path, *, seed: int = 1, clock: ManualClock | None = None
) -> AsyncIterator[Ledger]:
    """Give the ledger of a folder, made if it is not there."""
    entropy, clock = SeededEntropy(seed), clock or ManualClock()
    address = address_in(folder)
    await initialise(address, clock=clock, entropy=entropy)
    ledger = await Ledger.open(address, clock=clock, entropy=entropy)
    try:
        yield ledger
    finally:
        await ledger.close()


async def log_of(ledger: Ledger) -> list[Stored]:
    """Return the whole log of a small ledger."""
    return await ledger.read(
        lambda connection: log_store.read_page(
            connection, ledger.scope.ledger, after=-1, limit=10_000
        )
    )


async def types_of(ledger: Ledger) -> list[str]:
    return [event.type for event in await log_of(ledger)]
