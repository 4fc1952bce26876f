"""Dates and datetimes: strict on the way in, lenient with what DokStamp shows."""

import pytest

from sync.resources.times import Day, Moment, is_before
from sync.resources.values import Fault


@pytest.mark.parametrize(
    "given",
    [
        "2026-02-30",
        "2026-2-1",
        "20260201",
        "2026-02-01T00:00:00Z",
        "2026-W05-1",
        " 2026-02-01",
        "2026-02-01\n",
        "٢٠٢٦-02-01",
        "01/02/2026",
        20260201,
        "",
    ],
)
def test_a_date_is_taken_in_one_form_only(given: object) -> None:
    assert Day().read("2026-02-28") == "2026-02-28"
    assert isinstance(Day().read(given), Fault)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-02-01T09:00:00Z", "2026-02-01T09:00:00Z"),
        ("2026-02-01t09:00:00z", "2026-02-01T09:00:00Z"),
        ("2026-02-01T09:00:00.123456789Z", "2026-02-01T09:00:00Z"),
        ("2026-02-01T23:30:00-03:00", "2026-02-02T02:30:00Z"),
        ("2026-02-01T09:00:00+05:30", "2026-02-01T03:30:00Z"),
        ("2026-02-01", "2026-02-01T00:00:00Z"),
    ],
)
def test_a_datetime_is_kept_in_utc(given: str, kept: str) -> None:
    assert Moment().read(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "2026-02-01T09:00:00",
        "2026-02-01 09:00:00Z",
        "2026-02-01T09:00Z",
        "2026-02-01T25:00:00Z",
        "2026-02-01T09:00:60Z",
        "2026-02-01T09:00:00+0300",
        "0001-01-01T00:00:00+14:00",
        "2026-13-01",
        1767225600,
        "now",
    ],
)
def test_a_datetime_without_zone_or_sense_is_refused(given: object) -> None:
    assert isinstance(Moment().read(given), Fault)


@pytest.mark.parametrize(
    "shown",
    [
        "2024-02-01",
        "2024-02-01T00:00:00.000000Z",
        "2024-02-01T23:59:59Z",
        "2024-02-01 00:00:00",
        "2024-01-31T22:00:00-03:00",
    ],
)
def test_trap_31_a_date_is_compared_by_its_day_in_utc(shown: str) -> None:
    assert Day().recall(shown) == "2024-02-01"


@pytest.mark.parametrize(
    "shown",
    ["2024-02-01T09:00:00.000000Z", "2024-02-01T09:00:00.5Z", "2024-02-01T06:00:00-03:00"],
)
def test_trap_31_a_datetime_is_compared_to_the_second_in_utc(shown: str) -> None:
    assert Moment().recall(shown) == "2024-02-01T09:00:00Z"


@pytest.mark.parametrize("shown", [None, "", "soon", 5, {}])
def test_what_is_no_date_is_none(shown: object) -> None:
    assert Day().recall(shown) is None
    assert Moment().recall(shown) is None


def test_dates_are_ordered() -> None:
    assert is_before("2026-02-01", "2026-02-02")
    assert not is_before("2026-02-01", "2026-02-01")
