"""Where concrete parts are joined: a ledger by its settings, an engine with its client."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.clock import Clock, Entropy
from ledger.home import Address
from ledger.ledger import Ledger
from ledger.vault.key_source import HostKey
from sync.dokstamp.client import DokStampClient
from sync.runtime.publisher import publishing
from sync.runtime.settings import Settings
from sync.runtime.standing import Stand, stand_of
from sync.telemetry.signals import Announce, nobody

if TYPE_CHECKING:
    from sync.runtime.engine import Engine

DRAIN_SECONDS = 10.0
"""How long a stop waits for conversations under way before it cuts them short."""


@asynccontextmanager
async def open_ledger(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    master_key: HostKey | None = None,
) -> AsyncIterator[Ledger]:
    """Return the ledger that the settings name; it must have been made by `init`."""
    async with await Ledger.open(
        address_of(settings, master_key),
        clock=clock,
        entropy=entropy,
        shared_sources=settings.shared_sources,
    ) as ledger:
        yield ledger


@asynccontextmanager
async def make_ledger(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    master_key: HostKey | None = None,
) -> AsyncIterator[Ledger]:
    """Return the ledger that the settings name, made or migrated first where needed."""
    async with await Ledger.open(
        address_of(settings, master_key),
        clock=clock,
        entropy=entropy,
        shared_sources=settings.shared_sources,
        makes=True,
    ) as ledger:
        yield ledger


def address_of(settings: Settings, master_key: HostKey | None) -> Address:
    """Return where the ledger lives, its master key asked of the host where that has one."""
    address = settings.address
    if master_key is None:
        return address
    return replace(address, key_source=replace(address.key_source, ask=master_key))


@asynccontextmanager
async def start_engine(
    ledger: Ledger, settings: Settings, *, announce: Announce = nobody
) -> AsyncIterator["Engine"]:
    """Return a running engine; leaving stops it and leaves nothing leased.

    Raises `LedgerBusyError` while another process dispatches from the same ledger.
    """
    # Who only asks the ledger something opens it here as well, and needs nothing of this.
    from sync.runtime.engine import Engine  # noqa: PLC0415

    connection = settings.connection()
    async with dispatching_alone(ledger), ledger.database.together("sync"):
        await ledger.require_version()
        await ledger.require_home(base_url=connection.base_url, tenant=connection.tenant)
        async with (
            publishing(ledger, settings, announce=announce),
            DokStampClient(connection, clock=ledger.clock) as client,
        ):
            engine = Engine(ledger, client, settings, announce=announce)
            _hold_back(engine, await stand_of(ledger, settings.address.key_file))
            ledger.listen()
            await engine.start()
            try:
                yield engine
            finally:
                await engine.stop(drain_seconds=DRAIN_SECONDS)


def _hold_back(engine: "Engine", stand: Stand) -> None:
    """Let an older ledger take events in and answer questions, but send nothing."""
    if stand.error is not None:
        engine.dispatcher.stop_tenant(stand.error)


def dispatching_alone(ledger: Ledger) -> AbstractAsyncContextManager[None]:
    """Keep other processes from dispatching where only one may: leases hold several hosts apart."""
    return nullcontext() if ledger.database.is_shared else ledger.database.alone("sync")
