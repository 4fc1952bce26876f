"""Sees what a host's own process could say of a person: representations, signals, log lines."""

import asyncio
import dataclasses
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

from tests.sync.system.canary.markers import Search

OURS = ("ledger.", "sync.")
PRACTICE = "sync.simulator"
"""The other side of the wire may know everything."""


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


def _values() -> Iterator[object]:
    return (value for value in gc.get_objects() if _is_looked_at(value.__class__))


@cache
def _is_looked_at(kind: type) -> bool:
    module = str(getattr(kind, "__module__", ""))
    is_ours = module.startswith(OURS) and not module.startswith(PRACTICE)
    is_value = dataclasses.is_dataclass(kind) or issubclass(kind, BaseException)
    return (is_ours and is_value) or issubclass(kind, asyncio.Task)
