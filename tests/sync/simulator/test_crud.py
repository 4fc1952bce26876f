"""The standard calls, alike for every ordinary resource."""

from typing import Any

import pytest

from tests.sync.simulator.practice import Practice, decoded, errors

RESOURCES = (
    "institutions",
    "organizations",
    "courses",
    "modules",
    "cohorts",
    "students",
    "enrollments",
    "certificate-templates",
)


def _body(practice: Practice, resource: str) -> dict[str, Any]:
    institution = practice.institution()
    course = practice.course(institution, "BASE")
    bodies: dict[str, dict[str, Any]] = {
        "institutions": {"name": "Second", "country": "Portugal"},
        "organizations": {"name": "Faculty", "institution_uuid": institution},
        "courses": {"name": "Course", "institution_uuid": institution},
        "modules": {"name": "Module", "institution_uuid": institution},
        "cohorts": {"code": "2026-A", "course_uuid": course},
        "students": {"name": "S", "email": "s@example.org", "date_of_birth": "2000-01-01"},
        "enrollments": {"course_uuid": course, "enrolled_at": "2026-02-01"},
        "certificate-templates": {
            "name": "T",
            "version": "1.0",
            "institution_uuid": institution,
            "path": "t.html",
        },
    }
    if resource == "enrollments":
        bodies[resource]["student_uuid"] = practice.student()
    return bodies[resource]


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_record_lives_through_the_standard_calls(resource: str) -> None:
    practice = Practice()
    body = _body(practice, resource)

    created = practice.call("POST", f"/{resource}", body)
    path = f"/{resource}/{decoded(created)['data']['uuid']}"
    shown = practice.call("GET", path)
    patched = practice.call("PATCH", path, {})
    put = practice.call("PUT", path, body)
    deleted = practice.call("DELETE", path)
    gone = practice.call("GET", path)

    statuses = [one.status for one in (created, shown, patched, put, deleted, gone)]
    assert statuses == [201, 200, 200, 200, 204, 404]
    assert decoded(created) == decoded(shown)
    assert deleted.body == b""


@pytest.mark.parametrize("resource", RESOURCES)
def test_several_records_are_deleted_in_one_call(resource: str) -> None:
    practice = Practice()
    uuid = practice.make(f"/{resource}", **_body(practice, resource))

    response = practice.call("DELETE", f"/{resource}/batch/destroy", {"uuids": [uuid]})

    assert response.status == 204
    assert practice.call("GET", f"/{resource}/{uuid}").status == 404


def test_a_batch_with_one_protected_record_deletes_nothing() -> None:
    practice = Practice()
    used, free = practice.institution(), practice.institution("Second")
    practice.module(used)

    response = practice.call("DELETE", "/institutions/batch/destroy", {"uuids": [free, used]})

    assert response.status == 500
    assert len(practice.simulator.records("institutions")) == 2


@pytest.mark.parametrize("uuids", [None, [], "x", ["x"], [3]])
def test_a_batch_must_name_records(uuids: object) -> None:
    response = Practice().call("DELETE", "/cohorts/batch/destroy", {"uuids": uuids})

    assert errors(response)


def test_an_update_changes_only_what_was_sent() -> None:
    practice = Practice()
    course = practice.course(practice.institution(), area="Law")
    practice.wait(1)

    data = decoded(practice.call("PATCH", f"/courses/{course}", {"status": "archived"}))["data"]

    assert (data["status"], data["area"], data["code"]) == ("archived", "Law", "C-1")
    assert practice.simulator.journal.writes[-1].fields == ("status",)


def test_an_update_can_clear_an_optional_field_but_no_other() -> None:
    practice = Practice()
    course = practice.course(practice.institution(), area="Law")

    cleared = practice.call("PATCH", f"/courses/{course}", {"area": None})
    refused = practice.call("PATCH", f"/courses/{course}", {"name": None, "status": None})

    assert decoded(cleared)["data"]["area"] is None
    assert errors(refused).keys() == {"name", "status"}


def test_a_key_is_not_taken_by_the_record_itself() -> None:
    practice = Practice()
    student = practice.student()

    response = practice.call("PATCH", f"/students/{student}", {"email": "ONE@example.org"})

    assert response.status == 200


def test_a_key_freed_by_an_update_can_be_taken() -> None:
    practice = Practice()
    practice.call("PATCH", f"/students/{practice.student()}", {"email": "new@example.org"})

    practice.student("one@example.org")

    assert len(practice.find("/students", "email", "one@example.org")) == 1


@pytest.mark.parametrize(("case", "status"), [("ignored", 422), ("exact", 201)])
def test_codes_are_compared_as_the_database_compares(case: str, status: int) -> None:
    practice = Practice(filter_case=case)
    institution = practice.institution()
    practice.module(institution, "ab")

    body = {"name": "M", "code": "AB", "institution_uuid": institution}

    assert practice.call("POST", "/modules", body).status == status


def test_uuids_are_true_version_four() -> None:
    practice = Practice()

    uuid = practice.institution()

    assert (uuid[14], uuid[19] in "89ab", len(uuid)) == ("4", True, 36)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_path_that_names_nothing_is_not_found(method: str) -> None:
    response = Practice().call(method, "/courses/3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b", {})

    assert response.status == 404
    assert decoded(response) == {"success": False, "message": "Resource not found."}
