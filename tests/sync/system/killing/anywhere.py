"""The command line of `scripts/kill_anywhere`: where the program is killed, and what came of it."""

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import URL

from tests.postgresql import running_server
from tests.sync.system.killing.campaign import Tally, apart, attempts, cpu_seconds, home_in
from tests.sync.system.killing.command import DATABASES, progress, say, tell
from tests.sync.system.killing.deaths import attempt, prepare, record, warm_up
from tests.sync.system.killing.homes import FolderHome
from tests.sync.system.killing.places import spread_of, twice
from tests.sync.system.killing.scenes import ACTS


def main(words: Sequence[str] | None = None) -> int:
    """Fight the campaign that the command line asks for; returns the exit code."""
    asked = _asked(words)
    with _folder() as folder:
        (folder / "warm").mkdir()
        warm_up(FolderHome(folder / "warm"))
        tallies = list(_fights(asked, folder))
    tell(tallies, is_json=asked.json)
    return int(any(tally.losses for tally in tallies))


def _again(tally: Tally, point: str, asked: argparse.Namespace) -> str:
    """Return the command that tries one point once more."""
    options = f"--database {tally.database} --act {tally.phase} --lanes {asked.lanes}"
    return f"scripts/kill_anywhere {options} --point '{point}'"


def _fights(asked: argparse.Namespace, folder: Path) -> Iterator[Tally]:
    wanted = DATABASES if asked.database == "both" else (asked.database,)
    with ExitStack() as stack:
        for database in wanted:
            server: URL | None = None
            if database == "postgresql":
                server = stack.enter_context(running_server())
            for name in asked.act or list(ACTS):
                yield _fight(asked, Tally(database, name), folder, server)
                say("\n")


def _fight(asked: argparse.Namespace, tally: Tally, folder: Path, server: URL | None) -> Tally:
    began = cpu_seconds()
    place = folder / tally.database
    place.mkdir(exist_ok=True)
    home = home_in(place, server, tally.phase)
    try:
        scene = prepare(ACTS[tally.phase], home, lanes=asked.lanes, forgets=asked.forgetful)
        reference = apart(lambda: record(scene))
        tally.found = len(reference.points)
        chosen = _chosen(asked, tally, reference.points)
        for trial in attempts(
            chosen, lambda point: attempt(scene, point, reference=reference), asked.jobs
        ):
            tally.count(trial)
            progress(tally)
            if trial.losses:
                say(f"\nagain: {_again(tally, trial.point, asked)}\n")
        tally.cpu_seconds = cpu_seconds() - began
        return tally
    finally:
        home.remove()


def _chosen(asked: argparse.Namespace, tally: Tally, points: Sequence[str]) -> list[str]:
    """Return the points to try; a second one follows some, in the run that recovers."""
    if asked.point:
        return list(asked.point)
    # The same places for the same seed, whatever else is fought.
    rng = Random(f"{asked.seed} {tally.database} {tally.phase}")
    meant = [point for point in points if re.search(asked.only, point)]
    doubles = asked.doubles
    if asked.all:
        firsts = meant
        doubles = len(meant) if doubles is None else doubles
    else:
        firsts = spread_of(meant, asked.spread, rng=rng)
        doubles = len(firsts) // 3 if doubles is None else doubles
    pairs = twice(firsts, points, doubles, rng=rng)
    if asked.all:
        return [*firsts, *pairs]
    return [*firsts[: max(0, asked.spread - len(pairs))], *pairs]


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kill-anywhere-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/kill_anywhere", description=__doc__)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument(
        "--act", choices=list(ACTS), action="append", help="which command is killed"
    )
    parser.add_argument(
        "--spread", type=int, default=20, metavar="N", help="so many points of an act, on each"
    )
    parser.add_argument("--all", action="store_true", help="every point, and a pair for each")
    parser.add_argument(
        "--doubles", type=int, metavar="N", help="so many deaths during recovery (a third)"
    )
    parser.add_argument("--only", default="", metavar="PATTERN", help="points named like this")
    parser.add_argument("--point", action="append", metavar="NAME", help="this one, and no other")
    parser.add_argument("--seed", default="1", help="which points, where not all are tried")
    parser.add_argument("--lanes", type=int, default=1, metavar="N", help="conversations at once")
    parser.add_argument(
        "--forgetful", action="store_true", help="a broken program, to see that it is found out"
    )
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N")
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    return parser.parse_args(words)
