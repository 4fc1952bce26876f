"""Making a record: what the answer to the POST means."""

import pytest

from ledger.reference import Json
from sync.dispatcher.procedures import Institutions, Rules
from sync.dispatcher.reasons import Reason, explain
from sync.dispatcher.step import After, Outcome
from tests.sync.dispatcher.procedures.samples import row, upsert
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    made,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

SEARCH = "GET /courses?where[code]=CS"
STUDENT_SEARCH = "GET /students?where[email]=ana+sis@example.edu"
ENROLLMENT_SEARCH = (
    "GET /enrollments?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
)


def test_a_new_record_is_live_under_the_uuid_that_came_back() -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", made("u-1"))])

    assert played.settlement.target == "u-1"
    assert played.settlement.after is After.LIVE
    assert played.progress == []
    assert played.body("POST /courses") == {
        "institution_uuid": "institution-DEMO-uuid",
        "name": "Computer Science",
        "code": "CS",
        "workload_hours": 3200,
        "status": "active",
    }


def test_a_200_with_a_record_is_as_good_as_a_201() -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", shows({"uuid": "u"}))])

    assert played.settlement.target == "u"


@pytest.mark.parametrize(
    "reply",
    [answered(201), answered(204), answered(201, {"data": {"name": "no uuid"}}), lost(), fails()],
)
def test_a_create_without_a_clear_answer_is_uncertain(reply: Reply) -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", reply)])

    assert played.settlement.outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (throttled(9), Reason.THROTTLED),
        (unreachable(), Reason.UNAVAILABLE),
        (unauthorised(), Reason.UNAUTHORISED),
        (missing(), Reason.UNAUTHORISED),
    ],
)
def test_a_create_that_was_not_taken_in_is_simply_tried_again(reply: Reply, reason: str) -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", reply)])

    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == reason
    assert not played.settlement.counts_as_failure


def test_a_throttle_says_when_to_come_back() -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", throttled(9))])

    assert played.settlement.retry_seconds == 9


