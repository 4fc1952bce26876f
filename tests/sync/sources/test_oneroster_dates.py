import pytest

from sync.resources.definition import Fault
from sync.sources.oneroster_dates import DateOrder, read_date, read_moment


def read(text: str, order: DateOrder | None = None) -> str:
    found = read_date(text, order=order, field="data.date_of_birth", column="birthDate")
    return found.code if isinstance(found, Fault) else found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-01", "2023-05-01"),
        ("2023/05/01", "2023-05-01"),
        ("20230501", "2023-05-01"),
        ("2023-05-01T18:25:43.511Z", "2023-05-01"),
        ("2023-05-01 00:00:00", "2023-05-01"),
        ("15/06/2023", "2023-06-15"),
        ("6/15/2023", "2023-06-15"),
        ("15.06.2023", "2023-06-15"),
        ("6/15/2023 0:00", "2023-06-15"),
        ("5/5/2023", "2023-05-05"),
        ("1/05/2023", "date_ambiguous"),
        ("01.05.2023", "date_ambiguous"),
        ("2023-02-30", "date"),
        ("31/04/2023", "date"),
        ("13/13/2023", "date"),
        ("1/5/23", "date"),
        ("1/05-2023", "date"),
        ("May 1st", "date"),
        ("0000-00-00", "date"),
    ],
)
def test_a_date_is_read_only_where_it_can_be_one_day(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("1/05/2023", "2023-05-01", "2023-01-05"),
        ("15/06/2023", "2023-06-15", "date"),
        ("6/15/2023", "date", "2023-06-15"),
        ("2023-05-01", "2023-05-01", "2023-05-01"),
    ],
)
def test_a_stated_order_decides_and_is_not_overruled(
    text: str, day_first: str, month_first: str
) -> None:
    assert read(text, DateOrder.DAY_FIRST) == day_first
    assert read(text, DateOrder.MONTH_FIRST) == month_first


def test_messages_name_the_column_and_not_the_value() -> None:
    fault = read_date("1/05/2023", order=None, field="data.date_of_birth", column="birthDate")

    assert isinstance(fault, Fault)
    assert (fault.field, "birthDate" in fault.message) == ("data.date_of_birth", True)
    assert "2023" not in fault.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-01T18:25:43.511Z", "2023-05-01T18:25:43.511000+00:00"),
        ("2023-05-01T18:25:43", "2023-05-01T18:25:43+00:00"),
        ("2023-05-01", "2023-05-01T00:00:00+00:00"),
        ("15/06/2023", "2023-06-15T00:00:00Z"),
        ("1/05/2023", None),
        ("", None),
    ],
)
def test_a_stamp_that_cannot_be_read_is_no_time(text: str, expected: str | None) -> None:
    assert read_moment(text, order=None) == expected
