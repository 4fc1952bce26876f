"""The command line of `scripts/hosts`: which trials, how often, and what came of them."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger.testing import SERVED
from tests.postgresql import Cluster, running_server
from tests.sync.system.fleet import trials
from tests.sync.system.fleet.hosts import Fleet, Pattern, fleet_in
from tests.sync.system.fleet.trials import Finding

Trial = Callable[[Fleet], Awaitable[Finding]]
GROWING = (1, 2, 4)
PROJECTIONS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """One trial on a ledger of its own."""

    name: str
    trial: Trial
    pattern: Pattern


def main(words: Sequence[str] | None = None) -> int:
    """Hold the trials that the command line asks for; returns the exit code."""
    asked = _asked(words)
    rounds = [each for each in _rounds(asked) if asked.only in each.name]
    found: list[tuple[str, Finding]] = []
    with running_server() as address:
        cluster = Cluster(address)
        for each in rounds:
            _say(f"{each.name} ...\n")
            finding = _hold(each, cluster)
            found.append((each.name, finding))
            _say(f"  {finding.figures}, {len(finding.faults)} faults\n")
        cluster.close()
    if asked.json:
        rows = [{"trial": name, **one.figures, "faults": one.faults} for name, one in found]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(found))
    for name, one in found:
        for fault in one.faults:
            _say(f"{name}: {fault}\n")
    return int(any(one.faults for _, one in found))


def table(found: Sequence[tuple[str, Finding]]) -> Iterator[str]:
    """Return the figures as rows of Markdown."""
    yield "| trial | figures | faults |"
    yield "|---|---|---:|"
    for name, one in found:
        figures = ", ".join(f"{what} {value:.4g}" for what, value in one.figures.items())
        yield f"| {name} | {figures} | {len(one.faults)} |"
    rates = {one.figures["hosts"]: one.figures["operations a second"] for one in _grown(found)}
    if 1 in rates:
        ratios = ", ".join(f"{hosts:g}: {rate / rates[1]:.2f}" for hosts, rate in rates.items())
        yield f"| throughput against one host | {ratios} | |"


def _grown(found: Sequence[tuple[str, Finding]]) -> list[Finding]:
    return [one for _, one in found if "operations a second" in one.figures]


def _rounds(asked: argparse.Namespace) -> Iterator[Round]:
    usual, students = Pattern(), asked.students
    for hosts in (2, 3, 4):
        yield Round(
            f"share among {hosts}", partial(trials.share, hosts=hosts, students=students), usual
        )
    for number in range(1, asked.rounds + 1):
        strikes: Mapping[str, Trial] = {
            "stop beyond the lease": partial(trials.stop_beyond_lease, students=students),
            "kill": partial(trials.kill, students=students),
        }
        for name, trial in strikes.items():
            yield Round(f"{name}, round {number}", trial, usual)
    for word, blow in (("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)):
        projecting = partial(trials.replace_projector, rounds=PROJECTIONS, number=blow)
        yield Round(f"{word} a projector", projecting, usual)
    for hosts in GROWING:
        grow = partial(trials.grow, hosts=hosts, students=asked.growth)
        yield Round(f"throughput of {hosts}", grow, usual)


def _hold(each: Round, cluster: Cluster) -> Finding:
    with tempfile.TemporaryDirectory() as name, cluster.lent() as address:
        folder = Path(name)
        (folder / SERVED).write_text(address.render_as_string(hide_password=False))
        return asyncio.run(_in(folder, each))


async def _in(folder: Path, each: Round) -> Finding:
    async with fleet_in(folder, each.pattern) as fleet:
        try:
            return await each.trial(fleet)
        except AssertionError as error:
            # What did not come to hold is a fault of this trial, and the others go on.
            return Finding(faults=[f"it ended early: {error}"])


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/hosts", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="trials named so")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="strikes of each kind")
    parser.add_argument("--students", type=int, default=30, metavar="N", help="in most trials")
    parser.add_argument(
        "--growth", type=int, default=200, metavar="N", help="students where throughput is measured"
    )
    parser.add_argument("--json", action="store_true", help="one list instead of a table")
    return parser.parse_args(words)
