"""Writes down what must not go unsaid while others keep the ledger busy.

What was sent is known to nobody but this process until it stands in the log: given up after one
refusal, an answer that was heard would leave no trace.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from ledger.errors import LedgerBusyError

T = TypeVar("T")

PAUSES: Final = (0.1, 0.5, 2.0)
"""Seconds before it is tried again; short, for a lease goes on and a stop may wait for it."""


async def insist(write: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what a write returns, tried again while the ledger is busy.

    Raises `LedgerBusyError` where it still is after the last pause.
    """
    for pause in PAUSES:
        try:
            return await write()
        except LedgerBusyError:
            await asyncio.sleep(pause)
    return await write()
