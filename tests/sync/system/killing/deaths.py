"""The real program killed at one point, or at two one after the other, and what came of it."""

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sync.simulator import Simulator
from tests.sync.system.killing.effects import effect_faults, history_of, order_faults
from tests.sync.system.killing.homes import Home
from tests.sync.system.killing.hosts import STOPPED, run_on
from tests.sync.system.killing.outside import Sight, growth_faults, log_faults, look
from tests.sync.system.killing.places import THEN
from tests.sync.system.killing.practice_server import Remote, serving
from tests.sync.system.killing.program import RECORDING, Ended, import_all, run
from tests.sync.system.killing.program import warm_up as heat
from tests.sync.system.killing.scenes import ACTS, LAST, Act, Scene, write_files
from tests.sync.system.killing.trial import KILLED, Trial
from tests.sync.system.killing.verdicts import contents_faults, remote_faults
from tests.sync.system.truth import Truth

LAG_SECONDS = 0.15
CHECKS = (("rebuild", "--check", "--json"), ("audit", "verify", "--json"))
_REST = ("waiting", "held", "dead", "uncertain")
FORGETTING = (
    "DELETE FROM leases",
    (
        "UPDATE operations SET state = 'ready', possibly_sent = FALSE, not_before_seconds = 0"
        " WHERE state IN ('leased', 'uncertain')"
    ),
)
"""What a program leaves that does not commit, before it sends, what it may have sent."""
History = dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run passes that nobody kills, and what is there in the end."""

    points: tuple[str, ...]
    end: Sight
    history: History
    """What happened in DokStamp to each record."""


def prepare(act: Act, home: Home, *, lanes: int = 1, forgets: bool = False) -> Scene:
    """Make the template of an act, with the program itself."""
    write_files(home.folder)
    scene = Scene(act, home, Simulator(), lanes, forgets)
    with serving(scene.simulator) as remote:
        for words in act.before:
            _finish(scene, home, remote, words)
        home.settle_down()
        simulator = remote.truth()
    # What was made shows in no list at first, yet in time for who waits the settle window out.
    simulator.set_search_lag(LAG_SECONDS)
    return replace(scene, simulator=simulator)


def warm_up(home: Home) -> None:
    """Let this process go through an act once, so that its children find everything prepared."""
    import_all()
    scene = prepare(ACTS["make"], home)
    with serving(scene.simulator) as remote:
        for words in (LAST, *CHECKS):
            heat(scene.command(words, home, remote.url))
    gc.collect()
    # What every child finds as it is need not be looked at by its collector.
    gc.freeze()


def record(scene: Scene, before: Sequence[str] = ()) -> Undisturbed:
    """List every point of an act, or of the run that follows some deaths."""
    home = scene.home.copy()
    try:
        with serving(scene.simulator) as remote:
            _move(home)
            lives = [_live(scene, home, remote, fatal) for fatal in before]
            assert all(life.code == -KILLED for life in lives), lives
            recording = _live(scene, home, remote, RECORDING)
            assert recording.code == 0, recording
            found, sight, history = _judge(scene, home, remote, [look(home)])
            assert not found, found
            return Undisturbed(recording.told("point"), sight, history)
    finally:
        home.remove()


def attempt(scene: Scene, point: str, *, reference: Undisturbed) -> Trial:
    """Kill at a point, or at several one after the other, go on, and tell what was lost."""
    home = scene.home.copy()
    try:
        with serving(scene.simulator) as remote:
            _move(home)
            return _attempt(scene, point, home, remote, reference)
    finally:
        home.remove()


def _attempt(scene: Scene, point: str, home: Home, remote: Remote, reference: Undisturbed) -> Trial:
    sights: list[Sight] = [look(home)]
    deaths: list[str] = []
    for fatal in point.split(THEN):
        life = _live(scene, home, remote, fatal)
        if life.code != -KILLED:
            faults = () if life.code == 0 else (f"ended with {life.code}: {life.errors}",)
            return Trial(point, was_reached=False, losses=faults)
        deaths += life.told("died")
        sights.append(look(home))
    found, end, history = _judge(scene, home, remote, sights)
    found += order_faults(history, reference.history)
    if end.operations != reference.end.operations:
        differing = (end.operations - reference.end.operations) + (
            reference.end.operations - end.operations
        )
        found.append(f"G10: operations differ from those of a life without death: {differing}")
    return Trial(THEN.join(deaths), was_reached=True, losses=tuple(found))


def _move(home: Home) -> None:
    """Let the ledger be used with another address: each practice DokStamp listens elsewhere."""
    home.order("UPDATE ledgers SET base_url = NULL, tenant = NULL")


def _live(scene: Scene, home: Home, remote: Remote, fatal: str) -> Ended:
    """Let the program do its act until it dies, and everything it did come to rest."""
    ended = _act(scene, home, remote, fatal)
    remote.settle_down()
    home.settle_down()
    home.outlast()
    if scene.forgets:
        # Who does not know what may have been sent waits for nothing, and so finds nothing.
        remote.hide_the_new()
        for statement in FORGETTING:
            home.order(statement)
    return ended


def _act(scene: Scene, home: Home, remote: Remote, fatal: str | None) -> Ended:
    command = scene.command(scene.act.words, home, remote.url)
    if not scene.act.is_endless:
        return run(command, fatal=fatal)
    folder = home.folder / "beside"
    folder.mkdir(exist_ok=True)
    tellings = [scene.command(words, home, remote.url) for words in scene.act.beside]
    beside = [replace(telling, folder=folder) for telling in tellings]
    ended = run_on(command, home, beside=beside, fatal=fatal)
    # To be stopped is how it comes to its end.
    return replace(ended, code=0) if ended.code == STOPPED else ended


def _finish(scene: Scene, home: Home, remote: Remote, words: Sequence[str]) -> Ended:
    ended = run(scene.command(words, home, remote.url))
    assert ended.code == 0, (words, ended)
    return ended


def _judge(
    scene: Scene, home: Home, remote: Remote, sights: list[Sight]
) -> tuple[list[str], Sight, History]:
    """Go on until all is at rest, and look at the log, the tables, and DokStamp's own truth."""
    if scene.act.words != LAST:
        restarted = _act(scene, home, remote, None)
        assert restarted.code == 0, restarted
        home.settle_down()
        home.outlast()
    report = json.loads(_finish(scene, home, remote, LAST).output)
    found = [f"{report[name]} {name}" for name in _REST if report[name]]
    found += _audited(scene, home, remote)
    home.settle_down()
    after, simulator = look(home), remote.truth()
    for before, later in zip(sights, [*sights[1:], after], strict=True):
        found += [*log_faults(before), *growth_faults(before, later)]
    found += [*log_faults(after), *contents_faults(after, scene.act.told)]
    found += remote_faults(simulator, after, scene.act.standing)
    found += effect_faults(simulator, after)
    truth = Truth(simulator, scene.act.standing)
    truth.differences()
    return found, after, history_of(simulator, truth.uuids)


def _audited(scene: Scene, home: Home, remote: Remote) -> Iterator[str]:
    for words in CHECKS:
        ended = run(scene.command(words, home, remote.url))
        if ended.code:
            yield f"{' '.join(words)} ends with {ended.code}: {ended.output} {ended.errors}"
