"""Small histories that tests start from, and the data of their events."""

from collections.abc import Mapping

from ledger.reference import Json, SourceRef
from tests.sync.projector.ledger_fake import FakeLedger

INSTITUTION = SourceRef("institution", "I")
ORGANIZATION = SourceRef("organization", "O")
COURSE = SourceRef("course", "C")
OTHER_COURSE = SourceRef("course", "D")
MODULE = SourceRef("module", "M")
GROUP = SourceRef("module_group", "G")
ATTACHMENT = SourceRef("course_module", "A")
COHORT = SourceRef("cohort", "K")
STUDENT = SourceRef("student", "S")
ENROLLMENT = SourceRef("enrollment", "E")
CERTIFICATE = SourceRef("certificate", "X")

Data = dict[str, Json]


def institution(**more: Json) -> Data:
    return {"name": "Demo", "country": "Brazil", **more}


def organization(**more: Json) -> Data:
    return {"institution_id": "I", "name": "Faculty", **more}


def course(**more: Json) -> Data:
    return {"institution_id": "I", "name": "Physics", "code": "PHY", **more}


def module(**more: Json) -> Data:
    return {"institution_id": "I", "name": "Optics", "code": "OPT", **more}


def group(**more: Json) -> Data:
    return {"course_id": "C", "name": "First year", **more}


def attachment(**more: Json) -> Data:
    return {"course_id": "C", "module_id": "M", **more}


def cohort(**more: Json) -> Data:
    return {"course_id": "C", "code": "2026", **more}


def student(email: str = "a@example.org", **more: Json) -> Data:
    return {"name": "Ana Lima", "email": email, "date_of_birth": "2000-01-02", **more}


def enrollment(**more: Json) -> Data:
    return {"student_id": "S", "course_id": "C", "enrolled_at": "2026-02-01", **more}


def completed(**more: Json) -> Data:
    return enrollment(completion_status="completed", completed_at="2026-12-01", **more)


def certificate(document: str = "0" * 64, **more: Json) -> Data:
    return {
        "institution_id": "I",
        "course_id": "C",
        "student_id": "S",
        "document": {"sha256": document},
        **more,
    }


UNIVERSITY: tuple[tuple[SourceRef, Mapping[str, Json]], ...] = (
    (INSTITUTION, institution()),
    (ORGANIZATION, organization()),
    (COURSE, course()),
    (OTHER_COURSE, course(code="CHE", name="Chemistry")),
    (MODULE, module()),
    (GROUP, group()),
    (ATTACHMENT, attachment()),
    (COHORT, cohort()),
    (STUDENT, student()),
    (ENROLLMENT, completed()),
)


def university() -> FakeLedger:
    """Return a ledger in which one record of each entity is live."""
    ledger = FakeLedger()
    for reference, data in UNIVERSITY:
        upsert(ledger, reference, data)
    ledger.work()
    return ledger


def upsert(ledger: FakeLedger, reference: SourceRef, data: Mapping[str, Json]) -> None:
    ledger.take(f"{reference.entity}.upserted", reference.source_id, data)


def remove(ledger: FakeLedger, reference: SourceRef) -> None:
    ledger.take(f"{reference.entity}.removed", reference.source_id)


def request(ledger: FakeLedger, reference: SourceRef = CERTIFICATE, **more: Json) -> None:
    ledger.take("certificate.requested", reference.source_id, certificate(**more))  # type: ignore[arg-type]


def revoke(
    ledger: FakeLedger, reference: SourceRef = CERTIFICATE, reason: str = "withdrawn"
) -> None:
    ledger.take("certificate.revoked", reference.source_id, {"reason_code": reason})
