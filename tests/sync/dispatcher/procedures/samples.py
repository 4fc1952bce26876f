"""Records of a small university, and operations on them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from ledger.reference import Json, SourceRef, TargetId
from sync.dispatcher.step import Work
from sync.resources.catalog import resource
from sync.resources.definition import Kind
from tests.sync.dispatcher.procedures.transcript import operation, target

INSTITUTION: dict[str, Json] = {
    "name": "Demo University",
    "country": "Brazil",
    "tax_id": "12.345",
    "status": "active",
}
ORGANIZATION: dict[str, Json] = {"institution_id": "DEMO", "name": "Science", "code": "SCI"}
COURSE: dict[str, Json] = {
    "institution_id": "DEMO",
    "name": "Computer Science",
    "code": "CS",
    "workload_hours": 3200,
    "status": "active",
}
MODULE: dict[str, Json] = {"institution_id": "DEMO", "name": "Algebra", "code": "MA1"}
GROUP: dict[str, Json] = {"course_id": "CS", "name": "Semester 1", "order": 1}
COHORT: dict[str, Json] = {"course_id": "CS", "code": "CS-2024", "modality": "presential"}
STUDENT: dict[str, Json] = {
    "name": "Ana Souza",
    "email": "ana+sis@example.edu",
    "date_of_birth": "2001-05-03",
}
ENROLLMENT: dict[str, Json] = {
    "student_id": "S-1",
    "course_id": "CS",
    "cohort_id": "CS-2024",
    "enrolled_at": "2024-02-01",
    "completion_status": "completed",
    "completed_at": "2025-12-10",
    "grade": "8.75",
}
ATTACHMENT: dict[str, Json] = {
    "course_id": "CS",
    "module_id": "MA1",
    "order": 1,
    "module_group_id": "G-1",
}
CERTIFICATE: dict[str, Json] = {
    "institution_id": "DEMO",
    "course_id": "CS",
    "student_id": "S-1",
    "enrollment_id": "E-1",
    "document": {"sha256": "ab" * 32},
    "issued_at": "2025-12-20T00:00:00Z",
}
PDF = b"%PDF-1.7 a small diploma"

WANTED: dict[str, tuple[str, dict[str, Json]]] = {
    "institution": ("DEMO", INSTITUTION),
    "organization": ("SCI", ORGANIZATION),
    "course": ("CS", COURSE),
    "module": ("MA1", MODULE),
    "module_group": ("G-1", GROUP),
    "course_module": ("CS:MA1", ATTACHMENT),
    "cohort": ("CS-2024", COHORT),
    "student": ("S-1", STUDENT),
    "enrollment": ("E-1", ENROLLMENT),
    "certificate": ("C-1", CERTIFICATE),
}


def bindings(entity: str, *states: Mapping[str, Json] | None) -> dict[SourceRef, TargetId]:
    """Return the uuids of every record that these states name."""
    named = (ref.ref for state in states if state for ref in resource(entity).references(state))
    return {reference: target(reference) for reference in named}


def upsert(entity: str, source_id: str = "", **more: Any) -> Work:
    """Return an operation that makes a sample record; `wanted` replaces single fields."""
    sample_id, sample = WANTED[entity]
    wanted = {**sample, **more.pop("wanted", {})}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    reference = SourceRef(entity, source_id or sample_id)
    return Work(
        operation(reference, Kind.UPSERT),
        Kind.UPSERT,
        reference,
        wanted=wanted,
        targets=bindings(entity, wanted, more.get("sent")),
        **more,
    )


def change(entity: str, **more: Any) -> Work:
    """Return an operation that changes fields of a sample record that was sent before."""
    sample_id, sample = WANTED[entity]
    more.setdefault("sent", sample)
    more.setdefault("target", own_target(entity, sample))
    return upsert(entity, sample_id, **more)


def removal(entity: str, source_id: str = "", **more: Any) -> Work:
    """Return an operation that retires a bound sample record."""
    sample_id, sample = WANTED[entity]
    reference = SourceRef(entity, source_id or sample_id)
    more.setdefault("sent", sample)
    more.setdefault("target", own_target(entity, more["sent"]))
    targets = bindings(entity, more["sent"])
    return Work(operation(reference, Kind.RETIRE), Kind.RETIRE, reference, targets=targets, **more)


def request_for_certificate(**more: Any) -> Work:
    """Return an operation that issues the sample certificate."""
    wanted = {**CERTIFICATE, **more.pop("wanted", {})}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    more.setdefault("document", PDF)
    more.setdefault("today", date(2025, 12, 21))
    reference = SourceRef("certificate", "C-1")
    targets = bindings("certificate", wanted)
    key = operation(reference, Kind.ISSUE)
    return Work(key, Kind.ISSUE, reference, wanted=wanted, targets=targets, **more)


def revocation(reason_code: str = "issued_in_error", **more: Any) -> Work:
    """Return an operation that revokes the sample certificate."""
    reference = SourceRef("certificate", "C-1")
    more.setdefault("target", target(reference))
    key = operation(reference, Kind.REVOKE)
    wanted: dict[str, Json] = {"reason_code": reason_code}
    return Work(key, Kind.REVOKE, reference, wanted=wanted, sent=CERTIFICATE, **more)


def own_target(entity: str, sample: Mapping[str, Json]) -> TargetId:
    """Return the uuid of a sample record, a pair for an attachment."""
    if entity != "course_module":
        return target(SourceRef(entity, WANTED[entity][0]))
    course = target(SourceRef("course", str(sample["course_id"])))
    module = target(SourceRef("module", str(sample["module_id"])))
    return TargetId(f"{course}/{module}")


def row(entity: str, uuid: str = "", **changes: object) -> dict[str, object]:
    """Return a sample record as DokStamp shows it, with these fields changed."""
    sample_id, sample = WANTED[entity]
    shown: dict[str, object] = {"uuid": uuid or target(SourceRef(entity, sample_id))}
    body = resource(entity).body(sample, bindings(entity, sample))
    for name, value in body.items():
        if name.endswith("_uuid"):
            shown[name.removesuffix("_uuid")] = {"uuid": value, "name": "shown"}
        else:
            shown[name] = value
    return {**shown, **changes}
