"""For tests, a host's own included: a ledger in a folder, with time and chance under control."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy
from ledger.home import Address, initialise
from ledger.ledger import Ledger


def address_in(folder: Path) -> Address:
    """Return an address in a folder, durable enough for tests and faster than the default."""
    return Address(folder / "ledger.db", folder / "ledger.key", durability="normal")


@asynccontextmanager
async def ledger_in(
    folder: Path, *, clock: Clock | None = None, entropy: Entropy | None = None
) -> AsyncIterator[Ledger]:
    """Return a ledger in a folder, made there if there was none; leaving closes it."""
    address = address_in(folder)
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    await initialise(address, clock=clock, entropy=entropy)
    async with await Ledger.open(address, clock=clock, entropy=entropy) as ledger:
        yield ledger
