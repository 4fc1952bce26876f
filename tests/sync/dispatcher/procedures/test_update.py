"""Changing a bound record: only what changed, and never by making it anew."""

import pytest

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from tests.sync.dispatcher.procedures.samples import COURSE, change, row
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

COURSE_PATH = "/courses/course-CS-uuid"
STUDENT = "/students/student-S-1-uuid"


def test_a_bound_record_is_never_searched_for_and_gets_only_what_changed() -> None:
    work = change("course", wanted={"name": "Computing", "workload_hours": 3000})
    script = [(f"PATCH {COURSE_PATH}", shows(row("course", name="Computing", workload_hours=3000)))]

    played = play(work, script)

    assert played.body(f"PATCH {COURSE_PATH}") == {"name": "Computing", "workload_hours": 3000}
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.LIVE


def test_nothing_changed_makes_no_call() -> None:
    played = play(change("course"))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DONE


def test_a_field_that_disappeared_is_cleared() -> None:
    played = play(
        change("course", wanted={"workload_hours": None}),
        [(f"PATCH {COURSE_PATH}", shows(row("course", workload_hours=None)))],
    )

    assert played.body(f"PATCH {COURSE_PATH}") == {"workload_hours": None}


def test_a_retired_course_that_comes_back_is_made_active() -> None:
    played = play(
        change("course", is_retired=True), [(f"PATCH {COURSE_PATH}", shows(row("course")))]
    )

    assert played.body(f"PATCH {COURSE_PATH}") == {"status": "active"}
    assert played.settlement.after is After.LIVE


def test_a_record_bound_by_a_person_is_compared_first() -> None:
    work = change("course", sent=None)
    there = row("course", name="Old name")
    script = [(f"GET {COURSE_PATH}", shows(there)), (f"PATCH {COURSE_PATH}", shows(row("course")))]

    played = play(work, script)

    assert played.body(f"PATCH {COURSE_PATH}") == {"name": "Computer Science"}


def test_a_record_bound_by_a_person_that_agrees_is_left_alone() -> None:
    played = play(change("course", sent=None), [(f"GET {COURSE_PATH}", shows(row("course")))])

    assert played.calls == [f"GET {COURSE_PATH}"]
    assert played.settlement.outcome is Outcome.DONE


@pytest.mark.parametrize("reply", [lost(), fails(), fails(503)])
def test_a_change_without_an_answer_is_uncertain(reply: Reply) -> None:
    played = play(change("course", wanted={"name": "N"}), [(f"PATCH {COURSE_PATH}", reply)])

    assert played.settlement.outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("reply", [throttled(), unreachable(), unauthorised()])
def test_a_change_that_was_not_taken_in_is_tried_again(reply: Reply) -> None:
    played = play(change("course", wanted={"name": "N"}), [(f"PATCH {COURSE_PATH}", reply)])

    assert played.settlement.outcome is Outcome.RETRY
    assert not played.settlement.counts_as_failure


def test_an_uncertain_change_that_took_effect_is_not_sent_again() -> None:
    work = change("course", wanted={"name": "Computing"}, possibly_sent=True)

    played = play(work, [(f"GET {COURSE_PATH}", shows(row("course", name="Computing")))])

    assert played.settlement.outcome is Outcome.DONE


def test_an_uncertain_change_that_did_not_take_effect_is_sent_again() -> None:
    work = change("course", wanted={"name": "Computing"}, possibly_sent=True)
    script = [
        (f"GET {COURSE_PATH}", shows(row("course"))),
        (f"PATCH {COURSE_PATH}", shows(row("course", name="Computing"))),
    ]

    played = play(work, script)

    assert played.body(f"PATCH {COURSE_PATH}") == {"name": "Computing"}


def test_an_uncertain_clearing_is_sent_again_only_if_it_did_not_take_effect() -> None:
    work = change("course", wanted={"workload_hours": None}, possibly_sent=True)
    looked = (f"GET {COURSE_PATH}", shows(row("course")))
    cleared = shows(row("course", workload_hours=None))

    took_effect = play(work, [(f"GET {COURSE_PATH}", cleared)])
    did_not = play(work, [looked, (f"PATCH {COURSE_PATH}", cleared)])

    assert took_effect.settlement.outcome is Outcome.DONE
    assert did_not.body(f"PATCH {COURSE_PATH}") == {"workload_hours": None}


