"""A sample university as source events: invented people, real relations, nothing in order.

Everything here is made up; addresses lie under `example.edu`. The same dice give the same events.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from sync.cli.sample_diploma import diploma

Event = dict[str, Any]
"""One source event as events.md describes it, ready to be written as JSON."""

SOURCE = "urn:sis:demo-university"
INSTITUTION = "DEMO"
COUNTS: Mapping[str, int] = MappingProxyType(
    {
        "institution": 1,
        "organization": 2,
        "course": 4,
        "module": 30,
        "module_group": 8,
        "course_module": 36,
        "cohort": 6,
        "student": 200,
        "enrollment": 260,
        "certificate": 120,
    }
)
"""How many records of each entity the sample has."""
REPEATS = 60
"""How many events come a second time, unchanged."""

_FACULTIES = ("Faculty of Law and Letters", "Faculty of Science")
_COURSES = ("Bachelor of Law", "Bachelor of History", "Bachelor of Biology", "Master of Physics")
_SUBJECTS = ("Introduction", "Methods", "Theory", "Practice", "Seminar", "Laboratory")
_FIELDS = ("Ethics", "Statistics", "Writing", "Field Work", "History of Science")
_GIVEN = ("Ana", "Bruno", "Célia", "Davi", "Elena", "Fábio", "Gabriela", "Hugo", "Inês", "João")
_MIDDLE = ("Maria", "Luís", "Clara", "Miguel", "Sofia")
_FAMILY = ("Almeida", "Barros", "Conceição", "Duarte", "Esteves", "Farias", "Gonçalves", "Lima")
_FIRST_DAY = date(2022, 2, 1)
_COMPLETED, _DROPPED = 150, 20


@dataclass(slots=True)
class _Campus:
    """What has been invented so far, and the dice it is invented with."""

    rng: Random
    events: list[Event] = field(default_factory=list)

    def tell(self, event_type: str, subject: str, data: Event) -> Event:
        """Add one event and return its data."""
        number = len(self.events) + 1
        self.events.append(
            {
                "specversion": "1.0",
                "id": f"demo-{number:06}",
                "source": SOURCE,
                "type": event_type,
                "subject": subject,
                "time": f"2026-02-01T09:{number // 60:02}:{number % 60:02}Z",
                "actor": "registrar",
                "data": data,
            }
        )
        return data


def sample_university(rng: Random) -> Iterator[Event]:
    """Yield the events of a whole university, out of dependency order and with repeats."""
    campus = _Campus(rng)
    _invent_structure(campus)
    _invent_modules(campus)
    people = _invent_students(campus)
    enrollments = _invent_enrollments(campus)
    _invent_certificates(campus, enrollments, people)
    told = campus.events + rng.sample(campus.events, REPEATS)
    rng.shuffle(told)
    yield from told


def _invent_structure(campus: _Campus) -> None:
    institution = {
        "name": "Demo University",
        "country": "Portugal",
        "legal_name": "Demo University Foundation",
        "tax_id": "PT-000000000",
        "website": "https://www.example.edu",
    }
    campus.tell("institution.upserted", INSTITUTION, institution)
    for number, name in enumerate(_FACULTIES, start=1):
        faculty = {"institution_id": INSTITUTION, "name": name, "code": f"F{number}"}
        campus.tell("organization.upserted", f"ORG-{number}", faculty)
    for number, name in enumerate(_COURSES, start=1):
        campus.tell("course.upserted", _course(number), _course_data(number, name))
        for part in (1, 2):
            group = {"course_id": _course(number), "name": f"Year {part}", "order": part}
            campus.tell("module_group.upserted", _group(number, part), group)
    for number in range(1, COUNTS["cohort"] + 1):
        campus.tell("cohort.upserted", f"K-{number}", _cohort_data(number))


def _course_data(number: int, name: str) -> Event:
    return {
        "institution_id": INSTITUTION,
        "name": name,
        "code": f"DEMO-{number}",
        "description": f"{name}, taught in person and remotely.",
        "workload_hours": 2400 + 200 * number,
        "version": "2022.1",
        "organization_id": f"ORG-{1 + (number - 1) // 2}",
    }


def _cohort_data(number: int) -> Event:
    return {
        "course_id": _course(_course_of_cohort(number)),
        "code": f"DEMO-2022-{number}",
        "modality": ("presential", "remote", "hybrid")[number % 3],
        "start_date": "2022-02-01",
        "end_date": "2025-12-15T18:00:00-03:00",
    }


def _invent_modules(campus: _Campus) -> None:
    names = [f"{subject} in {area}" for area in _FIELDS for subject in _SUBJECTS]
    for number, name in enumerate(names, start=1):
        module = {
            "institution_id": INSTITUTION,
            "name": name,
            "code": f"MOD-{number:02}",
            "workload": 40 + 20 * (number % 3),
            "credits": 2 + number % 3,
            "modality": ("in_person", "online", "hybrid")[number % 3],
            "level": "undergraduate",
            "is_required": number % 4 != 0,
        }
        campus.tell("module.upserted", f"M-{number:02}", module)
    shared = campus.rng.sample(range(1, len(names) + 1), COUNTS["course_module"] - len(names))
    places = [(1 + number % 4, number) for number in range(1, len(names) + 1)]
    places += [(1 + (number + 1) % 4, number) for number in shared]
    for order, (course, number) in enumerate(places, start=1):
        attachment = {
            "course_id": _course(course),
            "module_id": f"M-{number:02}",
            "order": order,
            "is_required": True,
            "module_group_id": _group(course, 1 + number % 2),
        }
        campus.tell("course_module.upserted", f"{_course(course)}:M-{number:02}", attachment)


def _invent_students(campus: _Campus) -> list[str]:
    people = []
    for number in range(1, COUNTS["student"] + 1):
        given, middle, family = (campus.rng.choice(part) for part in (_GIVEN, _MIDDLE, _FAMILY))
        person = {
            "name": f"{given} {middle} {family}",
            "email": f"student{number:03}+demo@example.edu",
            "date_of_birth": _day(campus.rng, date(1996, 1, 1), 2900),
        }
        if number % 20 == 0:
            person["social_name"] = f"{middle} {family}"
        campus.tell("student.upserted", _student(number), person)
        people.append(person["name"])
    return people


def _invent_enrollments(campus: _Campus) -> list[Event]:
    once = [(number, 1 + number % 4) for number in range(1, COUNTS["student"] + 1)]
    again = campus.rng.sample(once, COUNTS["enrollment"] - len(once))
    places = once + [(number, 1 + (number + 1) % 4) for number, _ in again]
    still = len(places) - _COMPLETED - _DROPPED
    states = ["completed"] * _COMPLETED + ["dropped"] * _DROPPED + ["enrolled"] * still
    campus.rng.shuffle(states)
    told = []
    for number, ((student, course), state) in enumerate(zip(places, states, strict=True), start=1):
        data = _enrollment_data(campus.rng, student, course, state=state)
        told.append({"enrollment_id": f"E-{number:03}", "student": student, **data})
        campus.tell("enrollment.upserted", f"E-{number:03}", data)
    return told


def _enrollment_data(rng: Random, student: int, course: int, *, state: str) -> Event:
    data: Event = {
        "student_id": _student(student),
        "course_id": _course(course),
        "enrolled_at": _day(rng, _FIRST_DAY, 28),
        "completion_status": state,
    }
    cohorts = [number for number in range(1, 7) if _course_of_cohort(number) == course]
    if rng.random() < 0.8:
        data["cohort_id"] = f"K-{rng.choice(cohorts)}"
    if state == "completed":
        data["completed_at"] = _day(rng, date(2025, 11, 1), 40)
        # Hundredths of a grade travel as text, never through a float.
        hundredths = rng.randint(500, 1000)
        data["grade"] = f"{hundredths // 100}.{hundredths % 100:02}"
    return data


def _invent_certificates(campus: _Campus, enrollments: list[Event], people: list[str]) -> None:
    completed = [each for each in enrollments if each["completion_status"] == "completed"]
    chosen = campus.rng.sample(completed, COUNTS["certificate"])
    for number, enrollment in enumerate(chosen, start=1):
        name = people[enrollment["student"] - 1]
        title = _COURSES[int(enrollment["course_id"].removeprefix("C-")) - 1]
        lines = ("Demo University", f"Diploma {number:03}", name, title, enrollment["completed_at"])
        shared = ("course_id", "student_id", "cohort_id", "enrollment_id")
        request = {key: enrollment[key] for key in shared if key in enrollment}
        content = base64.b64encode(diploma(lines)).decode("ascii")
        request |= {
            "institution_id": INSTITUTION,
            "issued_at": "2026-01-15T12:00:00Z",
            "document": {"content_base64": content},
        }
        campus.tell("certificate.requested", f"DIPLOMA-{number:03}", request)


def _course_of_cohort(number: int) -> int:
    return 1 + (number - 1) % 4


def _course(number: int) -> str:
    return f"C-{number}"


def _group(course: int, part: int) -> str:
    return f"{_course(course)}:YEAR-{part}"


def _student(number: int) -> str:
    return f"S-{number:03}"


def _day(rng: Random, first: date, days: int) -> str:
    return (first + timedelta(days=rng.randrange(days))).isoformat()
