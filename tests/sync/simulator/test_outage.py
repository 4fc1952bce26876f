"""Outage windows."""

from datetime import timedelta

import pytest

from sync.errors import InputError
from sync.simulator import Outage
from tests.sync.simulator.practice import START, Practice


def test_an_outage_ends_when_it_is_switched_off() -> None:
    practice = Practice()
    headers = practice.headers()
    practice.simulator.start_outage()

    down = practice.send("GET", "/courses", headers=headers)
    practice.simulator.end_outage()
    up = practice.send("GET", "/courses", headers=headers)

    assert (down.cut, up.status) == (True, 200)


@pytest.mark.parametrize(("second", "status"), [(9, 200), (10, 503), (19, 503), (20, 200)])
def test_an_outage_can_have_a_window(second: int, status: int) -> None:
    practice = Practice()
    headers = practice.headers()
    window = (START + timedelta(seconds=10), START + timedelta(seconds=20))
    practice.simulator.start_outage("503", since=window[0], until=window[1])

    practice.wait(second)

    assert practice.send("GET", "/courses", headers=headers).status == status


def test_nothing_takes_effect_in_an_outage_and_nobody_is_blamed() -> None:
    practice = Practice()
    body = {"name": "University", "country": "Brazil"}
    practice.headers()
    practice.simulator.start_outage()

    practice.call("POST", "/institutions", body)
    practice.simulator.end_outage()
    practice.call("POST", "/institutions", body)

    assert len(practice.simulator.records("institutions")) == 1
    assert practice.simulator.verdict().is_clean


def test_another_kind_of_outage_is_refused() -> None:
    with pytest.raises(InputError, match="cut"):
        Outage(mode="strike")
