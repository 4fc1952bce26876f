"""The command line of `scripts/kill_points`: which points, and what came of them."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict

from sqlalchemy import URL

from tests.postgresql import running_server
from tests.sync.system.killing.campaign import Plan, Tally, fight, heat
from tests.sync.system.killing.phases import PHASES

DATABASES = ("sqlite", "postgresql")
_HEAD = ("phase", "database", "points found", "killed", "not reached", "losses")


def main(words: Sequence[str] | None = None) -> int:
    """Fight the campaign that the command line asks for; returns the exit code."""
    asked = _asked(words)
    plan = Plan(
        every=asked.every,
        points_max=asked.points,
        only=asked.only,
        jobs=asked.jobs,
        sees_hops=asked.hops,
    )
    tallies = list(_fights(asked.database, asked.phase or list(PHASES), plan))
    tell(tallies, is_json=asked.json)
    return int(any(tally.losses or tally.missed for tally in tallies))


def tell(tallies: Sequence[Tally], *, is_json: bool) -> None:
    """Print the figures, and what was lost."""
    if is_json:
        sys.stdout.write(json.dumps({"phases": [asdict(tally) for tally in tallies]}) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(tallies))
        say(f"{sum(tally.cpu_seconds for tally in tallies):.0f} seconds of processor time\n")
    for tally in tallies:
        for point, losses in tally.losses.items():
            for loss in losses:
                say(f"{tally.database} {tally.phase}: {point}: {loss}\n")
        for point in tally.missed:
            say(f"{tally.database} {tally.phase}: not reached: {point}\n")


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    """Return the figures as rows of Markdown."""
    yield f"| {' | '.join(_HEAD)} |"
    yield "|---|---|---:|---:|---:|---:|"
    for tally in tallies:
        figures = (tally.found, tally.killed, len(tally.missed), len(tally.losses))
        cells = (tally.phase, tally.database, *(f"{figure:,}" for figure in figures))
        yield f"| {' | '.join(cells)} |"


def _fights(database: str, phases: Sequence[str], plan: Plan) -> Iterator[Tally]:
    wanted = DATABASES if database == "both" else (database,)
    with ExitStack() as stack:
        for name in wanted:
            server: URL | None = None
            if name == "postgresql":
                server = stack.enter_context(running_server())
            heat(server)
            for phase in phases:
                yield fight(phase, server, plan, progress)
                say("\n")


def progress(tally: Tally) -> None:
    """Say how far a phase is, on the line where it was said before."""
    say(
        f"\r{tally.database} {tally.phase}: {tally.tried} tried of {tally.found} found, "
        f"{tally.killed} killed, {len(tally.losses)} losses"
    )


def say(text: str) -> None:
    """Say something beside the figures."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/kill_points", description=__doc__)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--phase", choices=list(PHASES), action="append")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one point of so many")
    parser.add_argument(
        "--points", type=int, default=0, metavar="N", help="no more than so many of a phase"
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="points whose names hold these")
    parser.add_argument("--hops", action="store_true", help="the driver's comings and goings too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    return parser.parse_args(words)
