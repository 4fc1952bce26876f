"""The measures of `scripts/outage`: what counts as a probe, and how many there may be."""

import pytest

from sync.telemetry.signals import CallMade, CircuitChanged
from tests.sync.system.outages.gauges import Calls, probes_max, shortest_gap


@pytest.mark.parametrize(
    ("seconds", "most"), [(1.9, 0), (2.0, 1), (5.9, 1), (6.0, 2), (14.0, 3), (62.0, 5), (122.0, 6)]
)
def test_one_probe_fits_into_each_interval(seconds: float, most: int) -> None:
    assert probes_max(seconds, first=2.0) == most


def test_the_shortest_gap_is_measured_by_the_interval_that_was_due() -> None:
    assert shortest_gap([0.0, 4.0, 12.0, 20.0], first=4.0) == 0.5
    assert shortest_gap([7.0], first=4.0) == 1.0


def test_a_call_that_was_under_way_when_calls_stopped_is_no_probe() -> None:
    calls = Calls()
    calls.hear(CircuitChanged("open", calls="all"))
    calls.hear(CallMade("GET", "/students", None, seconds=3.0, fault="timeout"))
    calls.hear(CallMade("GET", "/students", None, seconds=0.0, fault="timeout"))

    assert len(calls.since(calls.stopped_at["all"])) == 1
