"""`scripts/simulate`: seeds, what befell them, and the first thing that did not hold."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from tests.simulation.faults import draw
from tests.simulation.place import template
from tests.simulation.run import simulate
from tests.simulation.trace import tell

SEEDS_PER_PROCESS = 50
"""What was killed is kept in memory, so a process ends after so many."""


@dataclass(slots=True)
class Total:
    """What many seeds came to."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    events: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    hosts: Counter[int] = field(default_factory=Counter)
    """Seeds by how many hosts they have."""
    stopped: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    remarked: list[int] = field(default_factory=list)

    def add(self, report: dict[str, Any]) -> None:
        """Count one seed."""
        self.seeds += 1
        self.virtual_seconds += report["virtual_seconds"]
        self.events += report["events"]
        self.calls += report["calls"]
        self.faults.update(report["faults"])
        self.hosts[report["hosts"]] += 1
        self.stopped.update(report["stopped"])
        if report["violations"]:
            self.failed.append(report["seed"])
        if report["remarks"]:
            self.remarked.append(report["seed"])

    def as_json(self, seconds: float) -> dict[str, Any]:
        """Return the totals as they are printed."""
        return {
            "seeds": self.seeds,
            "failed": self.failed,
            "remarked": self.remarked,
            "virtual_hours": round(self.virtual_seconds / 3600, 1),
            "events": self.events,
            "calls": self.calls,
            "hosts": {str(count): self.hosts[count] for count in sorted(self.hosts)},
            "faults": dict(sorted(self.faults.items())),
            "stopped": dict(sorted(self.stopped.items())),
            "seconds": round(seconds, 1),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds; returns 1 where anything did not hold."""
    chosen = _parser().parse_args(arguments)
    began, total = time.monotonic(), Total()
    reports = _many(chosen) if chosen.jobs > 1 and not chosen.trace else _one_by_one(chosen)
    for report in reports:
        total.add(report)
        if chosen.lines:
            _say(json.dumps(report))
        elif report["violations"]:
            sys.stderr.write(f"{_failure(report, hosts=chosen.hosts)}\n")
            sys.stderr.flush()
    totals = total.as_json(time.monotonic() - began)
    if not chosen.lines:
        _say(json.dumps(totals) if chosen.json else _summary(totals))
    return 1 if total.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    parser.add_argument("--hosts", type=int, help="this many hosts, whatever the seed says")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes share the seeds")
    parser.add_argument("--json", action="store_true", help="print the totals as one object")
    parser.add_argument("--lines", action="store_true", help="print every seed as one object")
    parser.add_argument("--trace", action="store_true", help="tell everything that happened")
    return parser


def _one_by_one(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        report = simulate(draw(seed, hosts=chosen.hosts), traces=chosen.trace)
        if chosen.trace:
            for line in tell(report):
                _say(line)
        yield report.as_json()


def _many(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run the seeds in processes that share them, and give the reports in the seeds' order."""
    template()
    seeds = [(seed, chosen.hosts) for seed in range(chosen.first, chosen.first + chosen.seeds)]
    # Forked: hash seed, imports and the empty ledger are theirs from the beginning.
    with get_context("fork").Pool(chosen.jobs, maxtasksperchild=SEEDS_PER_PROCESS) as pool:
        yield from pool.imap(_run_one, seeds)


def _run_one(which: tuple[int, int | None]) -> dict[str, Any]:
    seed, hosts = which
    return simulate(draw(seed, hosts=hosts)).as_json()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def replay(seed: int, *, hosts: int | None) -> str:
    """Return the command that runs a seed again and tells all of it."""
    same = "" if hosts is None else f" --hosts {hosts}"
    return f"scripts/simulate --seeds 1 --from {seed}{same} --trace"


def _failure(report: dict[str, Any], *, hosts: int | None) -> str:
    plan = draw(report["seed"], hosts=hosts)
    return "\n".join(
        (
            f"seed {report['seed']} FAILED: {report['violations'][0]}",
            *(f"  also: {each}" for each in report["violations"][1:6]),
            f"  plan: {json.dumps(plan.as_json())}",
            f"  faults: {json.dumps(report['faults'])}",
            f"  again: {replay(report['seed'], hosts=hosts)}",
        )
    )


def _summary(totals: dict[str, Any]) -> str:
    hosts = ", ".join(f"{seeds} with {count}" for count, seeds in totals["hosts"].items())
    return "\n".join(
        (
            f"{totals['seeds']} seeds, {totals['virtual_hours']} virtual hours",
            f"{totals['events']} events, {totals['calls']} calls in {totals['seconds']} s",
            f"hosts: {hosts}",
            "what went wrong:",
            *(f"{count:9,} {kind}" for kind, count in totals["faults"].items()),
            "what waits in the end, for a reason that the truth bears out:",
            *(f"{count:9,} {reason}" for reason, count in totals["stopped"].items()),
            f"beyond the settle window, and listed: {totals['remarked'] or 'none'}",
            f"failed: {totals['failed'] or 'none'}",
        )
    )
