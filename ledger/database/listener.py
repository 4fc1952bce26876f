"""Hears what other hosts commit, on one connection of its own that is made again when it breaks."""

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

PAUSE_SECONDS_MIN: Final = 0.1
PAUSE_SECONDS_MAX: Final = 15.0
NAME_BYTES: Final = 8


class Listener:
    """Rings for every notification of a channel that another host sent."""

    def __init__(self, engine: "AsyncEngine", *, channel: str) -> None:
        self._engine = engine
        self._channel = channel
        self._task: asyncio.Task[None] | None = None
        self.name = secrets.token_hex(NAME_BYTES)
        """Who we are on the channel, to know our own notifications by."""
        self.is_listening = asyncio.Event()
        """Whether the connection stands; while it does not, who waits looks for himself."""

    def start(self, ring: Callable[[], None]) -> None:
        """Listen from now on; a second start changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(ring), name="ledger listener")

    async def stop(self) -> None:
        """Hang up; twice is safe."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _listen(self, ring: Callable[[], None]) -> None:
        pause = PAUSE_SECONDS_MIN
        while True:
            try:
                await self._hear(ring)
                pause = PAUSE_SECONDS_MIN
            except Exception:  # noqa: BLE001 - whatever broke the line, polling goes on without it
                pause = min(PAUSE_SECONDS_MAX, pause * 2)
            self.is_listening.clear()
            await asyncio.sleep(pause)

    async def _hear(self, ring: Callable[[], None]) -> None:
        """Ring for what is heard until the connection breaks."""
        broken = asyncio.Event()

        def heard(_connection: object, _process: int, _channel: str, told: object) -> None:
            if told != self.name:
                ring()

        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            driver.add_termination_listener(lambda _: broken.set())
            await driver.add_listener(self._channel, heard)
            try:
                self.is_listening.set()
                # What was committed before the line stood rang for nobody.
                ring()
                await broken.wait()
            finally:
                await connection.invalidate()
