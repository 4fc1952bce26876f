"""Attaching modules to a course, and moving them to another."""

from ledger.reference import Json, SourceRef
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from tests.sync.dispatcher.procedures.attaching import (
    ATTACH,
    ATTACHED,
    DETACH,
    FREE,
    MA1,
    MA2,
    attachment,
)
from tests.sync.dispatcher.procedures.samples import change
from tests.sync.dispatcher.procedures.transcript import (
    fails,
    gone,
    lists,
    play,
    refuses,
)

LAW = "/courses/course-LAW-uuid"
FREE_IN_LAW = f"GET {LAW}/attach/modules"
ATTACH_TO_LAW = f"POST {LAW}/attach/modules"


def test_one_attachment_takes_a_look_a_call_and_a_look() -> None:
    script = [(FREE, lists(MA1, MA2)), (ATTACH, ATTACHED), (FREE, lists(MA2))]

    played = play(attachment("MA1"), script)

    assert played.body(ATTACH) == {
        "modules": [
            {
                "uuid": "module-MA1-uuid",
                "order": 1,
                "course_module_group_uuid": "module_group-G-1-uuid",
            }
        ]
    }
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "course-CS-uuid/module-MA1-uuid"


def test_a_module_of_another_institution_is_refused_before_any_call() -> None:
    states: dict[SourceRef, dict[str, Json]] = {
        SourceRef("course", "CS"): {"institution_id": "DEMO"},
        SourceRef("module", "MA1"): {"institution_id": "OTHER"},
    }

    played = play(attachment("MA1", names=states))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.reason == Reason.INCONSISTENT


def test_an_uncertain_attachment_that_took_effect_is_done_by_one_look() -> None:
    played = play(attachment("MA1", possibly_sent=True), [(FREE, lists(MA2))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""
    assert played.settlement.target == "course-CS-uuid/module-MA1-uuid"


def test_an_uncertain_attachment_that_did_not_is_sent_again() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(attachment("MA1", possibly_sent=True), script)

    assert played.settlement.outcome is Outcome.DONE


def test_an_unchanged_attachment_makes_no_call() -> None:
    assert play(change("course_module")).calls == []


def test_an_attachment_bound_by_a_person_is_left_alone_unverified() -> None:
    played = play(change("course_module", sent=None))

    assert played.calls == []
    assert played.settlement.reason == Reason.UNVERIFIED


def test_a_changed_attachment_that_somebody_detached_is_only_attached() -> None:
    work = change("course_module", wanted={"order": 2})

    played = play(work, [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())])

    assert played.settlement.outcome is Outcome.DONE


def test_an_attachment_that_comes_back_is_attached_again() -> None:
    work = change("course_module", is_retired=True)

    played = play(work, [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())])

    assert played.settlement.after is After.LIVE


def test_an_attachment_moved_to_another_course_leaves_the_old_one() -> None:
    work = change("course_module", wanted={"course_id": "LAW"})
    script = [
        (FREE_IN_LAW, lists(MA1)),
        (DETACH, gone()),
        (ATTACH_TO_LAW, ATTACHED),
        (FREE_IN_LAW, lists()),
    ]

    played = play(work, script)

    assert played.settlement.target == "course-LAW-uuid/module-MA1-uuid"


def test_a_refused_detach_is_tried_a_few_times_and_then_held() -> None:
    first = change("course_module", wanted={"order": 2})
    last = change("course_module", wanted={"order": 2}, progress={"detach_tries": 4})

    once = play(first, [(FREE, lists()), (DETACH, fails())])
    at_last = play(last, [(FREE, lists()), (DETACH, fails())])
    refused = play(first, [(FREE, lists()), (DETACH, refuses("modules"))])

    assert once.settlement.outcome is Outcome.UNCERTAIN
    assert at_last.settlement.outcome is Outcome.HELD
    assert refused.settlement.outcome is Outcome.HELD
