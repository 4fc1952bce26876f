"""Checks of what callers send, field by field, with every fault reported at once."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from sync.simulator.call import Call
from sync.simulator.entity import Entity, Field
from sync.simulator.message import JsonObject
from sync.simulator.refusal import Errors
from sync.simulator.tables import stamp

UUID_V4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_GRADE_DIGITS_MAX = 6
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+|[^@\s]{1,64}@localhost")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class _WrongError(ValueError):
    """Carries the sentence about one wrong value."""


def label(name: str) -> str:
    """Return a field's name as messages spell it."""
    return name.replace("_", " ")


def selected_is_invalid(name: str) -> list[str]:
    """Return the message about a reference to nothing."""
    return [f"The selected {label(name)} is invalid."]


def clean(
    call: Call, entity: Entity, *, body: Mapping[str, object], is_update: bool, fills: bool
) -> tuple[JsonObject, Errors]:
    """Return the stored form of what was sent, and everything wrong with it.

    `fills` gives fields that were left out their defaults.
    """
    values: JsonObject = {}
    errors: Errors = {}
    for item in entity.fields:
        if item.name not in body and not fills:
            continue
        try:
            is_clearing = is_update and item.name in body
            value = body.get(item.name)
            values[item.name] = _clean_one(call, item, value, is_clearing=is_clearing)
        except _WrongError as wrong:
            errors[item.name] = [str(wrong)]
    return values, errors


def check_uuid(call: Call, value: object, *, name: str, table: str) -> list[str]:
    """Return what is wrong with a uuid that has to name a record of this tenant."""
    if not isinstance(value, str) or not UUID_V4.fullmatch(value):
        return [f"The {label(name)} field must be a valid UUID."]
    if call.own(table, value) is None:
        call.marks.add("unknown_reference")
        return selected_is_invalid(name)
    return []


def _clean_one(call: Call, item: Field, value: object, *, is_clearing: bool) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        return _absent(item, is_clearing=is_clearing)
    if item.kind == "reference":
        faults = check_uuid(call, value, name=item.name, table=item.table)
        if faults:
            raise _WrongError(faults[0])
        return str(value).lower()
    if item.kind == "grade":
        return _grade(value, item, has_limit=call.switches.grade_max == "10")
    return _CHECKS[item.kind](value, item)


def _absent(item: Field, *, is_clearing: bool) -> object:
    if item.required:
        raise _WrongError(f"The {label(item.name)} field is required.")
    if is_clearing and item.default is not None:
        raise _WrongError(f"The selected {label(item.name)} is invalid.")
    return item.default


def _text(value: object, item: Field) -> object:
    if not isinstance(value, str):
        raise _WrongError(f"The {label(item.name)} field must be a string.")
    if item.choices and value not in item.choices:
        raise _WrongError(f"The selected {label(item.name)} is invalid.")
    if item.maximum is not None and len(value) > item.maximum:
        limit = item.maximum
        raise _WrongError(
            f"The {label(item.name)} field must not be greater than {limit} characters."
        )
    return value


def _matching(pattern: re.Pattern[str], words: str) -> Callable[[object, Field], object]:
    def check(value: object, item: Field) -> object:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _WrongError(f"The {label(item.name)} field must be {words}.")
        return value

    return check


def _integer(value: object, item: Field) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _WrongError(f"The {label(item.name)} field must be an integer.")
    if value < 0:
        raise _WrongError(f"The {label(item.name)} field must be at least 0.")
    return value


def _boolean(value: object, item: Field) -> object:
    if not isinstance(value, bool):
        raise _WrongError(f"The {label(item.name)} field must be true or false.")
    return value


def _object(value: object, item: Field) -> object:
    if not isinstance(value, dict):
        raise _WrongError(f"The {label(item.name)} field must be an object.")
    return value


def _date(value: object, item: Field) -> object:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise _WrongError(f"The {label(item.name)} field must be a valid date.") from error


def _datetime(value: object, item: Field) -> object:
    try:
        if not isinstance(value, str) or not _DATETIME.fullmatch(value):
            raise ValueError
        moment = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise _WrongError(f"The {label(item.name)} field must be a valid date.") from error
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _grade(value: object, item: Field, *, has_limit: bool) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongError(f"The {label(item.name)} field must be a number.")
    grade = Decimal(repr(value))
    if not grade.is_finite() or grade.adjusted() > _GRADE_DIGITS_MAX:
        raise _WrongError(f"The {label(item.name)} field must be a number.")
    if grade < 0:
        raise _WrongError(f"The {label(item.name)} field must be at least 0.")
    if has_limit and grade > 10:
        raise _WrongError(f"The {label(item.name)} field must not be greater than 10.")
    if grade != grade.quantize(Decimal("0.01")):
        raise _WrongError(f"The {label(item.name)} field must have 0-2 decimal places.")
    return f"{grade:.2f}"


_CHECKS: dict[str, Callable[[object, Field], object]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "object": _object,
    "date": _date,
    "datetime": _datetime,
    "email": _matching(_EMAIL, "a valid email address"),
    "url": _matching(_URL, "a valid URL"),
    "slug": _matching(_SLUG, "lower-case letters, digits and hyphens"),
}
