import json
from typing import Any

import pytest

from ledger.clock import START_OF_MANUAL_TIME
from ledger.log.event import Event
from ledger.reference import SourceRef
from sync.runtime.subject_lines import Lines

RECORDS = frozenset({SourceRef("student", "S-1"), SourceRef("certificate", "X-1")})
DIGEST = "ab" * 32


def refused(raw: object) -> Event:
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return Event(
        position=0,
        source="",
        id="",
        type="event.quarantined",
        subject=None,
        time=None,
        recorded_at=START_OF_MANUAL_TIME,
        public={},
        private={"raw": text},
        person="quarantine:1",
        sequence=None,
        traceparent=None,
        content_digest=b"",
    )


def line(event_type: object, subject: object, **data: Any) -> dict[str, Any]:
    return {"type": event_type, "subject": subject, "data": data}


LINES = Lines("S-1", RECORDS, document_digest=bytes.fromhex)


@pytest.mark.parametrize(
    "raw",
    [
        line("student.upserted", "S-1", name=3),
        line("student.removed", "S-1"),
        line("enrollment.upserted", "E-9", student_id="S-1"),
        line("certificate.revoked", "X-1", reason_code="no such code"),
        line("no.such.type", "S-1"),
        line(None, "E-1", whatever=["S-1"]),
        '{"type": "student.upserted", "subject": "S-1", "data": {',
        "userSourcedId,S-1,Ana",
    ],
)
def test_lines_about_the_student_are_found(raw: object) -> None:
    assert LINES.find(refused(raw)) == ()


@pytest.mark.parametrize(
    "raw",
    [
        line("student.upserted", "S-2", name="S-1"),
        line("course.upserted", "S-1", name="S-1"),
        line("enrollment.upserted", "E-9", student_id="S-10"),
        line("certificate.revoked", "X-2"),
        line("enrollment.upserted", "S-1", student_id="S-2"),
        line("no.such.type", "S-10", name="about S-1 too"),
        "userSourcedId,S-10,XS-1",
        "[1, 2",
    ],
)
def test_lines_about_somebody_else_are_left_alone(raw: object) -> None:
    assert LINES.find(refused(raw)) is None


def test_documents_that_only_a_refused_line_names_are_told() -> None:
    named = line("certificate.requested", "X-9", student_id="S-1", document={"sha256": DIGEST})
    given = line(
        "certificate.requested", "X-9", student_id="S-1", document={"content_base64": "YQ=="}
    )

    assert LINES.find(refused(named)) == (bytes.fromhex(DIGEST),)
    assert [len(each) for each in LINES.find(refused(given)) or ()] == [32]


def test_what_was_erased_is_nobodys_any_more() -> None:
    gone = refused("S-1")

    assert LINES.find(Event(**{**_fields(gone), "private": None})) is None


def _fields(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Event.__slots__}
