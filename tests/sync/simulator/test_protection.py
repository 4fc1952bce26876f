"""The protection table: each dependant alone keeps its record from being deleted."""

from collections.abc import Callable

import pytest

from tests.sync.simulator.practice import PDF, Practice

Setting = Callable[[Practice], str]


def _institution_with_course(practice: Practice) -> str:
    institution = practice.institution()
    practice.course(institution)
    return f"/institutions/{institution}"


def _institution_with_module(practice: Practice) -> str:
    institution = practice.institution()
    practice.module(institution)
    return f"/institutions/{institution}"


def _institution_with_certificate(practice: Practice) -> str:
    fields = practice.graduate()
    other = practice.institution("Second")
    practice.make("/certificates", **{**fields, "institution_uuid": other})
    return f"/institutions/{other}"


def _course_with_cohort(practice: Practice) -> str:
    course = practice.course(practice.institution())
    practice.make("/cohorts", course_uuid=course, code="A")
    return f"/courses/{course}"


def _course_with_enrollment(practice: Practice) -> str:
    course = practice.course(practice.institution())
    practice.enrollment(practice.student(), course)
    return f"/courses/{course}"


def _course_with_certificate(practice: Practice) -> str:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    return f"/courses/{fields['course_uuid']}"


def _attached_module(practice: Practice) -> str:
    institution = practice.institution()
    course, module = practice.course(institution), practice.module(institution)
    practice.call("POST", f"/courses/{course}/attach/modules", {"modules": [{"uuid": module}]})
    return f"/modules/{module}"


def _module_of_a_deleted_course(practice: Practice) -> str:
    path = _attached_module(practice)
    course = practice.get("/courses")["data"][0]["uuid"]
    assert practice.call("DELETE", f"/courses/{course}").status == 204
    return path


def _cohort_with_enrollment(practice: Practice) -> str:
    course = practice.course(practice.institution())
    cohort = practice.make("/cohorts", course_uuid=course, code="A")
    practice.enrollment(practice.student(), course, cohort_uuid=cohort)
    return f"/cohorts/{cohort}"


def _cohort_with_certificate(practice: Practice) -> str:
    fields = practice.graduate()
    cohort = practice.make("/cohorts", course_uuid=fields["course_uuid"], code="A")
    practice.make("/certificates", **fields, cohort_uuid=cohort)
    return f"/cohorts/{cohort}"


def _student_with_enrollment(practice: Practice) -> str:
    student = practice.student()
    practice.enrollment(student, practice.course(practice.institution()))
    return f"/students/{student}"


def _student_with_draft(practice: Practice) -> str:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    return f"/students/{fields['student_uuid']}"


def _student_with_snapshot(practice: Practice) -> str:
    fields = practice.graduate()
    certificate = practice.make("/certificates", **fields, finish=True)
    practice.call("DELETE", "/certificates/batch/destroy", {"uuids": [certificate]})
    return f"/students/{fields['student_uuid']}"


PROTECTED: tuple[Setting, ...] = (
    _institution_with_course,
    _institution_with_module,
    _institution_with_certificate,
    _course_with_cohort,
    _course_with_enrollment,
    _course_with_certificate,
    _attached_module,
    _module_of_a_deleted_course,
    _cohort_with_enrollment,
    _cohort_with_certificate,
    _student_with_enrollment,
    _student_with_draft,
    _student_with_snapshot,
)


@pytest.mark.parametrize("setting", PROTECTED)
def test_a_record_with_a_dependant_stays(setting: Setting) -> None:
    practice = Practice()
    path = setting(practice)

    response = practice.call("DELETE", path)

    assert response.status == 500
    assert practice.call("GET", path).status == 200


@pytest.mark.parametrize("setting", PROTECTED)
def test_the_service_may_delete_all_the_same(setting: Setting) -> None:
    practice = Practice(delete_with_dependants="204")

    path = setting(practice)

    assert practice.call("DELETE", path).status == 204


def test_a_record_is_free_once_its_dependants_are_deleted() -> None:
    practice = Practice()
    course = practice.course(practice.institution())
    cohort = practice.make("/cohorts", course_uuid=course, code="A")
    practice.call("DELETE", f"/cohorts/{cohort}")

    assert practice.call("DELETE", f"/courses/{course}").status == 204


def test_a_student_is_free_once_a_draft_without_snapshot_is_deleted() -> None:
    practice = Practice()
    fields = practice.graduate()
    draft = practice.make("/certificates", **{**fields, "file_uuid": practice.file(PDF + b"!")})
    practice.call("DELETE", "/certificates/batch/destroy", {"uuids": [draft]})

    assert practice.call("DELETE", f"/students/{fields['student_uuid']}").status == 204


def test_an_enrollment_that_a_certificate_names_can_be_deleted() -> None:
    practice = Practice()
    fields = practice.graduate()
    enrollment = practice.enrollment(str(fields["student_uuid"]), str(fields["course_uuid"]))
    practice.make("/certificates", **fields, enrollment_uuid=enrollment)

    assert practice.call("DELETE", f"/enrollments/{enrollment}").status == 204
