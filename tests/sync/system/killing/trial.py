"""One death: a copy of the template, a process killed at a point, another one that goes on."""

import gc
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.simulator import Simulator
from tests.sync.system.killing import seams
from tests.sync.system.killing.forgotten import Secret, erasure_faults
from tests.sync.system.killing.homes import Home
from tests.sync.system.killing.outside import NOTHING, Sight, log_faults, look
from tests.sync.system.killing.phase import Phase
from tests.sync.system.killing.phases import finish_graduation, nothing
from tests.sync.system.killing.remains import Remains
from tests.sync.system.killing.remote import answer_all
from tests.sync.system.killing.stage import (
    OPENER,
    TEMPLATE,
    Act,
    Life,
    Role,
    live,
)
from tests.sync.system.killing.tripwire import Notebook, Tripwire
from tests.sync.system.killing.verdicts import Aftermath, losses

KILLED = 9


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one point."""

    point: str
    was_reached: bool
    losses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A phase on a database: everything that is ready before anybody dies."""

    phase: Phase
    home: Home
    simulator: Simulator
    """Forked with each trial, so that each finds it as the preparation left it."""
    sees_hops: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What a process passes that nobody kills, and what is there in the end."""

    points: tuple[str, ...]
    end: Sight


def prepare(phase: Phase, home: Home, *, sees_hops: bool = False) -> Scene:
    """Make the template of a phase."""
    scene = Scene(phase, home, Simulator(), sees_hops)
    if not phase.is_empty_before:
        status, notes = _run(phase.prepare, TEMPLATE, scene, home)
        assert status == 0, notes
        home.settle_down()
    if phase.preparer is not None:
        status, notes = _run(nothing, phase.preparer, scene, home)
        assert status == 0, notes
        home.settle_down()
    return scene


def warm_up(home: Home) -> None:
    """Let this process live a life once: what that leaves prepared its children inherit."""
    ours, theirs = socket.socketpair()
    file = home.folder / "warm.notes"
    remote = os.fork()
    if remote == 0:
        theirs.close()
        answer_all(ours, Simulator())
        os._exit(0)
    ours.close()
    with theirs:
        life = Life(TEMPLATE, home.settings, theirs, Notebook(str(file)), tripwire=None)
        assert live(finish_graduation, life) == 0, file.read_text()
    os.waitpid(remote, 0)
    gc.collect()


def record(scene: Scene) -> Recording:
    """List every point of a phase, and look at how it ends; call it in a process of its own."""
    home = scene.home.copy()
    try:
        status, notes = _run(scene.phase.act, scene.phase.victim, scene, home, fatal="")
        assert status == 0, notes
        points = tuple(note[1] for note in notes if note[0] == "point")
        aftermath = _go_on(scene, home, [note for note in notes if note[0] != "point"])
        found = losses(aftermath, told=scene.phase.told, reference=None)
        assert not found, found
        return Recording(points, aftermath.after)
    finally:
        home.remove()


def attempt(scene: Scene, point: str, *, reference: Sight) -> Trial:
    """Kill at a point, go on, and tell what was lost; call it in a process of its own."""
    home = scene.home.copy()
    try:
        status, notes = _run(scene.phase.act, scene.phase.victim, scene, home, fatal=point)
        if status != KILLED:
            faults = () if status == 0 else (f"ended with {status}: {notes[-1]}",)
            return Trial(point, was_reached=False, losses=faults)
        aftermath = _go_on(scene, home, notes)
        found = losses(aftermath, told=scene.phase.told, reference=reference)
        return Trial(point, was_reached=True, losses=tuple(found))
    finally:
        home.remove()


def _go_on(scene: Scene, home: Home, promised: Sequence[Sequence[str]]) -> Aftermath:
    home.settle_down()
    before = look(home) if home.is_made() else NOTHING
    found = Remains(scene.home, home, before, promised)
    faults = [*log_faults(before), *scene.phase.left(found)]
    if scene.phase.erases:
        faults += _reopen(scene, home)
    if not home.is_made():
        faults += _opening_faults(scene, home)
    if scene.phase.is_replaced:
        before = NOTHING
    status, said = _run(scene.phase.finish, scene.phase.survivor, scene, home)
    assert status == 0, said
    home.settle_down()
    after = look(home)
    faults += scene.phase.ended(Remains(scene.home, home, after, promised))
    unsent = scene.phase.unsent
    return Aftermath(before, after, promised, said, scene.simulator, tuple(faults), unsent)


def _opening_faults(scene: Scene, home: Home) -> Iterator[str]:
    """Let somebody open what is no ledger: that has to be said, and what to do."""
    status, said = _run(nothing, OPENER, scene, home)
    told = said[-1][1] if said else ""
    message = told.rpartition("MigrationNeededError: ")[2]
    way_out, detour = ("restore", "init") if scene.phase.is_replaced else ("init", "restore")
    if status == 0 or message == told or way_out not in message or detour in message:
        yield f"G9: opening what is no ledger ended with {status}: {told}"
    home.settle_down()


def _reopen(scene: Scene, home: Home) -> Iterator[str]:
    """Let somebody open the ledger and do no more, then look what became of an erasure."""
    status, said = _run(nothing, OPENER, scene, home)
    assert status == 0, said
    home.settle_down()
    yield from erasure_faults(home, Secret.of(scene.home))


def _run(
    act: Act, role: Role, scene: Scene, home: Home, *, fatal: str | None = None
) -> tuple[int, list[list[str]]]:
    """Let a child do this while its practice DokStamp answers; return its end and its notes."""
    ours, theirs = socket.socketpair()
    file = home.folder.parent / f"{home.folder.name}-{role.number}.notes"
    child = os.fork()
    if child == 0:
        ours.close()
        os._exit(_be_child(act, role, scene, home, channel=theirs, file=file, fatal=fatal))
    theirs.close()
    with ours:
        answer_all(ours, scene.simulator)
    _, status = os.waitpid(child, 0)
    notes = [line.split("\t") for line in file.read_text().splitlines()]
    file.unlink()
    code = os.waitstatus_to_exitcode(status)
    return (KILLED if code == -KILLED else code), notes


def _be_child(
    act: Act,
    role: Role,
    scene: Scene,
    home: Home,
    *,
    channel: socket.socket,
    file: Path,
    fatal: str | None,
) -> int:
    notebook = Notebook(str(file))
    tripwire = None if fatal is None else Tripwire(notebook, fatal, sees_hops=scene.sees_hops)
    if tripwire is not None:
        seams.watch(tripwire)
    return live(act, Life(role, home.settings, channel, notebook, tripwire))
