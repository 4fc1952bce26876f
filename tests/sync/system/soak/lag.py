"""How late an event loop is, and what its thread was at while it was late."""

import asyncio
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

BEAT_SECONDS: Final = 0.01
LATE_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.02
ROOT: Final = str(Path(__file__).parents[4])
OURS: Final = (f"{ROOT}/ledger/", f"{ROOT}/sync/", f"{ROOT}/tests/")
PLACES_MAX: Final = 200


class LoopLag:
    """Beats a hundred times a second and counts by how many milliseconds each beat was late.

    A beat that is late by much stands for all those that could not come meanwhile.
    """

    def __init__(self) -> None:
        self.milliseconds: Counter[int] = Counter()
        self.busy: Counter[int] = Counter()
        """Milliseconds of computing of the loop's own thread between two beats.

        Unlike the lag it does not count who else uses the machine, or the interpreter.
        """
        self.places: Counter[str] = Counter()
        self._beaten_at = time.monotonic()
        self._loop_thread = threading.get_ident()
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._look, name="lag", daemon=True)

    async def beat(self) -> None:
        """Beat until cancelled."""
        self._watch.start()
        try:
            while True:
                due, spent = time.monotonic() + BEAT_SECONDS, time.thread_time()
                await asyncio.sleep(BEAT_SECONDS)
                self._beaten_at = time.monotonic()
                self.busy[int((time.thread_time() - spent) * 1000)] += 1
                self._count(max(0.0, self._beaten_at - due))
        finally:
            self._is_over.set()

    def take(self) -> dict[str, dict[int, int]]:
        """Return what was counted since the last time."""
        taken = {"lag": dict(self.milliseconds), "busy": dict(self.busy)}
        self.milliseconds.clear()
        self.busy.clear()
        return taken

    def _count(self, late: float) -> None:
        while late >= 0:
            self.milliseconds[int(late * 1000)] += 1
            late -= BEAT_SECONDS

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            if time.monotonic() - self._beaten_at > LATE_SECONDS + BEAT_SECONDS:
                frame = sys._current_frames().get(self._loop_thread)
                if frame is not None and len(self.places) < PLACES_MAX:
                    self.places[_place(frame)] += 1


def percentile(milliseconds: Counter[int], share: float) -> int:
    """Return below how many milliseconds this share of all beats was late."""
    wanted, seen = milliseconds.total() * share, 0
    for late in sorted(milliseconds):
        seen += milliseconds[late]
        if seen >= wanted:
            return late + 1
    return 0


def _place(frame: FrameType) -> str:
    """Return the innermost function, and the innermost of ours."""
    inner, ours = _name(frame), "the loop"
    found: FrameType | None = frame
    while found is not None:
        if found.f_code.co_filename.startswith(OURS):
            ours = _name(found)
            break
        found = found.f_back
    return ours if ours == inner else f"{ours} in {inner}"


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
