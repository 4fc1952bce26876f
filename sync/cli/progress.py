"""How far the work is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINE_SECONDS: Final = 10.0


class Meter(Protocol):
    """What shows how far the work is."""

    def show(self, text: str, *, done: int, total: int | None = None) -> None:
        """Show that so much is done, of a total if one is known."""


@contextmanager
def metering() -> Iterator[Meter]:
    """Return a meter on standard error that leaves nothing behind on a terminal."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)


class Bar:
    """A bar that a person watches."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def show(self, text: str, *, done: int, total: int | None = None) -> None:
        """Move the bar."""
        self._progress.update(self._task, description=text, completed=done, total=total)


class Lines:
    """Lines for a log file; the first one comes after a while, so that short work is silent."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def show(self, text: str, *, done: int, total: int | None = None) -> None:
        """Write a line unless one was written just now."""
        if time.monotonic() - self._told_at < LINE_SECONDS:
            return
        self._told_at = time.monotonic()
        of = "" if total is None else f" of {total}"
        sys.stderr.write(f"{text}: {done}{of}\n")
        sys.stderr.flush()
