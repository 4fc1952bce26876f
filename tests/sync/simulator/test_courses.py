"""Courses and cohorts."""

from tests.sync.simulator.practice import Practice, decoded, errors


def test_a_course_is_a_draft_and_shows_what_it_belongs_to() -> None:
    practice = Practice()
    institution = practice.institution()
    faculty = practice.make("/organizations", name="Faculty", institution_uuid=institution)

    course = practice.course(institution, organization_uuid=faculty, workload_hours=3200)

    data = practice.get(f"/courses/{course}")["data"]
    assert (data["status"], data["workload_hours"]) == ("draft", 3200)
    assert data["institution"] == {"uuid": institution, "name": "Practice University"}
    assert data["organization"] == {"uuid": faculty, "name": "Faculty"}


def test_moving_a_course_is_counted_as_a_misuse() -> None:
    practice = Practice()
    course = practice.course(practice.institution())
    other = practice.institution("Second")

    practice.call("PATCH", f"/courses/{course}", {"institution_uuid": other})

    assert practice.simulator.verdict().faults == {"parents_in_updates": 1}


def test_an_organization_of_another_institution_is_refused_when_consistency_counts() -> None:
    practice = Practice(reference_consistency="422")
    institution, other = practice.institution(), practice.institution("Second")
    faculty = practice.make("/organizations", name="F", institution_uuid=other)
    body = {"name": "C", "institution_uuid": institution, "organization_uuid": faculty}

    assert errors(practice.call("POST", "/courses", body)).keys() == {"organization_uuid"}


def test_a_cohort_shows_its_course() -> None:
    practice = Practice()
    course = practice.course(practice.institution())

    body = {"course_uuid": course, "code": "2026-A", "modality": "presential"}
    data = decoded(practice.call("POST", "/cohorts", body))["data"]

    assert data["course"] == {"uuid": course, "name": "C-1"}
    assert (data["modality"], data["start_date"]) == ("presential", None)
