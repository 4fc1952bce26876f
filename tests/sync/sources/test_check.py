import json

from ledger.reference import SourceRef
from sync.resources.definition import Fault
from sync.sources.check import check
from sync.sources.envelope import parse
from sync.sources.item import Checked, Document, Refused
from tests.sync.sources.builders import envelope

DOCUMENT = Document("ab" * 32, b"%PDF-1.7")


def test_an_event_without_faults_carries_data_and_actor_sealed() -> None:
    candidate = parse(envelope(kind="student.upserted", actor="registrar", sequence=3))

    outcome = check(candidate, raw=b"")

    assert isinstance(outcome, Checked)
    assert outcome.event.subject == SourceRef("student", "R-1")
    assert outcome.event.person == "student:R-1"
    assert outcome.event.public == {}
    assert outcome.event.private is not None
    assert outcome.event.private["actor"] == "registrar"
    assert "ada@example.org" in json.dumps(outcome.event.private)
    assert "ada@example.org" not in repr(outcome)


def test_a_removal_needs_no_data() -> None:
    outcome = check(parse(envelope(kind="student.removed")), raw=b"")

    assert isinstance(outcome, Checked)
    assert outcome.event.private is None


def test_faults_of_envelope_data_and_document_come_together() -> None:
    broken = envelope(
        kind="certificate.requested",
        id=None,
        subject=" x",
        data={"student_id": None, "document": {"path": "x"}, "coarse_id": "CS"},
    )
    document = Fault("data.document", "document_missing", "not there")

    outcome = check(parse(broken), raw=b"whole", document=document)

    assert isinstance(outcome, Refused)
    assert [(fault.exact_field, fault.code) for fault in outcome.reasons] == [
        ("id", "required"),
        ("subject", "blanks"),
        ("data.document", "document_missing"),
        ("data.coarse_id", "unknown"),
        ("data.student_id", "required"),
    ]
    assert (outcome.source, outcome.id, outcome.subject) == ("urn:sis:demo", "", "")
    assert outcome.raw == b"whole"


def test_a_document_is_named_by_its_digest_in_the_event() -> None:
    candidate = parse(envelope(kind="certificate.requested", data={"document": {"path": "x"}}))

    outcome = check(candidate, raw=b"", document=DOCUMENT)

    assert isinstance(outcome, Checked)
    assert outcome.document == DOCUMENT
    assert outcome.event.private is not None
    data = outcome.event.private["data"]
    assert isinstance(data, dict)
    assert data["document"] == {"sha256": DOCUMENT.sha256}


def test_an_unknown_type_is_refused() -> None:
    outcome = check(parse(envelope(kind="grade.upserted")), raw=b"")

    assert isinstance(outcome, Refused)
    assert [(fault.field, fault.code) for fault in outcome.reasons] == [("type", "unknown")]
