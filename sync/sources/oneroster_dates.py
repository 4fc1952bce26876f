"""Dates as spreadsheets and student systems write them; what could be two dates is not guessed."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from sync.resources.definition import Fault


class DateOrder(StrEnum):
    """What comes first in a date such as 1/05/2023."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


_TIME_OF_DAY: Final = r"(?:[T ]\s*\d{1,2}:\d\d.*)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})" + _TIME_OF_DAY, re.IGNORECASE)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _TIME_OF_DAY, re.IGNORECASE)


def read_date(text: str, *, order: DateOrder | None, field: str, column: str) -> str | Fault:
    """Return the calendar date as `YYYY-MM-DD`, or why the text does not name one date."""
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        day = _date(found[1], found[3], found[4])
        return day or _no_date(field, column)
    found = _YEAR_LAST.fullmatch(text)
    if found is None:
        return _no_date(field, column)
    days = {
        DateOrder.DAY_FIRST: _date(found[4], found[3], found[1]),
        DateOrder.MONTH_FIRST: _date(found[4], found[1], found[3]),
    }
    possible = {days[order]} if order else set(days.values())
    possible.discard(None)
    if len(possible) > 1:
        message = f"{column} could be two dates; say whether the day or the month comes first"
        return Fault(field, "date_ambiguous", message)
    return possible.pop() or "" if possible else _no_date(field, column)


def read_moment(text: str, *, order: DateOrder | None) -> str | None:
    """Return the moment in RFC 3339 if the text names one, else None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = read_date(text, order=order, field="", column="")
        return None if isinstance(day, Fault) else f"{day}T00:00:00Z"
    # OneRoster's moments are in UTC; some systems leave the zone out.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _date(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _no_date(field: str, column: str) -> Fault:
    return Fault(field, "date", f"{column} is not an existing date; write it YYYY-MM-DD")
