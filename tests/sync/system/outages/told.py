"""What is told in the outage: a mass of students, and what hangs together among them."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

Told = tuple[str, str, dict[str, Any]]


def structure() -> Iterator[Told]:
    """Give the institution and the course of everything else."""
    yield "institution.upserted", "U", {"name": "University", "country": "Brazil"}
    yield (
        "course.upserted",
        "C",
        {"institution_id": "U", "name": "Law", "code": "LAW", "status": "active"},
    )


def graduates(count: int, *, of: str) -> Iterator[Told]:
    """Give students who completed the course, each enrollment before its student."""
    for number in range(count):
        yield (
            "enrollment.upserted",
            f"E-{of}-{number}",
            {
                "student_id": f"{of}-{number}",
                "course_id": "C",
                "enrolled_at": "2024-02-01",
                "completion_status": "completed",
                "completed_at": "2025-12-01",
                "grade": "8.75",
            },
        )
        yield student(number, of=of)


def certificates(count: int, *, of: str) -> Iterator[Told]:
    """Give a certificate for each of these students."""
    for number in range(count):
        content = f"%PDF-1.4\n% {of} {number}\n%%EOF\n".encode()
        yield (
            "certificate.requested",
            f"D-{of}-{number}",
            {
                "institution_id": "U",
                "course_id": "C",
                "student_id": f"{of}-{number}",
                "issued_at": "2026-01-15T12:00:00Z",
                "document": {"content_base64": b64encode(content).decode()},
            },
        )


def student(number: int, *, of: str) -> Told:
    """Return a student."""
    data = {
        "name": f"Student {number}",
        "email": f"{of.lower()}-{number}@example.edu",
        "date_of_birth": "2001-01-01",
    }
    return "student.upserted", f"{of}-{number}", data
