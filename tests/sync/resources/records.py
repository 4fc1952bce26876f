"""One record of each entity that several tests speak of, and the uuids they have."""

from ledger.reference import Json, SourceRef, TargetId

TARGETS = {
    SourceRef("institution", "I"): TargetId("i-uuid"),
    SourceRef("organization", "O"): TargetId("o-uuid"),
    SourceRef("course", "C"): TargetId("c-uuid"),
    SourceRef("module", "M"): TargetId("m-uuid"),
    SourceRef("module_group", "G"): TargetId("g-uuid"),
    SourceRef("cohort", "K"): TargetId("k-uuid"),
    SourceRef("student", "S"): TargetId("s-uuid"),
    SourceRef("enrollment", "E"): TargetId("e-uuid"),
}

STUDENT: dict[str, Json] = {
    "name": "Ana de Souza",
    "email": "Ana@Example.edu",
    "date_of_birth": "2000-01-31",
}

ENROLLMENT: dict[str, Json] = {
    "student_id": "S",
    "course_id": "C",
    "enrolled_at": "2026-02-01",
    "cohort_id": "K",
}

CERTIFICATE: dict[str, Json] = {
    "institution_id": "I",
    "course_id": "C",
    "student_id": "S",
    "cohort_id": "K",
    "enrollment_id": "E",
    "template_uuid": "t-uuid",
    "issued_at": "2026-02-01T00:00:00Z",
    "document": {"sha256": "0" * 64},
}

COURSE: dict[str, Json] = {"institution_id": "I", "name": "Law", "code": "LAW-1"}
