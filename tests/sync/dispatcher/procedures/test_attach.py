"""Attaching modules to a course, and changing what cannot be changed."""

from typing import Any

from ledger.reference import Json, SourceRef, TargetId
from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Work
from tests.sync.dispatcher.procedures.attaching import (
    ATTACH,
    ATTACHED,
    DETACH,
    FREE,
    MA1,
    MA2,
    attachment,
)
from tests.sync.dispatcher.procedures.samples import ATTACHMENT, change, upsert
from tests.sync.dispatcher.procedures.transcript import (
    fails,
    gone,
    lists,
    lost,
    play,
    refuses,
    throttled,
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


def test_a_refusal_after_a_detach_that_the_list_does_not_show_yet_settles_nothing() -> None:
    work = change("course_module", wanted={"order": 2})
    refusal = refuses("modules.0.order")

    played = play(work, [(FREE, lists()), (DETACH, gone()), (ATTACH, refusal), (FREE, lists())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.reason == Reason.NOT_LISTED
    assert played.facts == {"reattach": "detached", "refused": ["order"]}


def refused_before(**more: Any) -> Work:
    progress: dict[str, Json] = {"reattach": "detached", "refused": ["order"]}
    more |= {"progress": progress, "possibly_sent": True}
    return change("course_module", wanted={"order": 2}, **more)


def test_what_was_refused_is_held_without_a_call_once_the_list_shows_the_detach() -> None:
    played = play(refused_before(), [(FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.HELD
    assert (played.settlement.reason, played.settlement.fields) == (Reason.REFUSED, ("order",))
    assert played.settlement.after is After.RETIRED
    assert played.facts == {"refused": None}


def test_what_was_refused_and_stays_attached_is_done_unverified() -> None:
    played = play(refused_before(), [(FREE, lists())])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.UNVERIFIED


def test_an_inactive_module_that_was_refused_and_no_list_shows_is_not_sent_again() -> None:
    inactive: dict[SourceRef, dict[str, Json]] = {SourceRef("module", "MA1"): {"is_active": False}}

    played = play(refused_before(names=inactive), [(FREE, lists())])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFUSED


def test_a_refused_batch_after_detaching_is_sent_one_by_one_whatever_the_list_says() -> None:
    works = [
        upsert(
            "course_module",
            f"CS:{module}",
            wanted={"module_id": module, "order": 5},
            sent={**ATTACHMENT, "module_id": module},
            target=TargetId(f"course-CS-uuid/module-{module}-uuid"),
        )
        for module in ("MA1", "MA2")
    ]
    script = [
        (FREE, lists()),
        (DETACH, gone()),
        (ATTACH, refuses("modules.1.order")),
        (FREE, lists()),
        (ATTACH, ATTACHED),
        (ATTACH, refuses("modules.0.order")),
        (FREE, lists()),
    ]

    played = play(works, script)

    assert played.settlement_of(works[0]).outcome is Outcome.DONE
    assert played.settlement_of(works[1]).outcome is Outcome.UNCERTAIN


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
