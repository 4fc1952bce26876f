"""What simulations once found, each in the circumstances in which it went wrong."""

import pytest

from tests.simulation.faults import HOUR, LEASE_SECONDS, SETTLE_SECONDS, Incident, draw
from tests.simulation.run import simulate
from tests.simulation.test_checker import plan

pytestmark = pytest.mark.one_database("a simulation is one process, and its database is inside")
LATE = {"wire_share": 0.5, "wire": {"late": 1.0}}


@pytest.mark.parametrize("seed", [6, 8])
def test_a_clock_set_forward_while_an_effect_is_waited_for_makes_nothing_twice(seed: int) -> None:
    leaps = tuple(Incident(at, "clock", 0, HOUR, "settle") for at in (1.0, 100.0, 200.0, 300.0))

    report = simulate(plan(seed, incidents=leaps, **LATE))

    assert report.violations == []
    assert report.faults["clock of one host set forward"] > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_host_that_slept_longer_than_its_lease_makes_nothing_twice(seed: int) -> None:
    seconds = LEASE_SECONDS + SETTLE_SECONDS + 30
    sleeps = tuple(Incident(at, "pause", host, seconds) for at in (20.0, 250.0) for host in (0, 1))

    report = simulate(plan(seed, hosts=2, incidents=sleeps, **LATE))

    assert report.violations == []
    assert report.faults["pause longer than a lease"] > 0


@pytest.mark.parametrize("seed", [1, 4, 9])
def test_what_comes_after_the_settle_window_is_found_and_held_for_a_person(seed: int) -> None:
    report = simulate(plan(seed, beyond_share=0.5, awaits_looks=True))

    assert report.violations == []
    assert report.faults["late effect beyond the settle window"] > 0
    assert any("is there" in each for each in report.remarks)
    assert report.stopped["held: second_record"] > 0


def test_a_change_that_comes_after_the_settle_window_is_all_that_it_spoils() -> None:
    report = simulate(plan(43, beyond_share=0.5, awaits_looks=True))

    assert report.violations == []
    assert any("'Student S-1 v4', not" in each for each in report.remarks)


def test_an_enrollment_is_kept_for_a_certificate_that_no_list_shows_yet() -> None:
    report = simulate(plan(1866, search_lag=25.0))

    assert report.violations == []
    assert report.stopped["held: certificate_names_it"] > 0


def test_what_was_heard_is_on_record_though_others_kept_the_server_busy() -> None:
    report = simulate(draw(180))

    assert report.violations == []
    assert report.faults["transaction refused by a busy server"] > 0


def test_seed_301_comes_to_rest_with_a_look_that_waits_for_a_person() -> None:
    report = simulate(draw(301))

    assert report.violations == []
    assert report.stopped["held: several_matches"] == 1
