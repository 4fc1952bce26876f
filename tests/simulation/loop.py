"""A seeded event loop with virtual time: no sockets, no threads, the same run for the same seed.

Time stands still while anything is ready and then jumps to the next timer. What is ready runs in an
order drawn from the seed where asyncio promises none: between tasks. Every callback belongs to the
process in whose context it was made, so that a process can be killed at any suspension (nothing
of it ever runs again, no `finally` either) or stopped and continued as SIGSTOP does.
"""

import asyncio
import heapq
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import Any

DOINGS = ("between a commit and its answer", "before a commit", "with a call under way")
"""What a process may be in the middle of, the most delicate first."""
PERTURBED = 0.15
"""How often what is ready runs in another order than it came."""
ROUNDS_MAX = 20_000
"""How many rounds may pass while time stands still: more is work that turns round itself."""


class StuckError(Exception):
    """Nothing is ready and nothing ever will be, or what is ready never lets time pass."""


@dataclass(eq=False)
class Process:
    """One life of one host: what is killed and stopped as a whole."""

    name: str
    steps: int = 0
    """How many callbacks it ran."""
    is_dead: bool = False
    was_killed: bool = False
    is_stopped: bool = False
    waiting: list[asyncio.Handle] = field(default_factory=list, repr=False)
    """What came due while it was stopped."""
    tasks: list[asyncio.Task[Any]] = field(default_factory=list, repr=False)
    """Kept, for a task that is dropped would run its `finally`."""
    at_step: dict[int, Callable[[], None]] = field(default_factory=dict, repr=False)
    """What happens to it from outside before it takes this step."""
    doing: Counter[str] = field(default_factory=Counter, repr=False)
    """What it is in the middle of now."""
    died_in: str = ""
    """What it was in the middle of when it was killed."""
    _watched: tuple[str, int] = ("", 0)

    def kill(self) -> None:
        """Let nothing of it ever run again, whatever it was doing."""
        if not self.is_dead:
            self.was_killed = True
            self.died_in = next((each for each in DOINGS if self.doing[each]), "at another await")
        self.end()

    def end(self) -> None:
        """Let nothing of it ever run again, now that it is done."""
        self.is_dead = True
        self.waiting.clear()

    def kill_after(self, steps: int) -> None:
        """Kill it before the step that follows so many more."""
        self.at_step[self.steps + steps] = self.kill

    def watch(self, moment: str, *, steps: int) -> None:
        """Kill it so many steps after it next comes to this moment."""
        self._watched = (moment, steps)

    def come_to(self, moment: str) -> None:
        """Note that it has come to a moment at which it may have to die."""
        watched, steps = self._watched
        if watched == moment:
            self._watched = ("", 0)
            self.kill_after(steps)


RUNNING: ContextVar[Process | None] = ContextVar("RUNNING", default=None)


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose clock is a number."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _timer_cancelled_count: int

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self._now = 0.0
        self._rng = rng
        self.iterations = 0
        self._rounds = 0
        self.faults: list[str] = []
        self.outside = Context()
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Return the virtual seconds since the beginning."""
        return self._now

    def start(self, process: Process, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin work that belongs to a process, and everything it begins in turn."""
        context = Context()
        context.run(RUNNING.set, process)
        return self.create_task(work, context=context)

    def resume(self, process: Process) -> None:
        """Continue a process that was stopped; what came due meanwhile runs now."""
        process.is_stopped = False
        self._ready.extend(process.waiting)
        process.waiting.clear()

    def _make_task(
        self, _loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=self, context=context)
        place = context or None
        process = place.get(RUNNING) if place is not None else RUNNING.get()
        if process is not None:
            process.tasks.append(task)
        return task

    def create_task(  # type: ignore[override]  # the base is typed by its factory
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """Return a task that is kept as long as its process."""
        task = self._make_task(self, coro, context)
        if name is not None:
            task.set_name(name)
        return task

    def _note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.faults.append(f"{context.get('message')}: {error!r}")

    def _run_once(self) -> None:
        self._gather()
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            message = f"time stands still for {ROUNDS_MAX} rounds at {self._now:.1f}"
            raise StuckError(message)
        handles = list(self._ready)
        self._ready.clear()
        self.iterations += 1
        if len(handles) > 1 and self._rng.random() < PERTURBED:
            handles = self._shuffled(handles)
        for handle in handles:
            self._run(handle)

    def _shuffled(self, handles: list[asyncio.Handle]) -> list[asyncio.Handle]:
        """Return the steps of tasks in another order; plain callbacks keep their places."""
        places = [index for index, handle in enumerate(handles) if _is_step(handle)]
        mixed = places[:]
        self._rng.shuffle(mixed)
        ordered = handles[:]
        for place, source in zip(places, mixed, strict=True):
            ordered[place] = handles[source]
        return ordered

    def _gather(self) -> None:
        while not self._ready:
            if not self._scheduled:
                message = "nothing is ready and no timer runs"
                raise StuckError(message)
            if self._scheduled[0].when() > self._now:
                self._now, self._rounds = self._scheduled[0].when(), 0
            self._take_due()

    def _take_due(self) -> None:
        while self._scheduled and self._scheduled[0].when() <= self._now:
            handle: Any = heapq.heappop(self._scheduled)
            handle._scheduled = False
            if handle._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._ready.append(handle)

    def _run(self, handle: asyncio.Handle) -> None:
        if handle._cancelled:
            return
        process = _context_of(handle).get(RUNNING)
        if process is not None:
            event = process.at_step.pop(process.steps, None)
            if event is not None:
                event()
            if process.is_dead:
                return
            if process.is_stopped:
                process.waiting.append(handle)
                return
            process.steps += 1
        handle._run()

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        self._timer_cancelled_count += 1


def _context_of(handle: Any) -> Context:
    context: Context = handle._context
    return context


def _is_step(handle: Any) -> bool:
    return isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)
