"""Runs asynchronous work until it ends or somebody asks it to stop."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

from sync.cli.exits import Exit, InterruptedWorkError

T = TypeVar("T")

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns; raises `InterruptedWorkError` once a signal has stopped it."""
    with asyncio.Runner() as runner:
        return runner.run(_until_stopped(work))


@contextmanager
def interruptible() -> Iterator[None]:
    """Let every stopping signal raise KeyboardInterrupt while there is no loop to hear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, _interrupt) for each in _heard()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _heard() -> tuple[signal.Signals, ...]:
    """Return the signals that stop us; a hang-up does not where `nohup` asked for that."""
    is_deaf = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return STOPPING[:2] if is_deaf else STOPPING


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    stop = _Stop(task)
    loop = asyncio.get_running_loop()
    heard = _heard() if threading.current_thread() is threading.main_thread() else ()
    for each in heard:
        loop.add_signal_handler(each, stop.ask)
    try:
        return await task
    except asyncio.CancelledError:
        if not stop.times:
            raise
        raise InterruptedWorkError from None
    finally:
        for each in heard:
            loop.remove_signal_handler(each)
            # Removing leaves the default, which would kill us while we report.
            signal.signal(each, _interrupt)


class _Stop:
    """What to do when asked once, and when asked again."""

    def __init__(self, task: asyncio.Future[Any]) -> None:
        self.times = 0
        self._task = task

    def ask(self) -> None:
        self.times += 1
        if self.times > 1:
            # What is durable stays durable, so that leaving at once is safe, only less tidy.
            os._exit(Exit.INTERRUPTED)
        sys.stderr.write("stopping cleanly; once more stops at once\n")
        self._task.cancel()
