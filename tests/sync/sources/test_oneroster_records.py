from typing import Any

import pytest

from sync.sources.item import Skipped
from sync.sources.oneroster_dates import DateOrder
from sync.sources.oneroster_manifest import Manifest
from sync.sources.oneroster_records import Draft, Options, Records
from sync.sources.oneroster_table import Row

DELTA = Manifest(modes={"roles": "delta", "academicsessions": "delta"})


def records(manifest: Manifest | None = None, **options: Any) -> Records:
    options.setdefault("country", "Brazil")
    return Records(manifest or Manifest(), Options(**options))


def take(found: Records, file: str, **values: str) -> Draft:
    draft = found.take(file, Row(values))
    assert isinstance(draft, Draft)
    return draft


def skip(found: Records, file: str, **values: str) -> str:
    skipped = found.take(file, Row(values))
    assert isinstance(skipped, Skipped)
    return skipped.reason


def codes(draft: Draft) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in draft.faults]


def orgs(found: Records, *rows: tuple[str, str, str]) -> list[Draft]:
    names = ("sourcedid", "type", "parentsourcedid")
    values = [{**dict(zip(names, row, strict=True)), "name": "Org"} for row in rows]
    for row in values:
        found.index.add_org(Row(row))
    return [take(found, "orgs", **row) for row in values]


def test_the_topmost_org_is_the_institution_of_all_below_it() -> None:
    drafts = orgs(
        records(), ("dep", "department", "fac"), ("fac", "school", "uni"), ("uni", "district", "")
    )

    assert [draft.envelope["type"] for draft in drafts] == [
        "organization.upserted",
        "organization.upserted",
        "institution.upserted",
    ]
    assert drafts[0].envelope["data"] == {"institution_id": "uni", "name": "Org"}
    assert drafts[2].envelope["data"] == {"name": "Org", "country": "Brazil"}


@pytest.mark.parametrize(
    "rows",
    [
        [("dep", "department", "")],
        [("school", "school", "nowhere")],
        [("a", "school", "b"), ("b", "school", "a")],
        [("a", "school", "a")],
    ],
)
def test_an_org_of_no_known_institution_is_refused(rows: list[tuple[str, str, str]]) -> None:
    assert {code for draft in orgs(records(), *rows) for code in codes(draft)} == {
        ("data.institution_id", "institution_unknown")
    }


def test_an_institution_needs_a_country_that_the_package_lacks() -> None:
    [draft] = orgs(records(country=None), ("uni", "school", ""))

    assert codes(draft) == [("data.country", "required")]


def test_a_course_belongs_to_the_institution_above_its_org() -> None:
    found = records()
    orgs(found, ("dep", "department", "uni"), ("uni", "district", ""))

    below = take(found, "courses", sourcedid="C1", title="One", orgsourcedid="dep")
    at_top = take(found, "courses", sourcedid="C2", title="Two", orgsourcedid="uni")
    nowhere = take(found, "courses", sourcedid="C3", title="Three", orgsourcedid="")

    assert below.envelope["data"] == {
        "institution_id": "uni",
        "organization_id": "dep",
        "name": "One",
    }
    assert at_top.envelope["data"] == {"institution_id": "uni", "name": "Two"}
    assert codes(nowhere) == [("data.institution_id", "institution_unknown")]


def sessions(found: Records, **starts: str) -> list[str]:
    return [
        skip(found, "academicsessions", sourcedid=name, startdate=start, enddate="2026-12-31")
        for name, start in starts.items()
    ]


def test_a_class_is_a_cohort_as_long_as_all_its_sessions() -> None:
    found = records()
    sessions(found, t1="2026-08-01", t2="2026-02-01")

    draft = take(
        found,
        "classes",
        sourcedid="K1",
        classcode="1",
        coursesourcedid="C1",
        termsourcedids="t1, t2,",
    )

    assert draft.envelope["data"] == {
        "course_id": "C1",
        "code": "1/K1",
        "start_date": "2026-02-01",
        "end_date": "2026-12-31",
    }


def test_a_session_without_readable_dates_is_the_fault_of_its_classes() -> None:
    found = records()

    assert sessions(found, t1="1/02/2026") == ["dates_unusable"]
    draft = take(found, "classes", sourcedid="K1", coursesourcedid="C1", termsourcedids="t1")
    assert codes(draft) == [("academicSessions.startDate", "date_ambiguous")]


def test_an_absent_session_leaves_the_dates_open_unless_only_changes_were_sent() -> None:
    row = {"sourcedid": "K1", "coursesourcedid": "C1", "termsourcedids": "t1,t2"}
    whole, changes = records(), records(DELTA)
    sessions(whole, t1="2026-02-01")
    sessions(changes, t1="2026-02-01")

    assert take(whole, "classes", **row).envelope["data"] == {"course_id": "C1", "code": "K1"}
    assert codes(take(changes, "classes", **row)) == [("data.start_date", "session_missing")]


