"""Events for short histories: each takes what differs from the usual."""

from base64 import b64encode
from typing import Any

from tests.sync.system.scenario_stage import SOURCE, Event


def event(event_type: str, subject: str, data: Event | None = None, **attributes: Any) -> Event:
    """Return an event without its id."""
    told = {"specversion": "1.0", "source": SOURCE, "type": event_type, "subject": subject}
    return {**told, **({} if data is None else {"data": data}), **attributes}


def institution(**data: Any) -> Event:
    usual = {"name": "Scenario University", "country": "Portugal", "tax_id": "PT-9"}
    return event("institution.upserted", "U", {**usual, **data})


def organization(subject: str = "O-1", **data: Any) -> Event:
    usual = {"institution_id": "U", "name": "Letters", "code": "LET"}
    return event("organization.upserted", subject, {**usual, **data})


def course(subject: str = "C-1", **data: Any) -> Event:
    usual = {"institution_id": "U", "name": "Law", "code": f"CODE-{subject}"}
    return event("course.upserted", subject, {**usual, **data})


def module(subject: str = "M-1", **data: Any) -> Event:
    usual = {"institution_id": "U", "name": f"Module {subject}", "code": subject}
    return event("module.upserted", subject, {**usual, **data})


def group(subject: str = "G-1", **data: Any) -> Event:
    usual = {"course_id": "C-1", "name": f"Group {subject}"}
    return event("module_group.upserted", subject, {**usual, **data})


def attachment(subject: str = "A-1", **data: Any) -> Event:
    usual = {"course_id": "C-1", "module_id": "M-1"}
    return event("course_module.upserted", subject, {**usual, **data})


def cohort(subject: str = "K-1", **data: Any) -> Event:
    usual = {"course_id": "C-1", "code": f"CODE-{subject}"}
    return event("cohort.upserted", subject, {**usual, **data})


def student(subject: str = "S-1", *, attributes: Event | None = None, **data: Any) -> Event:
    usual = {
        "name": f"Person {subject}",
        "email": f"{subject.lower()}@example.edu",
        "date_of_birth": "2001-03-04",
    }
    return event("student.upserted", subject, {**usual, **data}, **(attributes or {}))


def enrollment(subject: str = "E-1", **data: Any) -> Event:
    usual = {"student_id": "S-1", "course_id": "C-1", "enrolled_at": "2024-02-01"}
    return event("enrollment.upserted", subject, {**usual, **data})


def completed(subject: str = "E-1", **data: Any) -> Event:
    ended = {"completion_status": "completed", "completed_at": "2025-12-01", "grade": "8.75"}
    return enrollment(subject, **{**ended, **data})


def certificate(subject: str = "D-1", *, text: str = "", **data: Any) -> Event:
    content = f"%PDF-1.4\n% {subject} {text}\n%%EOF\n".encode()
    usual = {
        "institution_id": "U",
        "course_id": "C-1",
        "student_id": "S-1",
        "issued_at": "2026-01-15T12:00:00Z",
        "document": {"content_base64": b64encode(content).decode()},
    }
    return event("certificate.requested", subject, {**usual, **data})


def revoked(subject: str = "D-1", reason_code: str = "issued_in_error") -> Event:
    return event("certificate.revoked", subject, {"reason_code": reason_code})


def removed(entity: str, subject: str) -> Event:
    return event(f"{entity}.removed", subject)