def test_after_an_uncertain_create_the_one_match_is_adopted_and_nothing_sent() -> None:
    work = upsert("course", possibly_sent=True)

    played = play(work, [(SEARCH, lists(row("course", "u-7")))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "u-7"


def test_after_an_uncertain_create_that_left_nothing_it_is_sent_again() -> None:
    work = upsert("course", possibly_sent=True)

    played = play(work, [(SEARCH, lists()), ("POST /courses", made("u-1"))])

    assert played.settlement.target == "u-1"


def test_after_an_uncertain_create_that_left_several_a_person_decides() -> None:
    work = upsert("course", possibly_sent=True)
    rows = lists(row("course", "u-1"), row("course", "u-2"))

    played = play(work, [(SEARCH, rows)])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.in_doubt


def test_once_the_search_was_clear_a_throttle_leaves_no_doubt() -> None:
    work = upsert("course", possibly_sent=True)

    played = play(work, [(SEARCH, lists()), ("POST /courses", throttled())])

    assert played.settlement.outcome is Outcome.RETRY


def test_a_match_that_differs_is_bound_before_it_is_changed() -> None:
    there = row("course", "u-7", status="archived", workload_hours=3000)
    script = [
        (SEARCH, lists(there)),
        ("PATCH /courses/u-7", shows(row("course", "u-7"))),
    ]

    played = play(upsert("course"), script)

    assert played.order == [SEARCH, "progress", "PATCH /courses/u-7"]
    assert played.progress[0].bind == "u-7"
    assert played.body("PATCH /courses/u-7") == {"status": "active", "workload_hours": 3200}
    assert played.settlement.target == "u-7"


def test_a_status_that_was_not_followed_is_set_and_checked() -> None:
    script = [
        (SEARCH, lists()),
        ("POST /courses", made("u-1", status="draft")),
        ("PATCH /courses/u-1", shows({"uuid": "u-1", "status": "active"})),
    ]

    played = play(upsert("course"), script)

    assert played.order == [SEARCH, "POST /courses", "progress", "PATCH /courses/u-1"]
    assert played.body("PATCH /courses/u-1") == {"status": "active"}
    assert played.settlement.outcome is Outcome.DONE


def test_a_status_that_is_never_followed_is_held() -> None:
    script = [
        (SEARCH, lists()),
        ("POST /courses", made("u-1", status="draft")),
        ("PATCH /courses/u-1", shows({"uuid": "u-1", "status": "draft"})),
    ]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.NOT_TAKEN
    assert played.settlement.fields == ("status",)


def test_a_taken_key_is_searched_again_without_the_filter_and_adopted() -> None:
    there = row("student", "u-3", email="ANA+SIS@example.edu")
    script = [
        (STUDENT_SEARCH, lists()),
        ("POST /students", refuses("email")),
        (STUDENT_SEARCH, lists()),
        ("GET /students", lists(row("student", "u-2", email="rui@example.edu"), there)),
    ]

    played = play(upsert("student"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "u-3"


def test_a_create_refused_for_a_duplicate_is_adopted_when_the_second_search_shows_it() -> None:
    script = [
        (ENROLLMENT_SEARCH, lists()),
        ("POST /enrollments", refuses(status=409)),
        (ENROLLMENT_SEARCH, lists(row("enrollment", "u-5"))),
    ]

    played = play(upsert("enrollment"), script)

    assert played.settlement.target == "u-5"


def test_a_refused_name_of_a_record_found_by_its_code_is_searched_for_no_more() -> None:
    played = play(upsert("course"), [(SEARCH, lists()), ("POST /courses", refuses("name"))])

    assert played.settlement.outcome is Outcome.DEAD


def test_a_refused_name_of_a_group_is_searched_again() -> None:
    path = "/courses/course-CS-uuid/modules/groups"
    script = [
        (f"GET {path}", lists()),
        (f"POST {path}", refuses("name")),
        (f"GET {path}", lists(row("module_group", "u-4"))),
    ]

    assert play(upsert("module_group"), script).settlement.target == "u-4"


def test_an_institution_is_not_made_when_only_binding_is_allowed() -> None:
    played = play(upsert("institution"), rules=Rules(institutions=Institutions.BIND))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.HELD
    assert "mapping bind institution" in explain(played.settlement.reason)


@pytest.mark.parametrize(
    ("entity", "wanted", "expected"),
    [
        ("module", {}, {"is_active": True}),
        ("module_group", {}, {"is_active": True}),
        ("course", {"status": None}, {"status": "active"}),
        ("institution", {"status": None}, {"status": "active"}),
        ("enrollment", {"completion_status": None}, {"completion_status": "enrolled"}),
    ],
)
def test_defaults_are_sent_explicitly(
    entity: str, wanted: dict[str, Json], expected: dict[str, Json]
) -> None:
    work = upsert(entity, wanted=wanted)
    path = "/courses/course-CS-uuid/modules/groups" if entity == "module_group" else f"/{entity}s"
    searches = {
        "module": "?where[code]=MA1",
        "course": "?where[code]=CS",
        "institution": "?where[tax_id]=12.345",
        "enrollment": ENROLLMENT_SEARCH.removeprefix("GET /enrollments"),
    }
    script = [(f"GET {path}{searches.get(entity, '')}", lists()), (f"POST {path}", made("u-1"))]

    played = play(work, script)

    assert expected.items() <= played.body(f"POST {path}").items()


def test_a_group_of_a_course_that_is_gone_is_held() -> None:
    path = "/courses/course-CS-uuid/modules/groups"
    script = [
        (f"GET {path}", lists()),
        (f"POST {path}", missing()),
        ("GET /courses/course-CS-uuid", missing()),
        ("GET /courses", lists()),
    ]

    played = play(upsert("module_group"), script)

    assert played.settlement.reason == Reason.REFERENCE_MISSING
