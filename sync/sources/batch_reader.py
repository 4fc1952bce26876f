"""Batches of items, read ahead by a thread of its own while earlier ones are being appended."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sync.sources.item import Item

STOP_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much is held in memory at once: `ahead_max` batches and the one being appended."""

    items_max: int = 500
    bytes_max: int = 8 * 1024 * 1024
    ahead_max: int = 2


class BatchReader:
    """An asynchronous iterator over batches of items that a thread takes from an iterator.

    A thread that waits for standard input cannot be interrupted. It is a daemon, therefore, and
    nobody waits for it longer than a moment.
    """

    def __init__(self, items: Iterator[Item], limits: BatchLimits) -> None:
        self._items = items
        self._limits = limits
        self._batches: asyncio.Queue[list[Item] | Exception | None] = asyncio.Queue()
        self._room = threading.Semaphore(limits.ahead_max)
        self._is_stopped = threading.Event()
        self._is_finished = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        threading.Thread(target=self._run, name="ingest reader", daemon=True).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_stopped.set()
        self._room.release()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._is_finished.wait()
        except TimeoutError:
            return

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        while True:
            batch = await self._batches.get()
            if batch is None:
                return
            if isinstance(batch, Exception):
                raise batch
            yield batch
            self._room.release()

    def _run(self) -> None:
        try:
            self._read()
        finally:
            self._close()
            self._hand_over(self._is_finished.set)

    def _read(self) -> None:
        ending: Exception | None = None
        batch: list[Item] = []
        weight = 0
        try:
            for item in self._items:
                batch.append(item)
                weight += item.weight_bytes
                if len(batch) >= self._limits.items_max or weight >= self._limits.bytes_max:
                    self._put(batch)
                    batch, weight = [], 0
                if self._is_stopped.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - raised again where the batches are awaited
            ending = error
        # What was read before a failure is as good as the rest, so it goes first.
        if batch:
            self._put(batch)
        self._hand_over(lambda: self._batches.put_nowait(ending))

    def _put(self, batch: list[Item]) -> None:
        self._room.acquire()
        if not self._is_stopped.is_set():
            self._hand_over(lambda: self._batches.put_nowait(batch))

    def _close(self) -> None:
        close = getattr(self._items, "close", None)
        if close is not None:
            close()

    def _hand_over(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop has closed: nobody waits for batches any more.
            self._is_stopped.set()
