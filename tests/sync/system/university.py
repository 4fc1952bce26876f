"""A small university in two terms: everything is made in the first, and changed in the second.

Invented people. Every entity is there, every kind of reference, and each change that means a
call of its own: a new e-mail address, another cohort, a moved module, removals, a revocation.
"""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

SOURCE = "urn:sis:system-test"
Event = dict[str, Any]
Told = tuple[str, str, Event | None]
"""Type, subject and data of an event."""


def diploma(number: int) -> bytes:
    return b"%PDF-1.4\n% diploma " + str(number).encode() + b"\n%%EOF\n"


def _certificate(number: int, **values: Any) -> Event:
    return {
        "institution_id": "U",
        "course_id": "C-1",
        "issued_at": "2026-01-15T12:00:00Z",
        "document": {"content_base64": b64encode(diploma(number)).decode()},
        **values,
    }


def _enrollment(student: int, **values: Any) -> Event:
    return {"student_id": f"S-{student}", "enrolled_at": "2024-02-01", **values}


def _completed(student: int, grade: str, **values: Any) -> Event:
    ended = {"completion_status": "completed", "completed_at": "2025-12-01", "grade": grade}
    return _enrollment(student, **ended, **values)


def _student(number: int, **values: Any) -> Event:
    return {
        "name": f"Person Number {number}",
        "email": f"person{number}+sis@example.edu",
        "date_of_birth": f"2001-03-0{number}",
        **values,
    }


def _attachment(course: str, module: str, **values: Any) -> Event:
    return {"course_id": course, "module_id": module, **values}


CERTIFICATES: tuple[Told, ...] = (
    ("certificate.requested", "D-1", _certificate(1, student_id="S-1", enrollment_id="E-1")),
    (
        "certificate.requested",
        "D-2",
        _certificate(2, student_id="S-2", enrollment_id="E-2", cohort_id="K-1"),
    ),
    (
        "certificate.requested",
        "D-3",
        _certificate(3, student_id="S-1", course_id="C-2", issued_at="2026-01-20"),
    ),
)
PEOPLE: tuple[Told, ...] = (
    ("enrollment.upserted", "E-1", _completed(1, "8.75", course_id="C-1")),
    ("enrollment.upserted", "E-2", _completed(2, "10", course_id="C-1", cohort_id="K-1")),
    ("enrollment.upserted", "E-3", _enrollment(3, course_id="C-1", cohort_id="K-1")),
    ("enrollment.upserted", "E-4", _enrollment(4, course_id="C-2", cohort_id="K-2")),
    ("enrollment.upserted", "E-5", _enrollment(5, course_id="C-2")),
    ("student.upserted", "S-1", _student(1)),
    ("student.upserted", "S-2", _student(2, social_name="Two")),
    ("student.upserted", "S-3", _student(3)),
    ("student.upserted", "S-4", _student(4, gender="female")),
    ("student.upserted", "S-5", _student(5)),
)
COURSES: tuple[Told, ...] = (
    (
        "course_module.upserted",
        "C-1:M-1",
        _attachment("C-1", "M-1", order=1, module_group_id="G-1"),
    ),
    ("course_module.upserted", "C-1:M-2", _attachment("C-1", "M-2", order=2, is_required=True)),
    ("course_module.upserted", "C-1:M-3", _attachment("C-1", "M-3", module_group_id="G-2")),
    ("course_module.upserted", "C-2:M-1", _attachment("C-2", "M-1", workload=30)),
    ("module_group.upserted", "G-1", {"course_id": "C-1", "name": "Year 1", "order": 1}),
    ("module_group.upserted", "G-2", {"course_id": "C-1", "name": "Year 2", "order": 2}),
    (
        "cohort.upserted",
        "K-1",
        {
            "course_id": "C-1",
            "code": "L-2024",
            "modality": "presential",
            "start_date": "2024-02-01",
        },
    ),
    ("cohort.upserted", "K-2", {"course_id": "C-2", "code": "B-2024"}),
)
CATALOGUE: tuple[Told, ...] = (
    ("module.upserted", "M-1", {"institution_id": "U", "name": "Ethics", "code": "ETH"}),
    (
        "module.upserted",
        "M-2",
        {"institution_id": "U", "name": "Writing", "code": "WRI", "workload": 60, "credits": 4},
    ),
    (
        "module.upserted",
        "M-3",
        {"institution_id": "U", "name": "Roman Law", "code": "ROM", "modality": "in_person"},
    ),
    (
        "module.upserted",
        "M-4",
        {"institution_id": "U", "name": "Statistics", "code": "STA", "is_required": True},
    ),
    (
        "course.upserted",
        "C-1",
        {
            "institution_id": "U",
            "name": "Law",
            "code": "LAW",
            "workload_hours": 3200,
            "organization_id": "O-1",
        },
    ),
    ("course.upserted", "C-2", {"institution_id": "U", "name": "Biology", "code": "BIO"}),
    ("organization.upserted", "O-1", {"institution_id": "U", "name": "Letters", "code": "LET"}),
    ("organization.upserted", "O-2", {"institution_id": "U", "name": "Science", "code": "SCI"}),
    (
        "institution.upserted",
        "U",
        {"name": "University of Tests", "country": "Portugal", "tax_id": "PT-1"},
    ),
)
FIRST_TERM: tuple[Told, ...] = CERTIFICATES + PEOPLE + COURSES + CATALOGUE
"""Everything, each record before what it names."""

SECOND_TERM: tuple[Told, ...] = (
    ("student.upserted", "S-3", _student(3, email="changed@example.edu")),
    ("student.upserted", "S-4", _student(4, social_name="Quatro")),
    (
        "module.upserted",
        "M-4",
        {"institution_id": "U", "name": "Applied Statistics", "code": "STA", "is_required": True},
    ),
    ("enrollment.upserted", "E-3", _completed(3, "7.5", course_id="C-1", cohort_id="K-1")),
    (
        "certificate.requested",
        "D-4",
        _certificate(4, student_id="S-3", enrollment_id="E-3"),
    ),
    ("course_module.upserted", "C-1:M-2", _attachment("C-1", "M-2", order=5, is_required=True)),
    ("course_module.removed", "C-1:M-3", None),
    ("module.removed", "M-1", None),
    ("module_group.removed", "G-2", None),
    ("enrollment.removed", "E-5", None),
    ("organization.removed", "O-2", None),
    ("student.removed", "S-5", None),
    ("certificate.revoked", "D-2", {"reason_code": "issued_in_error"}),
    ("course.removed", "C-2", None),
)
"""Changes of every kind; nothing of it is made twice."""


def events(told: Iterable[Told], *, first: int = 1) -> list[Event]:
    """Return source events as a file holds them."""
    made = []
    for number, (event_type, subject, data) in enumerate(told, start=first):
        event = {
            "specversion": "1.0",
            "id": f"e-{number}",
            "source": SOURCE,
            "type": event_type,
            "subject": subject,
        }
        made.append(event if data is None else {**event, "data": data})
    return made
