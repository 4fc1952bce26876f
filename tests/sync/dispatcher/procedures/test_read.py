"""Reading one record, and believing that it is gone."""

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from tests.sync.dispatcher.procedures.samples import change, row
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    lists,
    missing,
    play,
    refuses,
    shows,
)

COURSE_PATH = "/courses/course-CS-uuid"


def test_a_record_that_is_gone_is_held_and_not_made_anew() -> None:
    work = change("course", wanted={"name": "N"})
    script = [
        (f"PATCH {COURSE_PATH}", missing()),
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", lists(row("course", "another"))),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.MISSING
    assert played.settlement.after is After.MISSING


def test_a_record_shown_as_deleted_is_missing() -> None:
    deleted = shows(row("course", deleted_at="2025-01-01T00:00:00.000000Z"))

    played = play(change("course", sent=None), [(f"GET {COURSE_PATH}", deleted)])

    assert played.settlement.reason == Reason.MISSING


def test_a_record_that_only_its_list_shows_is_read_from_the_list() -> None:
    script = [
        (f"GET {COURSE_PATH}", missing(405)),
        ("GET /courses", lists(row("course", "another"), row("course"))),
    ]

    played = play(change("course", sent=None), script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_tenant_that_is_gone_stops_the_tenant_and_marks_nothing_missing() -> None:
    work = change("course", wanted={"name": "N"})
    script = [
        (f"PATCH {COURSE_PATH}", missing()),
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", missing()),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == Reason.UNAUTHORISED


GROUPS_PATH = "/courses/course-CS-uuid/modules/groups"
GROUP_PATH = f"{GROUPS_PATH}/module_group-G-1-uuid"
NO_GROUP: list[Line] = [
    (f"PATCH {GROUP_PATH}", missing()),
    (f"GET {GROUP_PATH}", missing()),
    (f"GET {GROUPS_PATH}", missing()),
]


def test_a_group_is_gone_with_its_course_and_the_tenant_goes_on() -> None:
    script = [
        *NO_GROUP,
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", lists(row("course", "another"))),
    ]

    played = play(change("module_group", wanted={"name": "N"}), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.MISSING


def test_a_group_without_a_list_under_a_course_that_is_there_is_tried_again() -> None:
    script = [
        *NO_GROUP,
        (f"GET {COURSE_PATH}", shows(row("course"))),
    ]

    played = play(change("module_group", wanted={"name": "N"}), script)

    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == Reason.NOT_UNDERSTOOD
    assert played.settlement.counts_as_failure


def test_a_group_whose_course_nobody_may_see_stops_the_tenant() -> None:
    script = [
        *NO_GROUP,
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", missing()),
    ]

    played = play(change("module_group", wanted={"name": "N"}), script)

    assert played.settlement.reason == Reason.UNAUTHORISED


def test_a_reference_that_is_gone_holds_the_change() -> None:
    work = change("course", wanted={"organization_id": "SCI"})
    script = [
        (f"PATCH {COURSE_PATH}", refuses("organization_uuid")),
        ("GET /organizations/organization-SCI-uuid", missing()),
        ("GET /organizations", lists()),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
