"""Every point of a phase, several deaths at a time, each in a process of its own."""

import gc
import os
import pickle
import shutil
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL

from tests.sync.system.killing.homes import FolderHome, Home, ServerHome
from tests.sync.system.killing.phases import PHASES
from tests.sync.system.killing.trial import Trial, attempt, prepare, record, warm_up

T = TypeVar("T")
TRIES_MAX = 5
"""How often a point is looked for that another order of tasks may have moved."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which points are tried."""

    every: int = 1
    """One of so many, and of each kind one at least."""
    points_max: int = 0
    """No more than so many, one of each kind before a second one of any; 0: no limit."""
    only: str = ""
    """Words that the point's name must hold."""
    jobs: int = 1
    sees_hops: bool = False


@dataclass(slots=True)
class Tally:
    """What came of a phase on a database."""

    database: str
    phase: str
    found: int = 0
    tried: int = 0
    killed: int = 0
    retried: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    """What all of it cost here; a server's own part is not in it."""
    missed: list[str] = field(default_factory=list)
    losses: dict[str, list[str]] = field(default_factory=dict)

    def count(self, trial: Trial) -> None:
        """Count what came of one point."""
        self.tried += 1
        self.killed += trial.was_reached
        if not trial.was_reached:
            self.missed.append(trial.point)
        if trial.losses:
            self.losses[trial.point] = list(trial.losses)


Tell = Callable[[Tally], None]


def fight(phase: str, server: URL | None, plan: Plan, tell: Tell) -> Tally:
    """Try the points of a phase on SQLite, or on a PostgreSQL server; `tell` hears of each."""
    tally = Tally("sqlite" if server is None else "postgresql", phase)
    root, begun = Path(tempfile.mkdtemp(prefix="kill-points-")), cpu_seconds()
    home = home_in(root, server, phase)
    try:
        scene = prepare(PHASES[phase], home, sees_hops=plan.sees_hops)
        recording = apart(lambda: record(scene))
        # What every child finds as it is need not be looked at by its collector.
        gc.freeze()
        tally.found = len(recording.points)
        for point in recording.points:
            kind = point.partition(" ")[0]
            tally.kinds[kind] = tally.kinds.get(kind, 0) + 1
        chosen = choose(recording.points, plan)
        reference = recording.end
        for trial in attempts(chosen, lambda p: attempt(scene, p, reference=reference), plan.jobs):
            tally.count(trial)
            tell(tally)
        tally.cpu_seconds = cpu_seconds() - begun
        return tally
    finally:
        home.remove()
        shutil.rmtree(root)


def heat(server: URL | None, life: Callable[[Home], None] = warm_up) -> None:
    """Go through a whole life once in this process, on the database that is fought on next."""
    root = Path(tempfile.mkdtemp(prefix="kill-points-"))
    home = home_in(root, server, "warm")
    try:
        life(home)
        home.settle_down()
    finally:
        home.remove()
        shutil.rmtree(root)


def cpu_seconds() -> float:
    """Return what this process and all that it waited for have cost."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def home_in(root: Path, server: URL | None, phase: str) -> Home:
    """Return a home in a folder or on a server, with nothing in it."""
    name = phase.replace(" ", "_")
    folder = root / name
    folder.mkdir()
    if server is None:
        return FolderHome(folder)
    home = ServerHome(folder, server, f"kill_{name}_{os.getpid()}")
    home.make()
    return home


def choose(points: Sequence[str], plan: Plan) -> list[str]:
    """Return the points to try: all, or a spread in which every kind is there."""
    meant = [point for point in points if plan.only in point]
    if plan.points_max:
        return _of_each_kind(meant)[: plan.points_max]
    first = {point.partition(" ")[0]: point for point in reversed(meant)}
    spread = {*meant[:: plan.every], *first.values()}
    return [point for point in meant if point in spread]


def _of_each_kind(points: Sequence[str]) -> list[str]:
    """Return the points so that each kind comes once, from its middle, before any comes again."""
    kinds: dict[str, list[str]] = {}
    for point in points:
        kinds.setdefault(point.partition(" ")[0], []).append(point)
    groups = sorted(kinds.values(), key=len, reverse=True)
    turned = [group[len(group) // 2 :] + group[: len(group) // 2] for group in groups]
    longest = max(map(len, turned), default=0)
    return [group[turn] for turn in range(longest) for group in turned if turn < len(group)]


def attempts(
    points: Sequence[str],
    attempt_at: Callable[[str], Trial],
    jobs: int,
    *,
    wanted: int | None = None,
) -> Iterator[Trial]:
    """Yield what came of each point, in the order in which they end; each in its own process.

    A point that is not reached is tried again; with a number of deaths that are wanted, the next
    ones are tried instead, until so many have died.
    """
    tries_max = TRIES_MAX if wanted is None else 1
    deaths = 0
    waiting = deque((point, 1) for point in points)
    running: dict[int, tuple[str, int, int]] = {}
    while True:
        room = jobs if wanted is None else min(jobs, wanted - deaths)
        while waiting and len(running) < room:
            point, tries = waiting.popleft()
            child, answer = _fork(partial(_attempted, attempt_at, point))
            running[child] = (point, tries, answer)
        if not running:
            return
        child, _ = os.wait()
        point, tries, answer = running.pop(child)
        trial = _read(answer, point)
        if trial.was_reached or trial.losses or tries == tries_max:
            deaths += trial.was_reached
            yield trial
        else:
            waiting.append((point, tries + 1))


def _attempted(attempt_at: Callable[[str], Trial], point: str) -> Trial:
    try:
        return attempt_at(point)
    except Exception:  # noqa: BLE001 - whatever it is, it is a loss until it is understood
        return Trial(point, was_reached=True, losses=(traceback.format_exc(),))


def _read(answer: int, point: str) -> Trial:
    with os.fdopen(answer, "rb") as pipe:
        content = pipe.read()
    if not content:
        return Trial(point, was_reached=True, losses=("the trial ended without an answer",))
    trial: Trial = pickle.loads(content)
    return trial


def apart(work: Callable[[], T]) -> T:
    """Return what work returns in a process of its own: nothing of this one is changed by it."""
    child, answer = _fork(work)
    with os.fdopen(answer, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    assert content, "what went wrong is told above"
    result: T = pickle.loads(content)
    return result


def _fork(work: Callable[[], object]) -> tuple[int, int]:
    """Start a child for this work; returns it, and where its result can be read."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(work()))
    except BaseException:  # noqa: BLE001 - a child must never come back out of here
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
