"""The checker sees what it is there to see: hosts with something taken from them do wrong."""

from dataclasses import replace

import pytest

from tests.simulation.broken import BROKEN
from tests.simulation.faults import FaultPlan, draw
from tests.simulation.run import simulate

pytestmark = pytest.mark.one_database("a simulation is one process, and its database is inside")
SEEDS = 8
CALM = replace(
    draw(1, hosts=1),
    horizon=600.0,
    poll_seconds=20.0,
    wire_share=0.0,
    incidents=(),
    switches={},
    search_lag=0.0,
)


def plan(seed: int, **changes: object) -> FaultPlan:
    return replace(CALM, seed=seed, **changes)  # type: ignore[arg-type]


def test_a_calm_run_is_right() -> None:
    report = simulate(plan(1))

    assert report.violations == []
    assert report.calls > 0


@pytest.mark.parametrize("fault", BROKEN)
def test_a_product_that_does_wrong_is_found_out(fault: str) -> None:
    broken = BROKEN[fault]

    said = next(
        (
            report.violations
            for seed in range(broken.first, broken.first + SEEDS)
            if (report := simulate(plan(seed, **broken.plan), product=broken.product)).violations
        ),
        [],
    )

    assert any(broken.sign in each for each in said), said
