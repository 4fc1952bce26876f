"""The CloudEvents envelope of one source event, parsed with every fault reported at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sync.resources.values import Fault, holds_unsafe_characters, id_fault, is_email_like

TEXT_MAX: Final = 255
SOURCE_MAX: Final = 1024
ACTOR_MAX: Final = 1024
SEQUENCE_MAX: Final = 2**53
MISSING: Final = "required"

_TYPE = re.compile(r"[a-z][a-z0-9_.\-]{0,99}")
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:(?P<second>\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:[0-5]\d)"
)
_TRACE = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<rest>-.*)?"
)
_JSON_TYPE = re.compile(r"(?:[\w.+-]+/)?(?:[\w.-]+\+)?json", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An envelope as far as it could be understood; what could not be is empty."""

    id: str = field(default="", repr=False)
    source: str = field(default="", repr=False)
    type: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    time: datetime | None = None
    actor: str | None = field(default=None, repr=False)
    sequence: int | None = None
    traceparent: str | None = None
    data: object = field(default=None, repr=False)
    faults: tuple[Fault, ...] = ()


class _Faulty(Exception):  # noqa: N818 - it leaves this module only as a value
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def parse(envelope: Mapping[str, object], *, allow_email_ids: bool = False) -> Candidate:
    """Return what the envelope says, with all its faults."""
    faults: list[Fault] = []
    values: dict[str, object] = {}
    for name, (is_required, reader) in _ATTRIBUTES.items():
        value = envelope.get(name)
        try:
            if value is None:
                _refuse_missing(name, is_required=is_required)
            else:
                values[name] = reader(value)
        except _Faulty as fault:
            faults.append(Fault(name, fault.code, fault.message))
    faults.extend(_extension_faults(envelope))
    if not allow_email_ids and is_email_like(str(values.get("subject", ""))):
        # It goes into no report either: what looks like an address probably is one.
        del values["subject"]
        faults.append(Fault("subject", "email_like", _MESSAGE_EMAIL))
    return _candidate(values, envelope.get("data"), tuple(faults))


def _candidate(values: Mapping[str, object], data: object, faults: tuple[Fault, ...]) -> Candidate:
    kept = {name: value for name, value in values.items() if name not in _CHECKED_ONLY}
    return Candidate(**kept, data=data, faults=faults)  # type: ignore[arg-type]


def _refuse_missing(name: str, *, is_required: bool) -> None:
    if is_required:
        raise _Faulty(MISSING, f"every event needs {name}; add it")


def _extension_faults(envelope: Mapping[str, object]) -> list[Fault]:
    """Refuse what would be lost: extensions are plain values, and data is JSON."""
    faults = []
    for name, value in envelope.items():
        if name == "data_base64" and value is not None:
            faults.append(Fault(name, "unsupported", "send data as JSON, not as bytes"))
        elif name not in _KNOWN and isinstance(value, dict | list):
            message = "an extension is a text, a number or a boolean; move nested values into data"
            faults.append(Fault(_shown(name), "type", message))
    return faults


def _shown(name: str) -> str:
    """Return an attribute's name where it can be one, so that no odd text gets into a report."""
    return name if re.fullmatch(r"[A-Za-z0-9_\-]{1,40}", name) else "extension"


def _text(value: object, *, limit: int = TEXT_MAX) -> str:
    if type(value) is not str:
        raise _Faulty("type", "must be text")
    if not value.strip():
        raise _Faulty(MISSING, "must not be blank")
    if len(value) > limit:
        raise _Faulty("length", f"must be at most {limit} characters long")
    if not value.isprintable() and holds_unsafe_characters(value):
        raise _Faulty("characters", "must not hold control characters; take them out")
    return value


def _specversion(value: object) -> str:
    if value != "1.0":
        raise _Faulty("choice", 'must be the text "1.0"')
    return "1.0"


def _source(value: object) -> str:
    text = _text(value, limit=SOURCE_MAX)
    if not _URI.fullmatch(text):
        raise _Faulty("format", "must be a URI reference, such as urn:sis:name")
    return text


def _type(value: object) -> str:
    text = _text(value)
    if not _TYPE.fullmatch(text):
        raise _Faulty("unknown", "must be a known type, such as course.upserted")
    return text


def _subject(value: object) -> str:
    fault = id_fault(value)
    if fault is not None:
        raise _Faulty(fault.code, fault.message)
    return str(value)


def _time(value: object) -> datetime:
    text = _text(value, limit=64)
    match = _TIME.fullmatch(text)
    if match is None:
        raise _Faulty("format", "must be RFC 3339 with a zone, such as 2026-02-01T09:00:00Z")
    if match["second"] == "60":
        # A leap second has no place in this calendar; the second before it comes closest.
        text = text[:17] + "59" + text[19:]
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Faulty("format", "names a day or an hour that does not exist") from None


def _actor(value: object) -> str:
    return _text(value, limit=ACTOR_MAX)


def _sequence(value: object) -> int:
    if type(value) is not int:
        raise _Faulty("type", "must be an integer")
    if not -SEQUENCE_MAX <= value <= SEQUENCE_MAX:
        raise _Faulty("range", "must lie within ±2^53")
    return value


def _traceparent(value: object) -> str:
    match = _TRACE.fullmatch(_text(value))
    is_usable = (
        match is not None
        and match["version"] != "ff"
        and (match["rest"] is None or match["version"] != "00")
        and match["trace"].strip("0") != ""
        and match["span"].strip("0") != ""
    )
    if match is None or not is_usable:
        raise _Faulty("format", "must be a W3C traceparent")
    return match.string


def _content_type(value: object) -> str:
    text = _text(value)
    if not _JSON_TYPE.fullmatch(text.partition(";")[0].strip()):
        raise _Faulty("format", "must be a JSON media type, such as application/json")
    return text


_MESSAGE_EMAIL: Final = (
    "looks like an e-mail address, and a subject stays in the log for ever;"
    " use a lasting pseudonym, or allow such ids by a setting"
)
_ATTRIBUTES: Final[Mapping[str, tuple[bool, Callable[[object], object]]]] = {
    "specversion": (True, _specversion),
    "id": (True, _text),
    "source": (True, _source),
    "type": (True, _type),
    "subject": (True, _subject),
    "time": (False, _time),
    "actor": (False, _actor),
    "sequence": (False, _sequence),
    "traceparent": (False, _traceparent),
    "datacontenttype": (False, _content_type),
}
_CHECKED_ONLY: Final = frozenset({"specversion", "datacontenttype"})
_KNOWN: Final = frozenset(_ATTRIBUTES) | {"data", "data_base64"}
