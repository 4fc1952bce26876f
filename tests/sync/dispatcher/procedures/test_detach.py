"""Detaching modules from a course."""

import pytest

from ledger.reference import TargetId
from sync.dispatcher.procedures.attachable import UNSEEN_FACT
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Work
from tests.sync.dispatcher.procedures.samples import ATTACHMENT, removal, row
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    gone,
    lists,
    lost,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unreachable,
)

COURSE = "/courses/course-CS-uuid"
FREE = f"GET {COURSE}/attach/modules"
DETACH = f"DELETE {COURSE}/detach/modules"
MA1, MA2 = {"uuid": "module-MA1-uuid"}, {"uuid": "module-MA2-uuid"}


def detachment(module: str, **more: object) -> Work:
    sent = {**ATTACHMENT, "module_id": module}
    target = TargetId(f"course-CS-uuid/module-{module}-uuid")
    return removal("course_module", f"CS:{module}", sent=sent, target=target, **more)


@pytest.mark.parametrize("reply", [gone(), answered(200, {"data": []})])
def test_all_detachments_of_a_course_go_in_one_call_with_plain_uuids(reply: Reply) -> None:
    works = [detachment("MA1"), detachment("MA2")]

    played = play(works, [(DETACH, reply), (FREE, lists(MA1, MA2))])

    assert played.body(DETACH) == {"modules": ["module-MA1-uuid", "module-MA2-uuid"]}
    assert {each.after for each in played.result} == {After.RETIRED}


def test_a_refused_detach_of_what_is_not_attached_is_done() -> None:
    played = play(detachment("MA1"), [(DETACH, refuses("modules")), (FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.DONE


def test_one_refused_module_does_not_keep_the_others_attached() -> None:
    works = [detachment("MA1"), detachment("MA2")]
    script = [
        (DETACH, refuses("modules")),
        (DETACH, gone()),
        (FREE, lists(MA1)),
        (DETACH, refuses("modules")),
        (FREE, lists(MA1)),
    ]

    played = play(works, script)

    assert played.settlement_of(works[0]).outcome is Outcome.DONE
    assert played.settlement_of(works[1]).outcome is Outcome.HELD
    assert played.settlement_of(works[1]).reason == Reason.DETACH_REFUSED


def test_a_detach_that_took_effect_without_an_answer_is_done_by_one_look() -> None:
    first = play(detachment("MA1"), [(DETACH, lost())])
    second = play(detachment("MA1", possibly_sent=True), [(FREE, lists(MA1))])

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert second.settlement.outcome is Outcome.DONE


def test_a_detach_that_did_not_is_sent_again() -> None:
    script = [(FREE, lists()), (DETACH, gone()), (FREE, lists(MA1))]

    played = play(detachment("MA1", possibly_sent=True), script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_500_is_tried_again_after_a_pause_but_not_for_ever() -> None:
    script = [(DETACH, fails()), (FREE, lists())]

    first = play(detachment("MA1"), script)
    last = play(detachment("MA1", progress={"detach_tries": 4}), script)

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert first.facts == {"detach_tries": 1}
    assert last.settlement.outcome is Outcome.HELD


@pytest.mark.parametrize("shown", [False, 0, "0"])
def test_an_inactive_module_that_the_list_hides_is_done_by_its_answer(shown: object) -> None:
    hidden = shows(row("module", is_active=shown))
    script = [(DETACH, gone()), (FREE, lists()), ("GET /modules/module-MA1-uuid", hidden)]

    played = play(detachment("MA1"), script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_module_that_is_gone_is_detached() -> None:
    script = [
        (DETACH, gone()),
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", missing()),
        ("GET /modules", lists()),
    ]

    played = play(detachment("MA1"), script)

    assert played.settlement.outcome is Outcome.DONE


def test_an_accepted_detach_that_is_not_seen_is_looked_at_again_later() -> None:
    script = [
        (DETACH, gone()),
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", shows(row("module"))),
    ]

    played = play(detachment("MA1"), script)

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.reason == Reason.NOT_LISTED
    assert played.facts == {UNSEEN_FACT: True}


def test_an_accepted_detach_that_the_list_shows_late_is_done_without_a_call() -> None:
    work = detachment("MA1", possibly_sent=True, progress={UNSEEN_FACT: True})

    played = play(work, [(FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.calls == [FREE]


@pytest.mark.parametrize("reply", [gone(), answered(422, {"message": "not attached"})])
def test_an_accepted_detach_that_is_never_seen_is_held(reply: Reply) -> None:
    work = detachment("MA1", possibly_sent=True, progress={UNSEEN_FACT: True})
    script = [
        (FREE, lists()),
        (DETACH, reply),
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", shows(row("module"))),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.DETACH_NOT_SEEN
    assert played.facts == {UNSEEN_FACT: None}


def test_a_confirmation_that_cannot_be_had_leaves_it_uncertain() -> None:
    played = play(detachment("MA1"), [(DETACH, gone()), (FREE, unreachable())])

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_the_modules_of_a_course_that_is_gone_are_detached() -> None:
    script = [
        (DETACH, missing()),
        (FREE, missing()),
        (f"GET {COURSE}", missing()),
        ("GET /courses", lists()),
    ]

    played = play(detachment("MA1"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.ALREADY_GONE


@pytest.mark.parametrize("reply", [throttled(), unreachable()])
def test_a_detach_that_was_not_taken_in_is_tried_again(reply: Reply) -> None:
    played = play(detachment("MA1"), [(DETACH, reply)])

    assert played.settlement.outcome is Outcome.RETRY


def test_what_was_detached_before_needs_no_call() -> None:
    assert play(detachment("MA1", is_retired=True)).calls == []
