"""Events as a source would write them."""

import json
from typing import Any

DATA: dict[str, dict[str, object]] = {
    "course.upserted": {"institution_id": "DEMO", "name": "Computer Science", "code": "CS"},
    "student.upserted": {
        "name": "Ada Example",
        "email": "ada@example.org",
        "date_of_birth": "2001-02-03",
    },
    "enrollment.upserted": {
        "student_id": "S-1",
        "course_id": "CS",
        "enrolled_at": "2026-02-01",
    },
    "certificate.requested": {
        "institution_id": "DEMO",
        "course_id": "CS",
        "student_id": "S-1",
    },
}


def envelope(number: int = 1, kind: str = "course.upserted", **changes: Any) -> dict[str, Any]:
    """Return a whole envelope; `data` given as changes is laid over the usual data."""
    data = changes.pop("data", {})
    usual = DATA.get(kind)
    return {
        "specversion": "1.0",
        "id": f"evt-{number}",
        "source": "urn:sis:demo",
        "type": kind,
        "subject": f"R-{number}",
        **({"data": {**usual, **data}} if usual is not None else {}),
        **changes,
    }


def line(*args: Any, **changes: Any) -> bytes:
    """Return the line that holds such an envelope."""
    return json.dumps(envelope(*args, **changes), ensure_ascii=False).encode() + b"\n"
