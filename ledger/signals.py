"""Tells whoever waits in this process that something in the ledger changed.

A lost ring costs at most the poll interval of who waits: rings only make things faster.
"""

import asyncio


class Bell:
    """Rings for everyone who waits at that moment or has not looked since the last ring."""

    def __init__(self) -> None:
        self._rings = 0
        self._changed = asyncio.Event()

    @property
    def rings(self) -> int:
        """How often it rang; hand it to `wait` to hear the next ring, missing none."""
        return self._rings

    def ring(self) -> None:
        """Wake everyone who waits."""
        self._rings += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, heard: int, *, seconds_max: float) -> int:
        """Return the count of rings once it is above `heard`, or when the time is over."""
        if self._rings == heard:
            try:
                async with asyncio.timeout(seconds_max):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return self._rings
