"""Attaching modules to a course, and changing what cannot be changed."""

import pytest

from ledger.reference import Json, SourceRef
from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Work
from tests.sync.dispatcher.procedures.samples import change, row, upsert
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
ATTACH = f"POST {COURSE}/attach/modules"
DETACH = f"DELETE {COURSE}/detach/modules"
MA1, MA2, MA3 = ({"uuid": f"module-MA{n}-uuid"} for n in (1, 2, 3))
ATTACHED = answered(200, {"data": []})


def attachment(module: str, **more: object) -> Work:
    return upsert("course_module", f"CS:{module}", wanted={"module_id": module}, **more)


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


@pytest.mark.parametrize("reply", [ATTACHED, answered(201), answered(204)])
def test_all_attachments_of_a_course_go_in_one_call_whatever_the_2xx(reply: Reply) -> None:
    works = [attachment("MA1"), attachment("MA2"), attachment("MA3")]
    script = [(FREE, lists(MA1, MA2, MA3)), (ATTACH, reply), (FREE, lists())]

    played = play(works, script)

    assert len(played.body(ATTACH)["modules"]) == 3
    assert {each.outcome for each in played.result} == {Outcome.DONE}


def test_a_module_attached_before_is_taken_over_unverified_and_not_sent() -> None:
    works = [attachment("MA1"), attachment("MA2")]
    script = [
        (FREE, lists(MA2)),
        ("GET /modules/module-MA1-uuid", shows(row("module"))),
        (ATTACH, ATTACHED),
        (FREE, lists()),
    ]

    played = play(works, script)

    assert [module["uuid"] for module in played.body(ATTACH)["modules"]] == ["module-MA2-uuid"]
    assert played.settlement_of(works[0]).reason == Reason.UNVERIFIED
    assert played.settlement_of(works[0]).target == "course-CS-uuid/module-MA1-uuid"
    assert played.settlement_of(works[1]).reason == ""


def test_a_module_that_is_gone_is_held() -> None:
    script = [
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", missing()),
        ("GET /modules", lists()),
    ]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING


def test_an_inactive_module_that_the_list_hides_is_attached_all_the_same() -> None:
    script = [
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", shows(row("module", is_active=False))),
        (ATTACH, ATTACHED),
        (FREE, lists()),
    ]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""


def test_absence_of_an_inactive_module_proves_something_only_if_it_was_listed() -> None:
    states: dict[SourceRef, dict[str, Json]] = {SourceRef("module", "MA1"): {"is_active": False}}
    first = play(attachment("MA1", names=states), [(FREE, lists(MA1)), (ATTACH, lost())])
    listed = attachment("MA1", names=states, progress=first.facts, possibly_sent=True)
    hidden = attachment("MA1", names=states, possibly_sent=True)

    done = play(listed, [(FREE, lists())])
    again = play(hidden, [(FREE, lists()), (ATTACH, refuses("modules")), (FREE, lists())])

    assert done.settlement.reason == ""
    assert again.settlement.reason == Reason.UNVERIFIED


def test_a_module_of_another_institution_is_refused_before_any_call() -> None:
    states: dict[SourceRef, dict[str, Json]] = {
        SourceRef("course", "CS"): {"institution_id": "DEMO"},
        SourceRef("module", "MA1"): {"institution_id": "OTHER"},
    }

    played = play(attachment("MA1", names=states))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.reason == Reason.INCONSISTENT


def test_a_refused_batch_goes_on_one_by_one_and_nothing_is_sent_twice_alone() -> None:
    works = [attachment("MA1"), attachment("MA2")]
    script = [
        (FREE, lists(MA1, MA2)),
        (ATTACH, refuses("modules.1.uuid")),
        (FREE, lists(MA1, MA2)),
        (ATTACH, ATTACHED),
        (ATTACH, refuses("modules.0.workload")),
        (FREE, lists(MA2)),
    ]

    played = play(works, script)

    assert played.settlement_of(works[0]).outcome is Outcome.DONE
    assert played.settlement_of(works[1]).outcome is Outcome.DEAD
    assert played.settlement_of(works[1]).fields == ("workload",)


def test_a_refused_batch_that_was_written_in_part_is_not_attached_twice() -> None:
    works = [attachment("MA1"), attachment("MA2")]
    script = [
        (FREE, lists(MA1, MA2)),
        (ATTACH, refuses("modules")),
        (FREE, lists(MA2)),
        (ATTACH, ATTACHED),
        (FREE, lists()),
    ]

    played = play(works, script)

    assert [call for call in played.calls if call == ATTACH] == [ATTACH, ATTACH]
    assert {each.outcome for each in played.result} == {Outcome.DONE}


def test_a_refused_single_that_turns_out_attached_is_done_unverified() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, refuses("modules")), (FREE, lists())]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.UNVERIFIED


def test_a_group_that_is_gone_holds_the_attachment() -> None:
    group = "/courses/course-CS-uuid/modules/groups"
    script = [
        (FREE, lists(MA1)),
        (ATTACH, refuses("modules.0.course_module_group_uuid")),
        (FREE, lists(MA1)),
        (f"GET {group}/module_group-G-1-uuid", missing()),
        (f"GET {group}", lists()),
    ]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
    assert played.settlement.fields == ("course_module_group_uuid",)


