"""What an answer's JSON holds, reached without trusting its shape (API 5.1, 6.1).

Nothing here fails on a surprising body: what is not understood is never taken for an answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard

from sync.dokstamp.answer import Answer, Fault, Meaning, not_understood

Row = Mapping[str, Any]
"""One record as DokStamp shows it; numbers with a fraction are `Decimal`."""

FIELDS_MAX: Final = 20
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")


@dataclass(frozen=True, slots=True)
class Pagination:
    """What a list says about its pages; each part may be missing."""

    total: int | None = None
    current_page: int | None = None
    last_page: int | None = None


def record(answer: Answer) -> Row | None:
    """Return the one live record that an answer shows, or None."""
    row = _data(answer)
    if answer.meaning is not Meaning.DONE or not is_row(row) or row.get("deleted_at") is not None:
        return None
    return row


def as_record(answer: Answer, *, method: str) -> Answer:
    """Return the answer with the meaning that its record gives it.

    Done stays done only when `record` returns a row with a uuid. A deleted record counts as
    missing (API 9.1), anything else as not understood.
    """
    if answer.meaning is not Meaning.DONE or record(answer) is not None:
        return answer
    row = _data(answer)
    if isinstance(row, Mapping) and row.get("deleted_at") is not None:
        return replace(answer, meaning=Meaning.MISSING)
    return replace(answer, meaning=not_understood(method), fault=Fault.NOT_UNDERSTOOD)


def rows(answer: Answer) -> tuple[Row, ...] | None:
    """Return the records of a list answer, or None if any of it is not understood."""
    # Nested lists may come without an envelope: theirs is not documented (API 16.1).
    data = answer.body if isinstance(answer.body, list) else _data(answer)
    if answer.meaning is not Meaning.DONE or not isinstance(data, list):
        return None
    if not all(is_row(row) for row in data):
        return None
    return tuple(data)


def pagination(answer: Answer) -> Pagination | None:
    """Return what a list says about its pages, or None for a plain list."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    # Laravel's bare paginator keeps the same keys beside `data`.
    meta = body.get("meta", body if "current_page" in body else None)
    if not isinstance(meta, Mapping):
        return None
    return Pagination(
        total=_count(meta.get("total")),
        current_page=_count(meta.get("current_page")),
        last_page=_count(meta.get("last_page")),
    )


def refused_fields(answer: Answer) -> tuple[str, ...]:
    """Return the names of the request's fields that a 422 complains of."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    errors = body.get("errors")
    if not isinstance(errors, Mapping):
        return ()
    # Only what looks like a name: texts of the service may quote personal data.
    names = (name for name in errors if isinstance(name, str) and _FIELD_NAME.fullmatch(name))
    return tuple(sorted(names))[:FIELDS_MAX]


def refuses(answer: Answer, field: str) -> bool:
    """Tell whether a refusal names this field or a part of it, such as `modules.0.uuid`."""
    return any(
        name == field or name.startswith((f"{field}.", f"{field}["))
        for name in refused_fields(answer)
    )


def is_row(value: object) -> TypeGuard[Row]:
    """Tell whether a value is a record: an object with a uuid."""
    return isinstance(value, Mapping) and uuid_of(value) != ""


def uuid_of(row: Row) -> str:
    """Return a record's uuid as it came, or nothing."""
    uuid = row.get("uuid")
    return uuid if isinstance(uuid, str) and uuid.strip() else ""


def _data(answer: Answer) -> Any:  # noqa: ANN401 - the decoder's edge
    return answer.body.get("data") if isinstance(answer.body, Mapping) else None


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
