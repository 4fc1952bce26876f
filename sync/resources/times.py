"""Forms of dates and datetimes: strict when a source writes them, lenient when DokStamp does."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ledger.reference import Json
from sync.resources.values import Fault, Form

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Day(Form):
    """A calendar date, kept as `YYYY-MM-DD`."""

    def read(self, value: object) -> Json | Fault:
        """Return the date, if it is one that exists."""
        if isinstance(value, str) and _DATE.fullmatch(value) and _moment(value) is not None:
            return value
        return Fault("", "date", "must be an existing date, written YYYY-MM-DD")

    def recall(self, shown: object) -> Json:
        """Return the calendar date in UTC, whatever time of day is shown with it."""
        moment = _moment(shown)
        return None if moment is None else moment.date().isoformat()


@dataclass(frozen=True, slots=True)
class Moment(Form):
    """A datetime, kept in UTC to the second; a plain date is its midnight in UTC.

    Fractions of a second are cut off: DokStamp writes them, but need not store them.
    """

    def read(self, value: object) -> Json | Fault:
        """Return the datetime in UTC, if it has a zone or is a plain date."""
        fault = Fault(
            "", "datetime", "must be a datetime with zone such as 2026-02-01T09:00:00Z, or a date"
        )
        if not isinstance(value, str):
            return fault
        written = _DATETIME.fullmatch(value)
        if written is None:
            moment = _moment(value) if _DATE.fullmatch(value) else None
        else:
            zone = written["zone"].upper()
            moment = _moment(f"{written['day']}T{written['clock']}{zone}")
        return fault if moment is None else _zulu(moment)

    def recall(self, shown: object) -> Json:
        """Return the datetime in UTC to the second, however it is written."""
        moment = _moment(shown)
        return None if moment is None else _zulu(moment)


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        # What is written without a zone is meant in UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zulu(moment: datetime) -> str:
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def is_before(first: Json, second: Json) -> bool:
    """Tell whether one kept date lies before another."""
    return date.fromisoformat(str(first)) < date.fromisoformat(str(second))
