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
from tests.sync.system.killing.campaign import Tally, apart, attempts, cpu_seconds, heat, home_in
from tests.sync.system.killing.command import DATABASES, progress, say, tell
from tests.sync.system.killing.deaths import attempt, prepare, record, warm_up
from tests.sync.system.killing.places import spread_of, twice
from tests.sync.system.killing.scenes import ACTS

SPARE = 4
"""How many points are at hand for each death that is wanted."""


def main(words: Sequence[str] | None = None) -> int:
    """Fight the campaign that the command line asks for; returns the exit code."""
    asked = _asked(words)
    with _folder() as folder:
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
            (folder / database).mkdir()
            heat(server, warm_up)
            for name in asked.act or list(ACTS):
                yield _fight(asked, Tally(database, name), folder, server)
                say("\n")


def _fight(asked: argparse.Namespace, tally: Tally, folder: Path, server: URL | None) -> Tally:
    began = cpu_seconds()
    home = home_in(folder / tally.database, server, tally.phase)
    try:
        scene = prepare(ACTS[tally.phase], home, lanes=asked.lanes, forgets=asked.forgetful)
        reference = apart(lambda: record(scene))
        tally.found = len(reference.points)
        for points, wanted in _draws(asked, tally, reference.points):
            for trial in attempts(
                points,
                lambda point: attempt(scene, point, reference=reference),
                asked.jobs,
                wanted=wanted,
            ):
                tally.count(trial)
                progress(tally)
                if trial.losses:
                    # At once: hours may pass until the table.
                    say("".join(f"\n{loss}" for loss in trial.losses))
                    say(f"\nagain: {_again(tally, trial.point, asked)}\n")
        tally.cpu_seconds = cpu_seconds() - began
        return tally
    finally:
        home.remove()


def _draws(
    asked: argparse.Namespace, tally: Tally, points: Sequence[str]
) -> Iterator[tuple[list[str], int | None]]:
    """Return the points to try, and how many deaths suffice where others are there to spare.

    A second point follows some of the first, in the run that recovers.
    """
    if asked.point:
        yield list(asked.point), None
        return
    # The same places for the same seed, whatever else is fought.
    rng = Random(f"{asked.seed} {tally.database} {tally.phase}")
    meant = [point for point in points if re.search(asked.only, point)]
    if asked.all:
        doubles = len(meant) if asked.doubles is None else asked.doubles
        yield [*meant, *twice(meant, points, doubles, rng=rng)], None
        return
    doubles = asked.spread // 3 if asked.doubles is None else asked.doubles
    firsts = spread_of(meant, SPARE * asked.spread, rng=rng)
    # What waits for the clock may come in another order, and a point may then not be there.
    yield firsts, asked.spread - doubles
    yield twice(firsts, points, SPARE * doubles, rng=rng), doubles


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
        "--spread", type=int, default=20, metavar="N", help="so many deaths in an act, on each"
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
