"""Finding the record that already stands for ours."""

import pytest

from ledger.reference import SourceRef
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from tests.sync.dispatcher.procedures.samples import row, upsert
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    made,
    missing,
    play,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

SEARCHES = {
    "institution": "GET /institutions?where[tax_id]=12.345",
    "organization": "GET /organizations?where[code]=SCI",
    "course": "GET /courses?where[code]=CS",
    "module": "GET /modules?where[code]=MA1",
    "module_group": "GET /courses/course-CS-uuid/modules/groups",
    "cohort": "GET /cohorts?where[code]=CS-2024",
    "student": "GET /students?where[email]=ana+sis@example.edu",
    "enrollment": (
        "GET /enrollments?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
    ),
}


@pytest.mark.parametrize("entity", SEARCHES)
def test_nothing_found_makes_the_record_with_one_search_and_one_post(entity: str) -> None:
    path = SEARCHES[entity].removeprefix("GET ").partition("?")[0]

    played = play(upsert(entity), [(SEARCHES[entity], lists()), (f"POST {path}", made("u-1"))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "u-1"


@pytest.mark.parametrize("entity", SEARCHES)
def test_one_equal_match_is_adopted_with_one_call(entity: str) -> None:
    played = play(upsert(entity), [(SEARCHES[entity], lists(row(entity, "u-9")))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "u-9"


@pytest.mark.parametrize("entity", SEARCHES)
def test_several_matches_are_held_and_none_is_taken(entity: str) -> None:
    rows = lists(row(entity, "u-1"), row(entity, "u-2"))

    played = play(upsert(entity), [(SEARCHES[entity], rows)])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.SEVERAL_MATCHES
    assert played.settlement.target is None


def test_a_match_that_stands_for_another_record_does_not_count() -> None:
    rows = lists(row("course", "U-1"), row("course", "u-2"))

    played = play(
        upsert("course"),
        [(SEARCHES["course"], rows)],
        holders={"U-1": SourceRef("course", "OTHER")},
    )

    assert played.settlement.target == "u-2"


def test_a_match_that_stands_for_this_record_already_counts() -> None:
    played = play(
        upsert("course"),
        [(SEARCHES["course"], lists(row("course", "u-1")))],
        holders={"u-1": SourceRef("course", "CS")},
    )

    assert played.settlement.target == "u-1"


def test_another_records_course_with_the_same_code_does_not_stop_the_create() -> None:
    played = play(
        upsert("course"),
        [(SEARCHES["course"], lists(row("course", "u-1"))), ("POST /courses", made("u-2"))],
        holders={"u-1": SourceRef("course", "OTHER")},
    )

    assert played.settlement.target == "u-2"


@pytest.mark.parametrize("entity", ["student", "cohort", "module"])
def test_a_key_that_dokstamp_gives_once_and_another_record_has_is_held(entity: str) -> None:
    played = play(
        upsert(entity),
        [(SEARCHES[entity], lists(row(entity, "u-1")))],
        holders={"u-1": SourceRef(entity, "OTHER")},
    )

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.HELD_BY_ANOTHER


@pytest.mark.parametrize(
    "changes", [{"date_of_birth": "1999-01-01"}, {"name": "Rui Costa"}], ids=str
)
def test_a_student_with_the_same_address_and_another_identity_is_held(
    changes: dict[str, object],
) -> None:
    rows = lists(row("student", "u-1", **changes))

    played = play(upsert("student"), [(SEARCHES["student"], rows)])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.IDENTITY_DIFFERS


def test_a_cohort_code_under_another_course_is_held() -> None:
    rows = lists(row("cohort", "u-1", course={"uuid": "another-course"}))

    played = play(upsert("cohort"), [(SEARCHES["cohort"], rows)])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.CODE_UNDER_ANOTHER_COURSE


def test_the_right_cohort_counts_although_its_code_is_under_another_course_too() -> None:
    rows = lists(row("cohort", "u-1", course={"uuid": "another"}), row("cohort", "u-2"))

    played = play(upsert("cohort"), [(SEARCHES["cohort"], rows)])

    assert played.settlement.target == "u-2"


def test_a_course_of_another_institution_is_not_ours() -> None:
    rows = lists(row("course", "u-1", institution={"uuid": "another-institution"}))

    played = play(upsert("course"), [(SEARCHES["course"], rows), ("POST /courses", made("u-2"))])

    assert played.settlement.target == "u-2"


def test_an_enrollment_in_another_cohort_is_another_one() -> None:
    rows = lists(row("enrollment", "u-1", cohort={"uuid": "cohort-2019", "code": "x"}))

    played = play(
        upsert("enrollment"),
        [(SEARCHES["enrollment"], rows), ("POST /enrollments", made("u-2"))],
    )

    assert played.settlement.target == "u-2"


def test_a_filter_that_fails_falls_back_to_the_whole_list() -> None:
    script = [
        (SEARCHES["course"], answered(422, {})),
        ("GET /courses", lists(row("course", "u-3"))),
    ]

    played = play(upsert("course"), script)

    assert played.settlement.target == "u-3"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (throttled(), Reason.THROTTLED),
        (unreachable(), Reason.UNAVAILABLE),
        (fails(503), Reason.UNAVAILABLE),
        (unauthorised(), Reason.UNAUTHORISED),
        (missing(), Reason.UNAUTHORISED),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        (upsert("course"), Outcome.RETRY),
        (upsert("course", possibly_sent=True), Outcome.UNCERTAIN),
    ],
    ids=["sent nothing", "possibly sent"],
)
def test_a_search_without_an_answer_is_put_off_and_never_absence(
    reply: Reply, reason: str, work: Work, outcome: Outcome
) -> None:
    played = play(work, [(SEARCHES["course"], reply)])

    assert played.settlement.outcome == outcome
    assert played.settlement.reason == reason
    assert not played.settlement.counts_as_failure


def test_a_page_that_is_ignored_is_held() -> None:
    meta = {"current_page": 1, "per_page": 1, "total": 3}
    same = answered(200, {"data": [row("course", "u-1")], "meta": meta})
    script = [(SEARCHES["course"], same), (SEARCHES["course"] + "&page=2", same)]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.LIST_UNKNOWN


def test_the_groups_of_a_course_that_is_gone_are_held() -> None:
    script = [
        (SEARCHES["module_group"], missing()),
        ("GET /courses/course-CS-uuid", missing()),
        ("GET /courses", lists()),
    ]

    played = play(upsert("module_group"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
    assert played.settlement.fields == ("course_uuid",)


def test_several_new_groups_of_a_course_share_one_search() -> None:
    first = upsert("module_group")
    second = upsert("module_group", "G-2", wanted={"name": "Semester 2", "order": 2})
    path = "/courses/course-CS-uuid/modules/groups"
    there = row("module_group", "u-9", name="Semester 2")
    script = [
        (f"GET {path}", lists(there)),
        (f"POST {path}", made("u-1")),
        (f"PATCH {path}/u-9", shows({**there, "order": 2})),
    ]

    played = play((first, second), script)

    assert played.settlement_of(first).target == "u-1"
    assert played.settlement_of(second).target == "u-9"
    assert [step.bind for step in played.progress] == ["u-1", "u-9"]


@pytest.mark.parametrize(
    ("entity", "hidden"),
    [
        ("student", {"date_of_birth"}),
        ("course", {"institution"}),
        ("cohort", {"course"}),
        ("enrollment", {"student", "course", "cohort"}),
    ],
)
def test_a_row_that_hides_whose_it_is_is_read_alone(entity: str, hidden: set[str]) -> None:
    whole = row(entity, "u-9")
    listed = {name: value for name, value in whole.items() if name not in hidden}
    path = SEARCHES[entity].partition("?")[0]
    script = [(SEARCHES[entity], lists(listed)), (f"{path}/u-9", shows(whole))]

    played = play(upsert(entity), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "u-9"


def test_what_a_list_leaves_out_is_no_reason_to_change_the_record() -> None:
    whole = row("course", "u-9")
    listed = {name: value for name, value in whole.items() if name != "workload_hours"}
    script = [(SEARCHES["course"], lists(listed)), ("GET /courses/u-9", shows(whole))]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.progress == []
