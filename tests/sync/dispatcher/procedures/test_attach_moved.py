"""Attachments that move away from a course that may be gone."""

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.attaching import (
    ATTACHED,
    COURSE,
    DETACH,
    FREE,
    MA1,
    MA2,
)
from tests.sync.dispatcher.procedures.samples import ATTACHMENT, change, row, upsert
from tests.sync.dispatcher.procedures.transcript import (
    fails,
    lists,
    missing,
    play,
    refuses,
    shows,
    throttled,
)

LAW = "/courses/course-LAW-uuid"
FREE_IN_LAW = f"GET {LAW}/attach/modules"
ATTACH_TO_LAW = f"POST {LAW}/attach/modules"


def test_attachments_moved_away_from_a_course_that_is_gone_are_looked_at_once_and_moved() -> None:
    moved = change("course_module", wanted={"course_id": "LAW"})
    other = upsert(
        "course_module",
        "CS:MA2",
        wanted={"course_id": "LAW", "module_id": "MA2"},
        sent={**ATTACHMENT, "module_id": "MA2"},
        target="course-CS-uuid/module-MA2-uuid",
    )
    script = [
        (FREE_IN_LAW, lists(MA1, MA2)),
        (DETACH, missing()),
        (FREE, missing()),
        (f"GET {COURSE}", missing()),
        ("GET /courses", lists()),
        (ATTACH_TO_LAW, ATTACHED),
        (FREE_IN_LAW, lists()),
    ]

    played = play([moved, other], script)

    assert [each.outcome for each in played.result] == [Outcome.DONE, Outcome.DONE]
    assert {each.target for each in played.result} == {
        "course-LAW-uuid/module-MA1-uuid",
        "course-LAW-uuid/module-MA2-uuid",
    }
    assert played.progress[-1].facts == {"reattach": "attaching"}


def test_a_failed_detach_from_a_course_that_is_gone_leaves_nothing_to_detach() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})
    script = [
        (FREE_IN_LAW, lists(MA1)),
        (DETACH, fails()),
        (FREE, missing()),
        (f"GET {COURSE}", missing()),
        ("GET /courses", lists()),
        (ATTACH_TO_LAW, ATTACHED),
        (FREE_IN_LAW, lists()),
    ]

    assert play(work, script).settlement.outcome is Outcome.DONE


def test_a_course_that_cannot_be_read_says_nothing_of_what_was_attached_to_it() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})
    start = [(FREE_IN_LAW, lists(MA1)), (DETACH, missing())]

    unread = play(work, [*start, (FREE, missing()), (f"GET {COURSE}", throttled(9))])
    unlisted = play(work, [*start, (FREE, fails())])
    there = play(work, [*start, (FREE, missing()), (f"GET {COURSE}", shows(row("course")))])

    assert [each.settlement.outcome for each in (unread, unlisted, there)] == [Outcome.RETRY] * 3
    assert [each.settlement.reason for each in (unread, unlisted, there)] == [
        Reason.THROTTLED,
        Reason.UNAVAILABLE,
        Reason.NOT_UNDERSTOOD,
    ]


def test_a_detach_that_failed_stays_in_doubt_until_the_course_can_be_read() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})

    played = play(work, [(FREE_IN_LAW, lists(MA1)), (DETACH, fails()), (FREE, fails())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert not played.settlement.counts_as_failure


def test_a_tenant_that_is_gone_is_no_course_that_is_gone() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})
    script = [
        (FREE_IN_LAW, lists(MA1)),
        (DETACH, missing()),
        (FREE, missing()),
        (f"GET {COURSE}", missing()),
        ("GET /courses", missing()),
    ]

    assert play(work, script).settlement.reason == Reason.UNAUTHORISED


def test_a_detach_refused_by_a_course_that_is_there_is_held() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})

    played = play(work, [(FREE_IN_LAW, lists(MA1)), (DETACH, refuses("modules")), (FREE, lists())])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.DETACH_REFUSED
