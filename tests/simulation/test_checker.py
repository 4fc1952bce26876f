"""The checker sees what it is there to see: hosts with something taken from them do wrong."""

from dataclasses import replace

import pytest

from tests.simulation.faults import FaultPlan, draw
from tests.simulation.run import simulate

pytestmark = pytest.mark.one_database("a simulation is one process, and its database is inside")
CALM = replace(
    draw(1, hosts=1), horizon=600.0, wire_share=0.0, incidents=(), switches={}, search_lag=0.0
)


def plan(seed: int, **changes: object) -> FaultPlan:
    return replace(CALM, seed=seed, **changes)  # type: ignore[arg-type]


def test_a_calm_run_is_right() -> None:
    report = simulate(plan(1))

    assert report.violations == []
    assert report.calls > 0


def test_hosts_that_wait_for_no_late_effect_are_found_out() -> None:
    rough = {"wire_share": 0.5, "wire": {"late": 1.0}}

    careless = [simulate(plan(seed, settle_seconds=0.1, **rough)) for seed in (1, 2, 3)]
    careful = [simulate(plan(seed, **rough)) for seed in (1, 2, 3)]

    assert any("times" in each for report in careless for each in report.violations)
    assert [report.violations for report in careful] == [[], [], []]
