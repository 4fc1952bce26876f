"""Sees each time that one of our coroutines waits.

An await of ours is one point, counted when it first gives control away. While it waits the driver
below may come and go several times: these *hops* are points too if they are asked for, each when
control goes and when it comes back.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from dataclasses import dataclass, field
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any

from tests.architecture.source import ROOT
from tests.sync.system.killing.tripwire import Tripwire, is_ours, place_of

PLUMBING = tuple(
    f"{ROOT}/ledger/{name}"
    for name in ("database/", "ledger.py", "shield.py", "signals.py", "transaction.py", "writer.py")
)
"""Where everybody waits for the database or the bell: who does is the one outside of it."""
Factory = Callable[..., "asyncio.Task[Any]"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a coroutine waits, and for what: the same thing is waited for once."""

    place: str
    awaited: object = field(repr=False)


class Watched(Coroutine[Any, Any, Any]):
    """A coroutine in the place of another, which tells of every suspension."""

    def __init__(self, inner: Coroutine[Any, Any, Any], tripwire: Tripwire) -> None:
        self._inner = inner
        self._tripwire = tripwire
        self._waiting: Waiting | None = None

    def send(self, value: Any) -> Any:
        """Go on with a value."""
        return self._step(lambda: self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        """Go on with an error."""
        return self._step(lambda: self._inner.throw(*error))

    def close(self) -> None:
        """End the coroutine where it stands."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        """Be awaited as the coroutine inside would be."""
        return self._inner.__await__()

    def _step(self, go_on: Callable[[], Any]) -> Any:
        before = self._waiting
        if before is not None:
            self._tripwire.touch("wake", before.place)
        waited_for = go_on()
        now = self._waiting = innermost(self._inner)
        if now is not None:
            is_same = before is not None and before.awaited is now.awaited
            self._tripwire.touch("hop" if is_same else "await", now.place)
        return waited_for


def watching(tripwire: Tripwire) -> Factory:
    """Return a factory of tasks whose suspensions are counted."""

    def make(
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any],
        *,
        context: Context | None = None,
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(Watched(coroutine, tripwire), loop=loop, context=context)

    return make


def innermost(awaited: object) -> Waiting | None:
    """Return where the innermost of our own frames in a chain of awaits waits, and for whom."""
    found: FrameType | None = None
    purpose: FrameType | None = None
    waited_for: object = None
    while awaited is not None:
        frame, awaited = _link(awaited)
        if frame is not None and is_ours(frame.f_code.co_filename):
            found, waited_for = frame, awaited
            if not frame.f_code.co_filename.startswith(PLUMBING):
                purpose = frame
    if found is None:
        return None
    place = place_of(found)
    if purpose is not None and purpose is not found:
        place = f"{place} for {place_of(purpose)}"
    return Waiting(place, waited_for)


def _link(awaited: object) -> tuple[FrameType | None, object]:
    match awaited:
        case CoroutineType():
            return awaited.cr_frame, awaited.cr_await
        case GeneratorType():
            return awaited.gi_frame, awaited.gi_yieldfrom
        case AsyncGeneratorType():
            return awaited.ag_frame, awaited.ag_await
        case Watched():
            return None, awaited._inner
        case asyncio.Future():
            return None, None
        case _:
            return None, _inside(awaited)


def _inside(awaited: object) -> object:
    """Return the generator that `async with` and `async for` hide behind an object of their own."""
    if type(awaited).__name__ not in {"async_generator_asend", "async_generator_athrow"}:
        return None
    hidden = gc.get_referents(awaited)
    return next((each for each in hidden if isinstance(each, AsyncGeneratorType)), None)
