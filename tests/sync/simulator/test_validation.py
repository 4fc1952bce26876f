"""Field rules: what each resource demands, and what it says when a field is wrong."""

import pytest

from tests.sync.simulator.practice import Practice, decoded, errors

UNKNOWN = "3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b"
STUDENT = {"name": "One", "email": "one@example.org", "date_of_birth": "2000-02-03"}
# Resource, body without its references, and the fields that must be complained about.
WRONG: list[tuple[str, dict[str, object], set[str]]] = [
    ("institutions", {}, {"name", "country"}),
    ("institutions", {"name": "", "country": " "}, {"name", "country"}),
    ("institutions", {"name": "x" * 256, "country": "Brazil"}, {"name"}),
    ("institutions", {"name": "U", "country": "Brazil", "status": "archived"}, {"status"}),
    ("institutions", {"name": "U", "country": "Brazil", "website": "nowhere"}, {"website"}),
    (
        "institutions",
        {"name": "U", "country": "Brazil", "is_badges_enabled": True},
        {"badge_image_uuid"},
    ),
    ("organizations", {}, {"name", "institution_uuid"}),
    ("courses", {}, {"name", "institution_uuid"}),
    ("courses", {"name": "C", "status": "inactive"}, {"status", "institution_uuid"}),
    ("courses", {"name": "C", "workload_hours": "80"}, {"workload_hours", "institution_uuid"}),
    ("courses", {"name": "C", "institution_uuid": 7}, {"institution_uuid"}),
    ("courses", {"name": "C", "institution_uuid": "not-a-uuid"}, {"institution_uuid"}),
    ("courses", {"name": "C", "institution_uuid": UNKNOWN}, {"institution_uuid"}),
    ("modules", {"name": "x" * 151, "code": "x" * 21}, {"name", "code", "institution_uuid"}),
    ("modules", {"name": "M", "credits": 4.5}, {"credits", "institution_uuid"}),
    ("modules", {"name": "M", "workload": -1}, {"workload", "institution_uuid"}),
    ("modules", {"name": "M", "modality": "presential"}, {"modality", "institution_uuid"}),
    ("modules", {"name": "M", "is_active": 1}, {"is_active", "institution_uuid"}),
    ("cohorts", {}, {"course_uuid", "code"}),
    ("cohorts", {"code": "A", "modality": "in_person"}, {"modality", "course_uuid"}),
    ("cohorts", {"code": "A", "start_date": "soon"}, {"start_date", "course_uuid"}),
    ("students", {}, {"name", "email", "date_of_birth"}),
    ("students", {**STUDENT, "email": "nobody"}, {"email"}),
    ("students", {**STUDENT, "date_of_birth": "2000-02-30"}, {"date_of_birth"}),
    ("students", {**STUDENT, "date_of_birth": "03/02/2000"}, {"date_of_birth"}),
    ("students", {**STUDENT, "name": 5}, {"name"}),
    ("enrollments", {}, {"student_uuid", "course_uuid", "enrolled_at"}),
    (
        "enrollments",
        {"completion_status": "passed", "grade": -1, "enrolled_at": "2026-02-01T00:00:00Z"},
        {"completion_status", "grade", "enrolled_at", "student_uuid", "course_uuid"},
    ),
    ("certificate-templates", {}, {"name", "version", "institution_uuid", "path"}),
    (
        "certificates",
        {"finish": "yes", "status": "revoked"},
        {"finish", "status", "institution_uuid", "course_uuid", "student_uuid", "file_uuid"},
    ),
]


@pytest.mark.parametrize(("resource", "body", "fields"), WRONG)
def test_a_wrong_body_is_refused_with_every_fault(
    resource: str, body: dict[str, object], fields: set[str]
) -> None:
    response = Practice().call("POST", f"/{resource}", body)

    assert errors(response).keys() == fields


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "The institution uuid field must be a valid UUID."),
        (UNKNOWN, "The selected institution uuid is invalid."),
        (None, "The institution uuid field is required."),
    ],
)
def test_a_reference_is_refused_in_the_words_of_the_contract(value: object, message: str) -> None:
    response = Practice().call("POST", "/courses", {"name": "C", "institution_uuid": value})

    assert errors(response)["institution_uuid"] == [message]
    assert decoded(response)["message"] == message


def test_a_reference_to_a_deleted_record_is_refused() -> None:
    practice = Practice()
    institution = practice.institution()
    practice.call("DELETE", f"/institutions/{institution}")

    response = practice.call("POST", "/courses", {"name": "C", "institution_uuid": institution})

    assert errors(response)["institution_uuid"] == ["The selected institution uuid is invalid."]


@pytest.mark.parametrize("grade", [0, 10, 8.75, 9.5])
def test_grades_of_two_decimals_are_taken(grade: float) -> None:
    practice = Practice()
    course = practice.course(practice.institution())

    enrollment = practice.enrollment(practice.student(), course, grade=grade)

    assert practice.get(f"/enrollments/{enrollment}")["data"]["grade"] == grade


@pytest.mark.parametrize("grade", [8.756, 10.01, "8.75", True])
def test_other_grades_are_refused(grade: object) -> None:
    practice = Practice()
    fields = {
        "student_uuid": practice.student(),
        "course_uuid": practice.course(practice.institution()),
        "enrolled_at": "2026-02-01",
        "grade": grade,
    }

    assert errors(practice.call("POST", "/enrollments", fields)).keys() == {"grade"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-02-01T09:30:00Z", "2026-02-01T09:30:00.000000Z"),
        ("2026-02-01T09:30:00.250Z", "2026-02-01T09:30:00.250000Z"),
        ("2026-02-01T09:30:00-03:00", "2026-02-01T12:30:00.000000Z"),
        ("2026-02-01", "2026-02-01T00:00:00.000000Z"),
    ],
)
def test_datetimes_come_back_in_utc_with_microseconds(sent: str, shown: str) -> None:
    practice = Practice()
    course = practice.course(practice.institution())

    cohort = practice.make("/cohorts", course_uuid=course, code="A", start_date=sent)

    assert practice.get(f"/cohorts/{cohort}")["data"]["start_date"] == shown


def test_uuids_are_case_insensitive() -> None:
    practice = Practice()
    institution = practice.institution()

    course = practice.course(institution.upper())

    assert practice.get(f"/courses/{course.upper()}")["data"]["institution"]["uuid"] == institution


def test_unknown_fields_are_dropped() -> None:
    practice = Practice()

    student = practice.make("/students", **STUDENT, country="Brazil")

    assert "country" not in practice.get(f"/students/{student}")["data"]


def test_a_body_that_is_not_json_is_malformed() -> None:
    practice = Practice()
    headers = practice.headers() | {"Content-Type": "application/json"}

    for body in (b"{", b"[1]", b'{"grade": NaN}'):
        assert practice.send("POST", "/students", headers=headers, body=body).status == 400


def test_any_text_comes_back_as_it_was_sent() -> None:
    practice = Practice()
    name = "Çağlar \ud800 \u0000 \U0001f393"

    student = practice.make("/students", **{**STUDENT, "name": name})

    assert practice.get(f"/students/{student}")["data"]["name"] == name


def test_a_json_body_without_its_content_type_counts_as_empty() -> None:
    practice = Practice()

    response = practice.send("POST", "/institutions", headers=practice.headers(), body=b"{}")

    assert errors(response).keys() == {"name", "country"}
