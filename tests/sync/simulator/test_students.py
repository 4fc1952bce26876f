"""Students and enrollments, in the form in which they come back."""

from tests.sync.simulator.practice import Practice, decoded, errors


def test_an_email_is_unique_in_its_tenant_whatever_its_case() -> None:
    practice = Practice(filter_case="exact")
    practice.student("One@example.org")

    body = {"name": "Two", "email": "one@EXAMPLE.org", "date_of_birth": "2001-01-01"}

    assert errors(practice.call("POST", "/students", body)).keys() == {"email"}


def test_an_email_with_a_plus_is_found_by_its_whole_text() -> None:
    practice = Practice()
    practice.student("one+two@example.org")

    assert len(practice.find("/students", "email", "one+two@example.org")) == 1
    assert practice.find("/students", "email", "one two@example.org") == []


def test_an_enrollment_takes_dates_and_answers_datetimes() -> None:
    practice = Practice()
    course = practice.course(practice.institution())
    cohort = practice.make("/cohorts", course_uuid=course, code="2026-A")
    student = practice.student()

    uuid = practice.enrollment(
        student,
        course,
        cohort_uuid=cohort,
        completion_status="completed",
        completed_at="2026-06-30",
        grade=9.5,
    )

    data = practice.get(f"/enrollments/{uuid}")["data"]
    assert data == {
        "uuid": uuid,
        "student": {"uuid": student, "name": "One"},
        "course": {"uuid": course, "name": "C-1"},
        "cohort": {"uuid": cohort, "code": "2026-A"},
        "completion_status": "completed",
        "grade": 9.5,
        "enrolled_at": "2026-02-01T00:00:00.000000Z",
        "completed_at": "2026-06-30T00:00:00.000000Z",
        "created_at": "2026-01-01T00:00:00.000000Z",
    }


def test_an_enrollment_starts_as_enrolled_without_cohort_and_grade() -> None:
    practice = Practice()
    course = practice.course(practice.institution())

    data = practice.get(f"/enrollments/{practice.enrollment(practice.student(), course)}")["data"]

    assert (data["completion_status"], data["cohort"], data["grade"]) == ("enrolled", None, None)


def test_a_student_may_move_to_another_cohort() -> None:
    practice = Practice()
    course = practice.course(practice.institution())
    cohort = practice.make("/cohorts", course_uuid=course, code="2026-A")
    uuid = practice.enrollment(practice.student(), course)

    response = practice.call("PATCH", f"/enrollments/{uuid}", {"cohort_uuid": cohort})

    assert decoded(response)["data"]["cohort"]["code"] == "2026-A"
    assert practice.simulator.verdict().parents_in_updates == 0
