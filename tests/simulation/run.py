"""A seed from its fault plan to its report."""

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from ledger.clock import ManualClock, SeededEntropy
from ledger.ledger import Ledger
from sync.simulator.journal import entry_json
from tests.simulation.checker import Outcome, check
from tests.simulation.faults import FaultPlan
from tests.simulation.loop import StuckError, VirtualLoop
from tests.simulation.network import Network
from tests.simulation.product import SOUND, Product
from tests.simulation.simulation import Simulation
from tests.simulation.trace import trace_of


@dataclass(slots=True)
class Report:
    """What became of a seed."""

    seed: int
    plan: FaultPlan
    virtual_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    events: int = 0
    calls: int = 0
    violations: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    stopped: Counter[str] = field(default_factory=Counter)
    """What in the end waits for a person or for what will never come, by the reason."""
    root: str = ""
    journal: str = ""
    trace: list[str] = field(default_factory=list, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is printed."""
        return {
            "seed": self.seed,
            "virtual_seconds": round(self.virtual_seconds, 3),
            "events": self.events,
            "calls": self.calls,
            "faults": dict(sorted(self.faults.items())),
            "hosts": self.plan.hosts,
            "stopped": dict(sorted(self.stopped.items())),
            "violations": self.violations,
            "remarks": self.remarks,
            "root": self.root,
            "journal": self.journal,
        }


def simulate(plan: FaultPlan, *, traces: bool = False, product: Product = SOUND) -> Report:
    """Run a seed, with the real product or a broken one, and return what became of it."""
    report = Report(plan.seed, plan)
    loop = VirtualLoop(Random(f"loop {plan.seed}"))
    simulation = Simulation(plan, loop, product)
    try:
        try:
            loop.run_until_complete(simulation.run())
            loop.run_until_complete(_judge(simulation, report, traces=traces))
        except StuckError as error:
            report.violations.append(f"stuck: {error}")
        report.virtual_seconds = loop.time()
    finally:
        _clear_away(simulation, loop)
    return report


async def _judge(simulation: Simulation, report: Report, *, traces: bool) -> None:
    address = simulation.address()
    ledger = await Ledger.open(address, clock=ManualClock(), entropy=SeededEntropy(0))
    outcome = Outcome(
        ledger=ledger,
        network=simulation.network,
        told=simulation.told,
        commits=simulation.traffic.commits,
    )
    report.violations += simulation.violations
    report.violations += await check(outcome)
    report.remarks += outcome.remarks
    head = await ledger.head()
    report.root = head.root().hex()
    report.journal = _digest(simulation.network)
    report.events, report.calls = len(simulation.told), len(simulation.network.flights)
    report.faults = simulation.network.counts + simulation.counts
    report.stopped = outcome.stopped
    if traces:
        report.trace = trace_of(
            simulation.network.flights,
            outcome.log,
            simulation.traffic.commits,
            simulation.happened,
        )
    if simulation.traffic.refused:
        report.faults["transaction refused by a busy server"] = simulation.traffic.refused


def _digest(network: Network) -> str:
    whole = sha256()
    journal = network.world.journal
    entries = [entry_json(each) for each in journal.requests]
    entries += [entry_json(each) for each in journal.writes]
    whole.update(json.dumps(entries, sort_keys=True, default=str).encode())
    return whole.hexdigest()


GRAVEYARD: list[object] = []
"""What was killed, kept for ever: letting go of a coroutine would run its `finally`."""


def _clear_away(simulation: Simulation, loop: VirtualLoop) -> None:
    for host in simulation.hosts:
        host.kill()
        GRAVEYARD.extend(host.all_processes)
    loop.close()
