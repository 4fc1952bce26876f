"""The real program as a process: the command line's own door, its files and signals.

A child of one that has imported everything already is started in a few milliseconds; from there on
it is what the installed command is. With a tripwire it dies at a point of its own.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from sync.cli.main import main
from sync.cli.program import VERBS
from tests.sync.system.killing import seams
from tests.sync.system.killing.suspensions import watching
from tests.sync.system.killing.tripwire import Notebook, Tripwire

RECORDING: Final = ""
"""The fatal point of who is not to die, and writes every point down."""
_LATE: Final = (
    *("aiosqlite", "asyncpg", "alembic.config", "sync.dokstamp.client", "sync.sources"),
    *("sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.dialects.postgresql.asyncpg"),
)


class WatchedLoops(asyncio.DefaultEventLoopPolicy):
    """Makes loops whose tasks tell of every suspension."""

    def __init__(self, tripwire: Tripwire) -> None:
        super().__init__()
        self._tripwire = tripwire

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Return a loop as the program would have made it, watched."""
        loop = super().new_event_loop()
        loop.set_task_factory(watching(self._tripwire))
        return loop


@dataclass(frozen=True, slots=True)
class Command:
    """What is called, and where it finds its settings."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    """Where output, errors and notes are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it left to be read."""

    code: int
    output: str
    errors: str
    notes: tuple[tuple[str, ...], ...]

    def told(self, what: str) -> tuple[str, ...]:
        """Return what it noted of a kind."""
        return tuple(note[1] for note in self.notes if note[0] == what)


def import_all() -> None:
    """Import what any command would: a child then only has to do its work."""
    for name in (*(f"sync.cli.{verb}" for verb in VERBS), *_LATE):
        import_module(name)


def warm_up(command: Command) -> None:
    """Do once in this process what children will do: what that leaves prepared they inherit."""
    before = dict(os.environ)
    os.environ.update(command.environment)
    try:
        with (
            (command.folder / "output").open("w") as output,
            redirect_stdout(output),
            redirect_stderr(output),
        ):
            assert main(command.words) == 0, command.words
    finally:
        os.environ.clear()
        os.environ.update(before)


def start(command: Command, *, fatal: str | None = None) -> int:
    """Start the program, to die at that point if one is given; returns the process."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(_become(command, fatal))
        except BaseException:  # noqa: BLE001 - a child must never come back out of here
            traceback.print_exc()
            os._exit(70)
    return child


def ended(command: Command, process: int) -> Ended:
    """Wait until a process has ended, and return how."""
    _, status = os.waitpid(process, 0)
    folder = command.folder
    notes = folder / "notes"
    lines = notes.read_text().splitlines() if notes.exists() else ()
    result = Ended(
        os.waitstatus_to_exitcode(status),
        (folder / "output").read_text(),
        (folder / "errors").read_text(),
        tuple(tuple(line.split("\t")) for line in lines),
    )
    notes.unlink(missing_ok=True)
    return result


def run(command: Command, *, fatal: str | None = None) -> Ended:
    """Run the program to its end, or to its death."""
    return ended(command, start(command, fatal=fatal))


def _become(command: Command, fatal: str | None) -> int:
    _redirect(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    if fatal is not None:
        notebook = Notebook(str(command.folder / "notes"))
        # Between a request's first byte and its answer lies one await of ours, and every doubt.
        tripwire = Tripwire(notebook, fatal, hops_at="sync/dokstamp/")
        seams.watch(tripwire)
        asyncio.set_event_loop_policy(WatchedLoops(tripwire))
        tripwire.arm()
    try:
        return main(command.words)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _redirect(folder: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor, name in ((1, "output"), (2, "errors")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
