"""The verdict: what clean callers earn, and what each misuse is counted as."""

from collections.abc import Callable

import pytest

from tests.sync.simulator.practice import PDF, Practice

Misuse = Callable[[Practice], object]
UNKNOWN = "3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b"


def _two_courses(practice: Practice) -> None:
    institution = practice.institution()
    practice.course(institution)
    practice.course(institution, "c-1 ")


def _two_modules(practice: Practice) -> None:
    institution = practice.institution()
    practice.simulator.set_switches(filter_case="exact")
    practice.module(institution, "ab")
    practice.module(institution, "AB")


def _two_groups(practice: Practice) -> None:
    course = practice.course(practice.institution())
    for _ in range(2):
        practice.make(f"/courses/{course}/modules/groups", name="Semester 1")


def _two_cohorts(practice: Practice) -> None:
    practice.simulator.set_switches(cohort_code_scope="course")
    institution = practice.institution()
    for code in ("C-1", "C-2"):
        practice.make("/cohorts", course_uuid=practice.course(institution, code), code="A")


def _two_enrollments(practice: Practice) -> None:
    course, student = practice.course(practice.institution()), practice.student()
    for _ in range(3):
        practice.enrollment(student, course)


def _two_certificates(practice: Practice) -> None:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    practice.make("/certificates", **{**fields, "file_uuid": practice.file(PDF + b"2")})


def _refused_twice(practice: Practice) -> None:
    for _ in range(2):
        practice.call("POST", "/institutions", {"name": "U"})


def _needless(practice: Practice) -> None:
    practice.call("PATCH", f"/institutions/{practice.institution()}", {"country": "Brazil"})


def _out_of_order(practice: Practice) -> None:
    practice.call("POST", "/courses", {"name": "C", "institution_uuid": UNKNOWN})


def _into_nothing(practice: Practice) -> None:
    practice.call("PATCH", f"/courses/{UNKNOWN}", {"name": "C"})


def _used_file(practice: Practice) -> None:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    practice.call("POST", "/certificates", fields)


def _without(header: str) -> Misuse:
    def misuse(practice: Practice) -> None:
        headers = {k: v for k, v in practice.headers().items() if k != header}
        practice.send("GET", "/courses", headers=headers)

    return misuse


@pytest.mark.parametrize(
    ("misuse", "faults"),
    [
        (_two_courses, {"duplicate courses": 1}),
        (_two_modules, {"duplicate modules": 1}),
        (_two_groups, {"duplicate module_groups": 1}),
        (_two_cohorts, {"duplicate cohorts": 1}),
        (_two_enrollments, {"duplicate enrollments": 2}),
        (_two_certificates, {"duplicate certificates": 1}),
        (_refused_twice, {"resent_after_refusal": 1}),
        (_needless, {"needless_updates": 1}),
        (_out_of_order, {"unknown_references": 1}),
        (_into_nothing, {"unknown_paths": 1}),
        (_used_file, {"used_files": 1}),
        (_without("User-Agent"), {"missing_user_agent": 1}),
        (_without("Accept"), {"missing_accept": 1}),
        (_without("X-Tenant"), {"missing_tenant": 1}),
    ],
)
def test_each_misuse_is_counted_once(misuse: Misuse, faults: dict[str, int]) -> None:
    practice = Practice()

    misuse(practice)

    verdict = practice.simulator.verdict()
    assert verdict.faults == faults
    assert not verdict.is_clean


def test_a_whole_clean_story_is_clean_and_counted() -> None:
    practice = Practice()
    certificate = practice.certificate()
    practice.call("PUT", f"/certificates/{certificate}/revoke", {})

    verdict = practice.simulator.verdict()

    assert verdict.is_clean
    assert (verdict.notifications, verdict.deletes) == (1, 0)
    assert verdict.records["certificates"] == 1
    assert verdict.writes["certificates revoked"] == 1


def test_a_replacement_of_a_revoked_certificate_is_no_duplicate() -> None:
    practice = Practice()
    fields = practice.graduate()
    first = practice.make("/certificates", **fields, finish=True)
    practice.call("PUT", f"/certificates/{first}/revoke", {})

    practice.make("/certificates", **{**fields, "file_uuid": practice.file(PDF + b"2")})

    assert practice.simulator.verdict().is_clean


def test_deleted_records_are_no_duplicates_and_deletes_are_counted() -> None:
    practice = Practice()
    institution = practice.institution()
    practice.call("DELETE", f"/courses/{practice.course(institution)}")
    practice.course(institution)

    verdict = practice.simulator.verdict()

    assert (verdict.is_clean, verdict.deletes) == (True, 1)


def test_one_tenant_can_be_judged_alone() -> None:
    practice = Practice()
    practice.student()

    assert practice.simulator.verdict(tenant="nobody").records["students"] == 0