def test_an_uncertain_change_of_a_named_record_is_not_sent_again_when_the_row_shows_it() -> None:
    sent = {**COURSE, "organization_id": None}
    named = shows(row("course", organization={"uuid": "organization-SCI-uuid", "name": "Science"}))
    nobody = shows(row("course", organization=None))
    set_it = change("course", sent=sent, wanted={"organization_id": "SCI"}, possibly_sent=True)
    clear_it = change("course", sent={**COURSE, "organization_id": "SCI"}, possibly_sent=True)

    was_set = play(set_it, [(f"GET {COURSE_PATH}", named)])
    was_cleared = play(clear_it, [(f"GET {COURSE_PATH}", nobody)])
    clears = play(clear_it, [(f"GET {COURSE_PATH}", named), (f"PATCH {COURSE_PATH}", nobody)])

    assert was_set.settlement.outcome is was_cleared.settlement.outcome is Outcome.DONE
    assert clears.body(f"PATCH {COURSE_PATH}") == {"organization_uuid": None}


def test_an_uncertain_change_that_cannot_be_looked_at_stays_uncertain() -> None:
    work = change("course", wanted={"name": "Computing"}, possibly_sent=True)

    played = play(work, [(f"GET {COURSE_PATH}", unreachable())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert not played.settlement.counts_as_failure


def test_an_email_that_is_taken_is_held_and_nobody_is_looked_up() -> None:
    work = change("student", wanted={"email": "new@example.edu"})

    played = play(work, [(f"PATCH {STUDENT}", refuses("email"))])

    assert played.calls == [f"PATCH {STUDENT}"]
    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.EMAIL_TAKEN


def test_a_code_that_is_taken_is_held_with_the_old_one_kept() -> None:
    work = change("course", wanted={"code": "CS2"})

    played = play(work, [(f"PATCH {COURSE_PATH}", refuses("code"))])

    assert played.settlement.reason == Reason.CODE_TAKEN


def test_refused_content_is_dead() -> None:
    work = change("course", wanted={"workload_hours": 1})

    played = play(work, [(f"PATCH {COURSE_PATH}", refuses("workload_hours"))])

    assert played.settlement.outcome is Outcome.DEAD


def test_a_change_that_the_answer_does_not_show_is_held() -> None:
    work = change("course", wanted={"name": "Computing"})

    played = play(work, [(f"PATCH {COURSE_PATH}", shows(row("course")))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.NOT_TAKEN
    assert played.settlement.fields == ("name",)


def test_an_answer_without_a_body_is_enough_for_plain_fields() -> None:
    played = play(change("course", wanted={"name": "N"}), [(f"PATCH {COURSE_PATH}", answered(204))])

    assert played.settlement.outcome is Outcome.DONE


def test_a_status_is_read_back_when_the_answer_has_no_body() -> None:
    work = change("course", wanted={"status": "draft"})
    script = [
        (f"PATCH {COURSE_PATH}", answered(204)),
        (f"GET {COURSE_PATH}", shows(row("course", status="draft"))),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_record_that_is_gone_after_its_change_is_held() -> None:
    work = change("course", wanted={"status": "draft"})
    script = [
        (f"PATCH {COURSE_PATH}", answered(204)),
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", lists()),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.after is After.MISSING


def test_a_read_back_without_an_answer_leaves_the_change_uncertain() -> None:
    work = change("course", wanted={"status": "draft"})
    script = [(f"PATCH {COURSE_PATH}", answered(204)), (f"GET {COURSE_PATH}", unreachable())]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_a_suspended_institution_is_left_suspended_and_reported() -> None:
    path = "/institutions/institution-DEMO-uuid"
    suspended = shows(row("institution", status="suspended"))

    played = play(change("institution", sent=None), [(f"GET {path}", suspended)])

    assert played.calls == [f"GET {path}"]
    assert played.settlement.reason == Reason.INSTITUTION_SUSPENDED
