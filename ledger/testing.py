"""For tests, a host's own included: a ledger in a folder, with time and chance under control."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy
from ledger.database import Server
from ledger.home import Address, initialise
from ledger.ledger import Ledger

SERVED = "ledger.url"
"""A file of this name in a folder says that its ledger lives on a PostgreSQL server."""


def address_in(folder: Path) -> Address:
    """Return an address in a folder, durable enough for tests and faster than the default.

    Its ledger is a file in there, unless the folder names a server in `ledger.url`.
    """
    served, key_file = folder / SERVED, folder / "ledger.key"
    place = Server.parse(served.read_text()) if served.exists() else folder / "ledger.db"
    return Address(place, key_file, durability="normal")


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
