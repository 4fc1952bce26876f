"""Publishes a checkpoint on a schedule: when the log grew, and once more at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from ledger.clock import Clock
from ledger.errors import LedgerError
from ledger.ledger import Ledger
from ledger.shield import to_the_end
from sync.runtime.notary import Notary
from sync.runtime.service import Service, cancel
from sync.runtime.settings import Settings
from sync.telemetry.signals import (
    Announce,
    CheckpointFailed,
    CheckpointPublished,
    ServiceDied,
    announce_to,
)

NAME: Final = "checkpoints"
RETRY_SECONDS_MAX: Final = 60.0


class Publisher:
    """A service's turn, and a last word; whatever goes wrong is announced and tried again."""

    def __init__(
        self,
        ledger: Ledger,
        notary: Notary,
        *,
        target: str | Path,
        every_seconds: float,
        announce: Announce,
    ) -> None:
        self._ledger = ledger
        self._notary = notary
        self._target = target
        self._every_seconds = every_seconds
        self._announce = announce
        self._size = -1

    @property
    def _clock(self) -> Clock:
        return self._ledger.clock

    async def turn(self) -> None:
        """Publish if there is something new, then wait until the next one is due."""
        is_done = await self.publish()
        wait = self._every_seconds
        await self._clock.sleep(wait if is_done else min(wait, RETRY_SECONDS_MAX))

    async def publish(self) -> bool:
        """Publish if the log grew; returns whether nothing is left to be published."""
        try:
            if (await self._ledger.head()).size == await self._last():
                return True
            published = await self._notary.publish(self._target)
        except (LedgerError, OSError) as error:
            # Evidence that cannot be written must not keep anybody's diploma from being issued.
            self._announce(CheckpointFailed(type(error).__name__))
            return False
        self._size = published.size
        self._announce(CheckpointPublished(published.size))
        return True

    def tell_death(self, name: str, error: Exception) -> None:
        """Announce what publishing died of; it begins again after a pause."""
        self._announce(ServiceDied(name, type(error).__name__))

    async def _last(self) -> int:
        if self._size < 0:
            self._size = await self._notary.last_at(self._target)
        return self._size


@asynccontextmanager
async def publishing(
    ledger: Ledger, settings: Settings, *, announce: Announce
) -> AsyncIterator[None]:
    """Publish checkpoints while the block runs and once after it, where settings name a place."""
    if settings.checkpoints is None:
        yield
        return
    publisher = Publisher(
        ledger,
        Notary(ledger, key_file=settings.address.key_file),
        target=settings.checkpoints,
        every_seconds=settings.checkpoint_seconds,
        announce=announce_to(announce),
    )
    service = Service(NAME, publisher.turn, clock=ledger.clock, died=publisher.tell_death)
    task = asyncio.create_task(service.run(), name=service.name)
    try:
        yield
    finally:
        await cancel([task])
        # Who is told to stop publishes what was settled on the way out, too.
        await to_the_end(publisher.publish())
