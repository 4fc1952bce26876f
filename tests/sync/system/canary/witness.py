"""Sees what a host's own process could say of a person: representations, signals, log lines."""

import asyncio
import dataclasses
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

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

    def look(self) -> None:
        """Search the representation of all that could be named in a traceback or a log line."""
        search = Search()
        for value in _values():
            name = type(value).__qualname__
            self.seen.add(name)
            self.found.update(search.in_text(repr(value), where=f"repr of {name}"))


def _values() -> Iterator[object]:
    for value in gc.get_objects():
        kind = type(value)
        module = str(getattr(kind, "__module__", ""))
        is_ours = module.startswith(OURS) and not module.startswith(PRACTICE)
        is_value = dataclasses.is_dataclass(kind) or issubclass(kind, BaseException)
        if (is_ours and is_value) or isinstance(value, asyncio.Task):
            yield value
