"""`scripts/simulate`: seeds, what befell them, and the first thing that did not hold."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.faults import draw
from tests.simulation.run import Report, simulate
from tests.simulation.trace import tell

HASH_SEED = "0"


@dataclass(slots=True)
class Total:
    """What many seeds came to."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    events: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    remarked: list[int] = field(default_factory=list)

    def add(self, report: dict[str, Any]) -> None:
        """Count one seed."""
        self.seeds += 1
        self.virtual_seconds += report["virtual_seconds"]
        self.events += report["events"]
        self.calls += report["calls"]
        self.faults.update(report["faults"])
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
            "faults": dict(sorted(self.faults.items())),
            "seconds": round(seconds, 1),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds; returns 1 where anything did not hold."""
    chosen = _parser().parse_args(arguments)
    began, total = time.monotonic(), Total()
    reports = _many(chosen) if chosen.jobs > 1 else _one_by_one(chosen)
    for report in reports:
        total.add(report)
        if chosen.lines:
            _say(json.dumps(report))
        elif report["violations"]:
            sys.stderr.write(f"{_failure(report)}\n")
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
    """Run the seeds in processes of their own, each with every so manieth part of them."""
    share = -(-chosen.seeds // chosen.jobs)
    running = []
    for first in range(chosen.first, chosen.first + chosen.seeds, share):
        count = min(share, chosen.first + chosen.seeds - first)
        command = [sys.executable, sys.argv[0], "--lines", f"--seeds={count}", f"--from={first}"]
        if chosen.hosts is not None:
            command.append(f"--hosts={chosen.hosts}")
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for process in running:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
        if process.wait() > 1:
            message = f"a share of the seeds ended with {process.returncode}"
            raise RuntimeError(message)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _failure(report: dict[str, Any]) -> str:
    plan = draw(report["seed"])
    return "\n".join(
        (
            f"seed {report['seed']} FAILED: {report['violations'][0]}",
            *(f"  also: {each}" for each in report["violations"][1:6]),
            f"  plan: {json.dumps(plan.as_json())}",
            f"  again: scripts/simulate --seeds 1 --from {report['seed']} --trace",
        )
    )


def _summary(totals: dict[str, Any]) -> str:
    faults = "\n".join(f"  {count:7} {kind}" for kind, count in totals["faults"].items())
    return (
        f"{totals['seeds']} seeds, {totals['virtual_hours']} virtual hours, "
        f"{totals['events']} events, {totals['calls']} calls in {totals['seconds']} s\n"
        f"{faults}\n"
        f"beyond the settle window, and listed: {totals['remarked'] or 'none'}\n"
        f"failed: {totals['failed'] or 'none'}"
    )


def pin_hashes() -> None:
    """Start again with a hash seed that repeats, for sets come in its order."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        environment = {**os.environ, "PYTHONHASHSEED": HASH_SEED}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def leave(code: int) -> None:
    """End at once: what was killed must not be woken by the end of the interpreter."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


__all__ = ["Report", "leave", "main", "pin_hashes"]
