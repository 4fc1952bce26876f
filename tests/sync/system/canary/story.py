"""People whose every field is marked, in events of every kind, and in lines that are refused."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.sync.system.canary.echoing import REFUSED_EMAIL
from tests.sync.system.canary.markers import MARKERS, OTHER_PDF, PDF
from tests.sync.system.strangers import Strangers
from tests.sync.system.university import CATALOGUE

SOURCE = "urn:sis:canary"
QUOTE = chr(34)
SHARED_EMAIL = "shared@qanarhost.example"
Event = dict[str, Any]
_COURSE = {"C-2", "U"}


def event(number: int, event_type: str, subject: str, data: Event | None) -> Event:
    """Return a source event with a marked actor."""
    made: Event = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": SOURCE,
        "type": event_type,
        "subject": subject,
        "actor": MARKERS["actor"],
    }
    return made if data is None else {**made, "data": data}


def person(**changes: str) -> Event:
    """Return a student of whom every field is marked."""
    return {
        "name": f"{MARKERS['name']} {MARKERS['family name']}",
        "social_name": MARKERS["social name"],
        "email": MARKERS["e-mail"],
        "date_of_birth": MARKERS["birth"],
        "gender": MARKERS["gender"],
        **changes,
    }


def _enrollment(student: str) -> Event:
    return {
        "student_id": student,
        "course_id": "C-2",
        "enrolled_at": MARKERS["enrolled"],
        "completed_at": MARKERS["completed"],
        "completion_status": "completed",
        "grade": MARKERS["grade"].strip(QUOTE),
    }


def _certificate(document: Event) -> Event:
    return {
        "institution_id": "U",
        "course_id": "C-2",
        "student_id": "S-1",
        "enrollment_id": "E-1",
        "issued_at": MARKERS["issued"],
        "document": document,
    }


def accepted() -> list[Event]:
    """Return events that are taken: some succeed, one is refused by DokStamp, one is held."""
    content = {"content_base64": b64encode(PDF).decode()}
    told = [(kind, name, data) for kind, name, data in CATALOGUE if name in _COURSE]
    told += [
        ("student.upserted", "S-1", person()),
        ("student.upserted", "S-2", person(email=REFUSED_EMAIL)),
        ("student.upserted", "S-3", person(email=SHARED_EMAIL)),
        ("enrollment.upserted", "E-1", _enrollment("S-1")),
        ("enrollment.upserted", "E-2", _enrollment("S-2")),
        ("certificate.requested", "D-1", _certificate(content)),
    ]
    return [event(number, *each) for number, each in enumerate(told, start=1)]


def changed() -> list[Event]:
    """Return what comes later: a changed address, another certificate that is held, an end."""
    content = {"content_base64": b64encode(OTHER_PDF).decode()}
    told: list[tuple[str, str, Event | None]] = [
        ("student.upserted", "S-1", person(email=f"new.{MARKERS['e-mail']}")),
        ("certificate.requested", "D-1", _certificate(content)),
        ("student.upserted", "S-4", person(email=f"fourth.{MARKERS['e-mail']}")),
        ("certificate.revoked", "D-1", {"reason_code": "data_correction"}),
    ]
    return [event(number, *each) for number, each in enumerate(told, start=100)]


def refused() -> list[bytes]:
    """Return lines that are refused, each for a reason of its own."""
    value, broken = MARKERS["refused value"], MARKERS["broken line"]
    wrong: list[tuple[str, str, Event | None]] = [
        ("student.upserted", "S-9", person(email=value, date_of_birth=value, gender=value)),
        ("student.upserted", "S-9", person(**{MARKERS["refused name of a field"]: value})),
        ("student.upserted", MARKERS["refused id"], person()),
        (
            "enrollment.upserted",
            "E-9",
            {**_enrollment("S-9"), "grade": value, "enrolled_at": value},
        ),
        ("enrollment.upserted", "E-8", {"student_id": MARKERS["refused id"], "course_id": "C-1"}),
        ("certificate.requested", "D-9", _certificate({"path": f"{value}.pdf"})),
        ("certificate.requested", "D-8", _certificate({"content_base64": value})),
        ("certificate.revoked", "D-7", {"reason_code": value}),
        ("student.upserted", "S-1", person(name=broken)),
    ]
    lines = [json.dumps(event(number, *each)).encode() for number, each in enumerate(wrong, 200)]
    # The last one has the id of an event that says something else.
    lines[-1] = lines[-1].replace(b'"e-208"', b'"e-3"')
    lines += [
        f'{{"specversion": "1.0", "data": {{"name": "{broken}"'.encode(),
        f'["{broken}"]'.encode(),
        f'"{broken}"'.encode(),
        broken.encode() + b"\xff\xfe",
        json.dumps({**event(300, "student.upserted", "S-9", person()), "time": broken}).encode(),
        json.dumps({**event(301, "student.upserted", "S-9", None), "data": broken}).encode(),
        json.dumps(event(302, "student.removed", "S-9", person())).encode(),
        json.dumps({**event(303, "student.upserted", "S-9", person()), "actor": [broken]}).encode(),
        b'{"id": "e-304", "id": "' + broken.encode() + b'"}',
    ]
    return lines


def write(folder: Path) -> tuple[str, str, str]:
    """Write two files of events and one document, outside the ledger's folder."""
    first, second, document = (folder / name for name in ("first", "second", "document.pdf"))
    told = [json.dumps(each).encode() for each in accepted()]
    first.write_bytes(b"\n".join([*told, *refused()]) + b"\n")
    second.write_bytes(b"\n".join(json.dumps(each).encode() for each in changed()) + b"\n")
    document.write_bytes(OTHER_PDF)
    return str(first), str(second), str(document)


def meet_strangers(strangers: Strangers) -> None:
    """Let somebody else have a record with an address of ours, and another birth date."""
    name, born = MARKERS["stranger"], "1999-01-02"
    strangers._make("/students", {"name": name, "email": SHARED_EMAIL, "date_of_birth": born})


def parsed(line: bytes) -> Event:
    """Return a line as a host would hand it over; raises `ValueError` for what is no object."""
    made = json.loads(line)
    if not isinstance(made, dict):
        raise ValueError
    return made
