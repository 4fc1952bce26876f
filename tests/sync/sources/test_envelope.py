from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.sources.envelope import parse

WHOLE = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "urn:sis:demo",
    "type": "course.upserted",
    "subject": "CS",
    "time": "2026-02-01T09:00:00+02:00",
    "actor": "registrar@sis",
    "sequence": 7,
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "datacontenttype": "application/json; charset=utf-8",
    "dataschema": "urn:schema:1",
    "partitionkey": "x",
    "data": {"name": "x"},
}


def codes(**changes: object) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in parse({**WHOLE, **changes}).faults]


def test_a_whole_envelope_has_no_faults() -> None:
    candidate = parse(WHOLE)

    assert candidate.faults == ()
    assert candidate.time == datetime(2026, 2, 1, 7, tzinfo=UTC)
    assert (candidate.sequence, candidate.actor) == (7, "registrar@sis")
    assert candidate.traceparent == WHOLE["traceparent"]
    assert candidate.data == {"name": "x"}


def test_an_empty_envelope_misses_everything_at_once() -> None:
    faults = parse({}).faults

    assert [(fault.field, fault.code) for fault in faults] == [
        (name, "required") for name in ("specversion", "id", "source", "type", "subject")
    ]


def test_null_attributes_are_absent() -> None:
    optional = ("time", "actor", "sequence", "traceparent", "datacontenttype", "dataschema")

    assert codes(**dict.fromkeys(optional)) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("specversion", "0.3", "choice"),
        ("specversion", 1.0, "choice"),
        ("id", " ", "required"),
        ("id", "x" * 256, "length"),
        ("id", 17, "type"),
        ("id", "a\0b", "characters"),
        ("source", "urn:sis:a b", "format"),
        ("source", "urn:sis:%zz", "format"),
        ("source", "urn:sis:\u00e9", "format"),
        ("type", "Course upserted", "unknown"),
        ("subject", "x" * 256, "length"),
        ("subject", " CS", "blanks"),
        ("subject", "CS\u00a0", "blanks"),
        ("subject", "e\u0301", "normalization"),
        ("subject", "a\tb", "characters"),
        ("subject", 5, "type"),
        ("subject", "jane@example.org", "email_like"),
        ("time", "2026-02-01T09:00:00", "format"),
        ("time", "2026-02-01", "format"),
        ("time", "2026-02-30T09:00:00Z", "format"),
        ("time", "0001-01-01T00:00:00+23:00", "format"),
        ("time", 1767225600, "type"),
        ("actor", {"name": "x"}, "type"),
        ("sequence", "7", "type"),
        ("sequence", True, "type"),
        ("sequence", 2**60, "range"),
        ("traceparent", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "format"),
        ("traceparent", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "format"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", "format"),
        ("datacontenttype", "text/xml", "format"),
        ("data_base64", "aGk=", "unsupported"),
        ("extension1", {"nested": 1}, "type"),
        ("extension1", [1], "type"),
    ],
)
def test_one_bad_attribute_is_one_fault(name: str, value: object, code: str) -> None:
    assert codes(**{name: value}) == [(name, code)]


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-01t09:00:00.123456789z",
        "2026-06-30T23:59:60Z",
        "2026-02-01T09:00:00-03:30",
        "0001-01-01T00:00:00Z",
    ],
)
def test_every_spelling_of_rfc_3339_is_taken(time: str) -> None:
    assert codes(time=time) == []


@pytest.mark.parametrize("kind", ["application/json", "text/json", "application/vnd.x+json"])
def test_json_media_types_are_taken(kind: str) -> None:
    assert codes(datacontenttype=kind) == []


def test_a_later_trace_version_may_be_longer() -> None:
    assert codes(traceparent="01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x") == []


def test_a_setting_allows_subjects_that_look_like_addresses() -> None:
    envelope = {**WHOLE, "subject": "jane@example.org"}

    assert parse(envelope).subject == ""
    assert parse(envelope, allow_email_ids=True).subject == "jane@example.org"


def test_messages_never_repeat_a_value() -> None:
    secret = "s3cret-v4lue"
    envelope = dict.fromkeys(WHOLE, secret + "@example.org \n") | {secret + " é": [1]}

    faults = parse(envelope).faults

    assert len(faults) == 11
    assert secret not in repr(faults)


@given(
    st.dictionaries(
        st.sampled_from([*WHOLE, "other"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.text(), max_size=2)
        | st.dictionaries(st.text(), st.text(), max_size=2),
    )
)
def test_any_envelope_is_parsed_without_raising(envelope: dict[str, object]) -> None:
    candidate = parse(envelope)

    assert candidate.faults
