"""Sees what a host's own process could say of a person: representations, signals, log lines."""

import asyncio
import dataclasses
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from tests.sync.system.canary.markers import Search

OURS = ("ledger.", "sync.")
PRACTICE = "sync.simulator"
"""The other side of the wire may know everything."""
ALONE_SECONDS = 60.0
_LOOKED_AT: dict[type, bool] = {}


class Lines(logging.Handler):
    """Keeps every line of every logger, formatted with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))


@dataclass(slots=True)
class Witness:
    """Looks at every value of ours that lives at a moment."""

    found: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    """The kinds of values that held something when they were looked at."""
    _search: Search = field(default_factory=Search)
    _known: set[str] = field(default_factory=set)
    """Representations that were searched, and need not be again."""

    def look(self) -> None:
        """Search the representation of all that could be named in a traceback or a log line."""
        for value in _values():
            name = type(value).__qualname__
            self.seen.add(name)
            said = repr(value)
            if said not in self._known:
                self._known.add(said)
                self.found.update(self._search.in_text(said, where=f"repr of {name}"))

    def hear(self, _signal: object) -> None:
        """Look while something is announced: whoever announces it still holds what it is about."""
        self.look()


@asynccontextmanager
async def only_what_is_new() -> AsyncIterator[None]:
    """Let a witness pass over all that lived before: it cannot hold what comes later."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _values() -> list[object]:
    # Nobody else may hold a tuple that a thread is just filling: Python cannot go on with it then.
    with _alone():
        everything: list[object] = gc.get_objects()
        found = [value for value in everything if _is_looked_at(type(value))]
        del everything
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Let no other thread run, as long as nothing here waits."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(ALONE_SECONDS)
    # Who waits for its turn already still asks for it after the usual interval.
    time.sleep(2 * usual)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _is_looked_at(kind: type) -> bool:
    if kind not in _LOOKED_AT:
        _LOOKED_AT[kind] = _is_ours(kind)
    return _LOOKED_AT[kind]


def _is_ours(kind: type) -> bool:
    module = str(getattr(kind, "__module__", ""))
    is_ours = module.startswith(OURS) and not module.startswith(PRACTICE)
    is_value = dataclasses.is_dataclass(kind) or issubclass(kind, BaseException)
    return (is_ours and is_value) or issubclass(kind, asyncio.Task)
