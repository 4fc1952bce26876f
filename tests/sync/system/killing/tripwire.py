"""Counts the points that a process passes, and ends it without a word at a chosen one."""

import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from types import FrameType
from typing import NoReturn

from tests.architecture.source import ROOT

OURS = tuple(f"{ROOT}/{package}/" for package in ("ledger", "sync"))
HOPS = frozenset({"hop", "wake"})
PRACTICE = f"{ROOT}/sync/simulator/"


@dataclass(slots=True)
class Tripwire:
    """Knows each point by its kind, its place in the code, and how often it was passed."""

    notebook: "Notebook"
    fatal: str = ""
    """The point at which to die, by its name or as the `@nth` of all that are passed.

    Without one, every point is written down.
    """
    sees_hops: bool = False
    """Whether what happens inside one await of ours is counted as well."""
    hops_at: str = ""
    """Where it is counted anyway: places that begin like this."""
    is_armed: bool = False
    _passed: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def arm(self) -> None:
        """Count from now on: what comes before only sets the scene."""
        self.is_armed = True

    def disarm(self) -> None:
        """Count no longer."""
        self.is_armed = False

    def touch(self, kind: str, place: str) -> None:
        """Pass a point; does not return from the fatal one."""
        if not self.is_armed or (kind in HOPS and not self._sees_hops_at(place)):
            return
        with self._lock:
            name = f"{kind} {place}"
            self._passed[name] += 1
            point = f"{name} #{self._passed[name]}"
            if not self.fatal:
                self.notebook.note("point", point)
            elif self.fatal in {point, f"@{self._passed.total()}"}:
                self.notebook.note("died", point)
                die()

    def _sees_hops_at(self, place: str) -> bool:
        return self.sees_hops or (bool(self.hops_at) and place.startswith(self.hops_at))


class Notebook:
    """A file that a process writes its promises to, each with one call, so that all survive it."""

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptor = os.open(path, flags, 0o600)

    def note(self, *words: str) -> None:
        """Write one line."""
        os.write(self._descriptor, ("\t".join(words) + "\n").encode())


def die() -> NoReturn:
    """End this process as a power switch would: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def is_ours(file_name: str) -> bool:
    """Tell whether code of this file is the ledger's or the sync's own."""
    return file_name.startswith(OURS) and not file_name.startswith(PRACTICE)


def place_of(frame: FrameType) -> str:
    """Return where a frame is, in words that are the same in the next process."""
    name = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
    return f"{name}:{frame.f_code.co_name}:{frame.f_lineno}"


def nearest_of_ours(frame: FrameType | None) -> FrameType | None:
    """Return the innermost of our own frames around this one."""
    while frame is not None and not is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
