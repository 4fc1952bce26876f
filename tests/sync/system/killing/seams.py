"""Sees every commit, and everything that is done to files of keys, registers and checkpoints."""

import io
import os
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

from tests.sync.system.killing.tripwire import Tripwire, nearest_of_ours, place_of

FILE_CALLS = ("fsync", "replace", "rename", "unlink", "remove", "link", "truncate", "chmod")
"""What changes what another process finds on the disk, besides opening and writing."""
SWEEPS = ("PRAGMA WAL_CHECKPOINT", "VACUUM")
"""Statements that change files beside any commit."""


def watch(tripwire: Tripwire) -> None:
    """Count commits and acts on files in this process from now on."""
    _watch_commits(tripwire)
    _watch_sweeps(tripwire)
    for name in FILE_CALLS:
        setattr(os, name, _around(tripwire, name, getattr(os, name)))
    os.open = _around(tripwire, "open", os.open, is_meant=_opens_to_write_by_flags)
    io.open = _around(tripwire, "open", io.open, is_meant=_opens_to_write_by_mode)


def _watch_commits(tripwire: Tripwire) -> None:
    plain: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        place = _place()
        tripwire.touch("before-commit", place)
        plain(dialect, connection)
        tripwire.touch("after-commit", place)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]


def _watch_sweeps(tripwire: Tripwire) -> None:
    def touch(kind: str, statement: str) -> None:
        if statement.lstrip().upper().startswith(SWEEPS):
            tripwire.touch(kind, _place())

    def before(*values: Any) -> None:
        touch("before-sweep", values[2])

    def after(*values: Any) -> None:
        touch("after-sweep", values[2])

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)


def _around(
    tripwire: Tripwire,
    name: str,
    plain: Callable[..., Any],
    *,
    is_meant: Callable[..., bool] = lambda *_, **__: True,
) -> Callable[..., Any]:
    @wraps(plain)
    def call(*values: Any, **named: Any) -> Any:
        frame = nearest_of_ours(sys._getframe(1))
        if frame is None or not is_meant(*values, **named):
            return plain(*values, **named)
        place = place_of(frame)
        tripwire.touch(f"before-{name}", place)
        answer = plain(*values, **named)
        tripwire.touch(f"after-{name}", place)
        return answer

    return call


def _opens_to_write_by_flags(_path: object, flags: int, *_: object, **__: object) -> bool:
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _opens_to_write_by_mode(_path: object, mode: str = "r", *_: object, **__: object) -> bool:
    return not mode.startswith("r") or "+" in mode


def _place() -> str:
    frame = nearest_of_ours(sys._getframe(1))
    thread = threading.current_thread().name.rpartition("_")[0]
    place = "elsewhere" if frame is None else place_of(frame)
    return f"{place} ({thread})" if thread.startswith("write ") else place