def test_a_student_is_put_together_from_three_files() -> None:
    found = records()
    skip(found, "roles", usersourcedid="U1", role="Teacher")
    skip(found, "roles", usersourcedid="U1", role="Student")
    skip(found, "demographics", sourcedid="U1", birthdate="2001-02-03")

    draft = take(
        found,
        "users",
        sourcedid="U1",
        givenname="Ada",
        middlename="B.",
        familyname="Example",
        username="ada@example.org",
    )

    assert draft.envelope["data"] == {
        "name": "Ada B. Example",
        "email": "ada@example.org",
        "date_of_birth": "2001-02-03",
    }
    assert "Ada" not in repr(draft)


def test_a_username_is_an_address_only_if_it_looks_like_one() -> None:
    draft = take(records(), "users", sourcedid="U1", role="student", username="ada")

    assert draft.envelope["data"] == {}


def test_an_ambiguous_birth_date_is_refused_until_the_order_is_known() -> None:
    def student(order: DateOrder | None) -> Draft:
        found = records(date_order=order)
        skip(found, "demographics", sourcedid="U1", birthdate="1/05/2001")
        return take(found, "users", sourcedid="U1", role="student")

    assert codes(student(None)) == [("data.date_of_birth", "date_ambiguous")]
    assert student(None).envelope["data"] == {"date_of_birth": "1/05/2001"}
    assert student(DateOrder.DAY_FIRST).envelope["data"] == {"date_of_birth": "2001-05-01"}


def test_users_who_are_no_students_are_passed_over() -> None:
    found = records()
    skip(found, "roles", usersourcedid="U2", role="student", status="tobedeleted")

    assert skip(found, "users", sourcedid="U1", role="teacher") == "not_a_student"
    assert skip(found, "users", sourcedid="U2", role="") == "not_a_student"


def test_changes_without_a_role_do_not_lose_the_user() -> None:
    draft = take(records(DELTA), "users", sourcedid="U1")

    assert ("role", "role_unknown") in codes(draft)


def enrolled(found: Records, **values: str) -> Draft:
    usual = {"sourcedid": "E1", "classsourcedid": "K1", "usersourcedid": "U1", "role": "student"}
    return take(found, "enrollments", **{**usual, **values})


def test_an_enrollment_begins_by_itself_or_with_its_session() -> None:
    found = records()
    sessions(found, t1="2026-02-01")
    take(found, "classes", sourcedid="K1", coursesourcedid="C1", termsourcedids="t1")

    draft = enrolled(found)

    assert draft.envelope["data"] == {
        "student_id": "U1",
        "course_id": "C1",
        "cohort_id": "K1",
        "enrolled_at": "2026-02-01",
    }
    begun = enrolled(found, begindate="2026-02-09T00:00:00Z").envelope["data"]
    assert isinstance(begun, dict)
    assert begun["enrolled_at"] == "2026-02-09"
    assert enrolled(found, sourcedid="").envelope["subject"] == "K1:U1"


def test_an_enrollment_that_contradicts_the_package_is_refused() -> None:
    found = records()
    skip(found, "users", sourcedid="U1", role="teacher")

    draft = enrolled(found)

    assert codes(draft) == [
        ("data.course_id", "class_missing"),
        ("data.student_id", "role_disagrees"),
    ]
    assert skip(found, "enrollments", sourcedid="E2", role="teacher") == "not_a_student"


@pytest.mark.parametrize("status", ["tobedeleted", "Inactive"])
def test_a_row_that_goes_is_a_removal_and_needs_nothing_else(status: str) -> None:
    draft = take(records(), "users", sourcedid="U1", role="student", status=status)

    assert draft.envelope["type"] == "student.removed"
    assert "data" not in draft.envelope
    assert draft.faults == ()


def test_the_removal_of_what_was_never_taken_is_passed_over() -> None:
    found = records()
    row = {"sourcedid": "dep", "type": "department", "status": "tobedeleted"}
    found.index.add_org(Row(row))

    assert skip(found, "orgs", **row) == "never_taken"


def test_an_unknown_status_is_refused() -> None:
    draft = take(records(), "users", sourcedid="U1", role="student", status="gone")

    assert codes(draft) == [("status", "status")]


def test_ids_follow_content_and_stamp() -> None:
    def name(**changes: str) -> object:
        found = records()
        orgs(found, ("uni", "district", ""))
        row = {"sourcedid": "C1", "title": "One", "orgsourcedid": "uni", **changes}
        return take(found, "courses", **row).envelope["id"]

    assert name() == name(subjects="not mapped")
    assert len({name(), name(title="Two"), name(datelastmodified="2026-01-01")}) == 3
    assert len({name(), name(status="inactive")}) == 2
