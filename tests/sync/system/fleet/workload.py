"""A faculty of many students: what several hosts can share, and what keeps an order."""

from collections.abc import Mapping
from typing import Any

from sync.simulator import Simulator
from tests.sync.system.university import Event, Told

COURSES = 3
NATURAL_KEYS = {"students": "email", "courses": "code", "institutions": "tax_id"}


def _student(number: int, **values: Any) -> Event:
    return {
        "name": f"Student Number {number}",
        "email": f"student{number}@example.edu",
        "date_of_birth": "2001-03-04",
        **values,
    }


def beginning(students: int, *, first: int = 1) -> tuple[Told, ...]:
    """Return the events of a faculty, its students and their enrollments."""
    faculty: list[Told] = [
        ("institution.upserted", "U", {"name": "Faculty", "country": "Portugal", "tax_id": "PT-1"})
    ]
    faculty += [
        (
            "course.upserted",
            f"C-{number}",
            {"institution_id": "U", "name": f"Course {number}", "code": f"C{number}"},
        )
        for number in range(1, COURSES + 1)
    ]
    enrollments: list[Told] = [
        (
            "enrollment.upserted",
            f"E-{number}",
            {
                "student_id": f"S-{number}",
                "course_id": f"C-{number % COURSES + 1}",
                "enrolled_at": "2024-02-01",
            },
        )
        for number in range(first, first + students)
    ]
    return (*(faculty if first == 1 else ()), *people(students, first=first), *enrollments)


def people(students: int, *, first: int = 1) -> tuple[Told, ...]:
    """Return students alone, who depend on nothing."""
    return tuple(
        ("student.upserted", f"S-{number}", _student(number))
        for number in range(first, first + students)
    )


def changes(students: int, name: str) -> tuple[Told, ...]:
    """Return a change of every student, which has to come after what was told before."""
    return tuple(
        ("student.upserted", f"S-{number}", _student(number, social_name=f"{name} {number}"))
        for number in range(1, students + 1)
    )


def keys_of(simulator: Simulator) -> Mapping[str, str]:
    """Return which record each natural key leads to."""
    return {
        f"{table}/{str(row[column]).casefold()}": f"{table}/{row['uuid']}"
        for table, column in NATURAL_KEYS.items()
        for row in simulator.records(table)
    }