def test_an_accepted_attachment_that_is_not_seen_is_held() -> None:
    played = play(attachment("MA1"), [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ATTACH_NOT_SEEN


@pytest.mark.parametrize("reply", [lost(), fails()])
def test_an_attachment_without_an_answer_is_uncertain(reply: Reply) -> None:
    played = play(
        [attachment("MA1"), attachment("MA2")], [(FREE, lists(MA1, MA2)), (ATTACH, reply)]
    )

    assert {each.outcome for each in played.result} == {Outcome.UNCERTAIN}


def test_an_uncertain_attachment_that_took_effect_is_done_by_one_look() -> None:
    played = play(attachment("MA1", possibly_sent=True), [(FREE, lists(MA2))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""
    assert played.settlement.target == "course-CS-uuid/module-MA1-uuid"


def test_an_uncertain_attachment_that_did_not_is_sent_again() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(attachment("MA1", possibly_sent=True), script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_confirmation_that_cannot_be_had_leaves_it_uncertain() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, unreachable())]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_a_list_that_cannot_be_had_puts_all_off() -> None:
    played = play([attachment("MA1"), attachment("MA2")], [(FREE, throttled(5))])

    assert [each.outcome for each in played.result] == [Outcome.RETRY, Outcome.RETRY]
    assert {each.retry_seconds for each in played.result} == {5}


def test_a_course_that_is_gone_holds_its_attachments() -> None:
    script = [(FREE, missing()), (f"GET {COURSE}", missing()), ("GET /courses", lists())]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING


def test_an_unchanged_attachment_makes_no_call() -> None:
    assert play(change("course_module")).calls == []


def test_an_attachment_bound_by_a_person_is_left_alone_unverified() -> None:
    played = play(change("course_module", sent=None))

    assert played.calls == []
    assert played.settlement.reason == Reason.UNVERIFIED


def test_a_changed_attachment_is_detached_and_attached_with_each_step_on_record() -> None:
    work = change("course_module", wanted={"order": 2})
    script = [(FREE, lists()), (DETACH, gone()), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(work, script)

    assert played.order == [FREE, "progress", DETACH, "progress", ATTACH, FREE]
    assert [step.facts for step in played.progress] == [
        {"reattach": "intended"},
        {"reattach": "detached"},
    ]
    assert played.body(DETACH) == {"modules": ["module-MA1-uuid"]}
    assert played.body(ATTACH)["modules"][0]["order"] == 2
    assert played.settlement.outcome is Outcome.DONE


def test_a_changed_attachment_that_nobody_may_reattach_is_held() -> None:
    work = change("course_module", wanted={"order": 2})

    played = play(work, rules=Rules(reattach_on_change=False))

    assert played.calls == []
    assert played.settlement.reason == Reason.REATTACH_IS_OFF


def test_a_crash_after_the_detach_is_finished_by_attaching() -> None:
    work = change(
        "course_module",
        wanted={"order": 2},
        progress={"reattach": "detached"},
        possibly_sent=True,
    )
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_crash_after_the_attach_is_finished_by_one_look() -> None:
    work = change(
        "course_module",
        wanted={"order": 2},
        progress={"reattach": "detached"},
        possibly_sent=True,
    )

    played = play(work, [(FREE, lists())])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""


def test_a_detach_without_an_answer_is_found_out_before_anything_else() -> None:
    work = change("course_module", wanted={"order": 2})
    first = play(work, [(FREE, lists()), (DETACH, lost())])
    resumed = change(
        "course_module",
        wanted={"order": 2},
        progress={"reattach": "intended"},
        possibly_sent=True,
    )
    second = play(resumed, [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())])

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert second.settlement.outcome is Outcome.DONE


def test_after_a_detach_a_throttled_attach_stays_uncertain_so_nothing_takes_its_place() -> None:
    work = change("course_module", wanted={"order": 2})

    played = play(work, [(FREE, lists()), (DETACH, gone()), (ATTACH, throttled(3))])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.retry_seconds == 3
    assert not played.settlement.counts_as_failure


def test_after_a_detach_a_refused_attach_is_held_and_known_as_detached() -> None:
    work = change("course_module", wanted={"order": 2})
    script = [
        (FREE, lists()),
        (DETACH, gone()),
        (ATTACH, refuses("modules.0.order")),
        (FREE, lists(MA1)),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.after is After.RETIRED


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
    law = "/courses/course-LAW-uuid"
    script = [
        (f"GET {law}/attach/modules", lists(MA1)),
        (DETACH, gone()),
        (f"POST {law}/attach/modules", ATTACHED),
        (f"GET {law}/attach/modules", lists()),
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


def test_one_without_an_answer_stops_the_rest_of_a_refused_batch() -> None:
    works = [attachment("MA1"), attachment("MA2"), attachment("MA3")]
    script = [
        (FREE, lists(MA1, MA2, MA3)),
        (ATTACH, refuses("modules")),
        (FREE, lists(MA1, MA2, MA3)),
        (ATTACH, ATTACHED),
        (ATTACH, lost()),
        (FREE, lists(MA2, MA3)),
    ]

    played = play(works, script)

    assert [played.settlement_of(work).outcome for work in works] == [
        Outcome.DONE,
        Outcome.UNCERTAIN,
        Outcome.RETRY,
    ]
