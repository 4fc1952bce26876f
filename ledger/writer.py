"""Group commit: the steps of many callers share transactions, and each gets its own answer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ledger.errors import LedgerError

Step = TypeVar("Step")
STEPS_MAX = 128
WAITING_MAX = 4096


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that was rolled back alone, while the rest of its batch was committed."""

    error: Exception


@dataclass(slots=True)
class _Waiting(Generic[Step]):
    step: Step
    answer: asyncio.Future[Any]


class Writer(Generic[Step]):
    """A queue in front of one transaction at a time.

    While one transaction is being made durable the next batch gathers, so that the cost of a commit
    is shared by all who wait. A caller that is cancelled leaves its step to be committed: a promise
    once queued is kept, and repeating it is harmless because every step is keyed.
    """

    def __init__(self, run_batch: Callable[[Sequence[Step]], Awaitable[Sequence[Any]]]) -> None:
        self._run_batch = run_batch
        self._waiting: deque[_Waiting[Step]] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(WAITING_MAX)
        self._is_closed = False

    async def submit(self, step: Step) -> object:
        """Run one step in a shared transaction; returns its result once that is durable."""
        async with self._room:
            if self._is_closed:
                message = "the ledger is closed: open it again before writing to it"
                raise LedgerError(message)
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(step, answer))
            if self._flushing is None or self._flushing.done():
                self._flushing = asyncio.create_task(self._flush(), name="ledger writer")
            return await answer

    async def close(self) -> None:
        """Commit what waits and take nothing more."""
        self._is_closed = True
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        while self._waiting:
            count = min(STEPS_MAX, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            await self._commit(batch)

    async def _commit(self, batch: Sequence[_Waiting[Step]]) -> None:
        try:
            results = await self._run_batch([item.step for item in batch])
        except Exception as error:  # noqa: BLE001 - every waiting caller gets the error itself
            for item in batch:
                _answer(item.answer, Failed(error))
            return
        for item, result in zip(batch, results, strict=True):
            _answer(item.answer, result)


def _answer(future: asyncio.Future[Any], result: object) -> None:
    if future.done():
        return
    if isinstance(result, Failed):
        future.set_exception(result.error)
        # Nobody may be left to look at it; the log's state is what counts.
        future.exception()
    else:
        future.set_result(result)
