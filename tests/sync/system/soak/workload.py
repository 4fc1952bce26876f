"""What a source tells for hours: a university that is edited all the time, and grows a little.

Event number n is always the same one, so that who is killed can be told again from where it was.
In each fifty there are a new student with an enrollment, sometimes a certificate, a duplicate, one
that changes nothing, and for the rest changes: some records are changed again and again.
"""

from base64 import b64encode
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from tests.sync.system.university import SOURCE, Event, Told, diploma

STUDENTS: Final = 400
COURSES: Final = 10
MODULES: Final = 20
COHORTS: Final = 4
CYCLE: Final = 50
DUPLICATE_AFTER: Final = 7
SKEW: Final = 3
"""How unevenly changes fall: with 1 all records alike, with 3 half of them on an eighth."""


def told(number: int) -> Told:
    """Return what event number n tells."""
    base = _base()
    if number < len(base):
        return base[number]
    return _later(number - len(base), Random(number))


def event(number: int) -> Event:
    """Return event number n as a source sends it; some are sent a second time."""
    original = _original(number)
    event_type, subject, data = told(original)
    return {
        "specversion": "1.0",
        "id": f"soak-{original}",
        "source": SOURCE,
        "type": event_type,
        "subject": subject,
        "data": data,
    }


def all_told(count: int) -> Iterator[Told]:
    """Give what the first so many events tell, without the duplicates."""
    return (told(number) for number in range(count) if _original(number) == number)


def _original(number: int) -> int:
    later = number - len(_base())
    return number - DUPLICATE_AFTER if later >= CYCLE and later % CYCLE == 15 else number


_BASE: list[Told] = []


def _base() -> list[Told]:
    if not _BASE:
        _BASE.append(("institution.upserted", "U", _institution()))
        _BASE.extend(_course(each, 0) for each in range(COURSES))
        _BASE.extend(_module(each, 0) for each in range(MODULES))
        _BASE.extend(_attachment(each) for each in range(MODULES))
        _BASE.extend(_cohort(each) for each in range(COHORTS))
        _BASE.extend(_student(f"{each}", 0) for each in range(STUDENTS))
        _BASE.extend(_enrollment(f"{each}", 0) for each in range(STUDENTS))
    return _BASE


def _later(number: int, rng: Random) -> Told:
    cycle, slot = divmod(number, CYCLE)
    new = f"new-{cycle}"
    match slot:
        case 0:
            found = _student(new, 0)
        case 5:
            found = _enrollment(new, 0)
        case 10 if cycle % 2:
            found = _certificate(new, cycle)
        case 20:
            found = _cohort(cycle % COHORTS)
        case 25:
            found = _course(rng.randrange(COURSES), number)
        case 26:
            found = _module(rng.randrange(MODULES), number)
        case _:
            changed = int(STUDENTS * rng.random() ** SKEW)
            found = (_student, _enrollment)[slot % 2](str(changed), number)
    return found


def _institution() -> Event:
    return {"name": "Soak University", "country": "Brazil", "tax_id": "11.222.333/0001-81"}


def _course(number: int, version: int) -> Told:
    data = {"institution_id": "U", "code": f"C{number}", "name": f"Course {number}, {version}"}
    return "course.upserted", f"C-{number}", data


def _module(number: int, version: int) -> Told:
    data = {"institution_id": "U", "code": f"M{number}", "name": f"Module {number}, {version}"}
    return "module.upserted", f"M-{number}", data


def _attachment(module: int) -> Told:
    data = {"course_id": f"C-{module % COURSES}", "module_id": f"M-{module}"}
    return "course_module.upserted", f"A-{module}", data


def _cohort(number: int) -> Told:
    data = {"course_id": f"C-{number}", "code": f"K{number}"}
    return "cohort.upserted", f"K-{number}", data


def _student(name: str, version: int) -> Told:
    data: dict[str, Any] = {
        "name": f"Person {name}",
        "email": f"person-{name}@example.edu",
        "date_of_birth": "2001-03-01",
    }
    if version:
        data["social_name"] = f"Called {version}"
    return "student.upserted", f"S-{name}", data


def _enrollment(name: str, version: int) -> Told:
    data = {
        "student_id": f"S-{name}",
        "course_id": f"C-{len(name) % COURSES}",
        "enrolled_at": "2024-02-01",
        "completion_status": "completed",
        "completed_at": "2025-12-01",
        "grade": f"{5 + version % 500 / 100:.2f}",
    }
    return "enrollment.upserted", f"E-{name}", data


def _certificate(name: str, number: int) -> Told:
    data = {
        "student_id": f"S-{name}",
        "enrollment_id": f"E-{name}",
        "institution_id": "U",
        "course_id": f"C-{len(name) % COURSES}",
        "issued_at": "2026-01-15T12:00:00Z",
        "document": {"content_base64": b64encode(diploma(number)).decode()},
    }
    return "certificate.requested", f"D-{name}", data
