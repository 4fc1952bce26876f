"""Changing what cannot be changed: an attachment is detached and attached again."""

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


def test_a_changed_attachment_is_detached_and_attached_with_each_step_on_record() -> None:
    work = change("course_module", wanted={"order": 2})
    script = [(FREE, lists()), (DETACH, gone()), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(work, script)

    assert played.order == [FREE, "progress", DETACH, "progress", "progress", ATTACH, FREE]
    assert [step.facts for step in played.progress] == [
        {"reattach": "intended"},
        {"reattach": "detached"},
        {"reattach": "attaching"},
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
        progress={"reattach": "attaching"},
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
    assert (played.settlement.after, played.settlement.in_doubt) == (After.RETIRED, False)


def test_a_refusal_after_a_crash_in_the_detach_is_judged_by_no_list_that_may_lag() -> None:
    work = change("course_module", wanted={"order": 2}, progress={"reattach": "intended"})
    script = [(FREE, lists(MA1)), (ATTACH, refuses("modules.0.order")), (FREE, lists())]

    assert play(work, script).settlement.outcome is Outcome.UNCERTAIN


def test_a_refusal_after_a_detach_that_the_list_does_not_show_yet_settles_nothing() -> None:
    work = change("course_module", wanted={"order": 2})
    refusal = refuses("modules.0.order")

    played = play(work, [(FREE, lists()), (DETACH, gone()), (ATTACH, refusal), (FREE, lists())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.reason == Reason.NOT_LISTED
    assert played.facts == {"reattach": "detached", "refused": ["order"]}


def refused_before(field: str = "order", stage: str = "detached", **more: Any) -> Work:
    progress: dict[str, Json] = {"reattach": stage, "refused": [field]}
    more |= {"progress": progress, "possibly_sent": True}
    return change("course_module", wanted={"order": 2}, **more)


def test_what_was_refused_is_held_without_a_call_once_the_list_shows_the_detach() -> None:
    played = play(refused_before(), [(FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.HELD
    assert (played.settlement.reason, played.settlement.fields) == (Reason.REFUSED, ("order",))
    assert played.settlement.after is After.RETIRED


def test_what_was_held_refused_is_as_one_never_made_for_who_tries_it_again() -> None:
    work = refused_before(is_retired=True)

    mended = play(work, [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())])
    refused = play(
        work, [(FREE, lists(MA1)), (ATTACH, refuses("modules.0.order")), (FREE, lists(MA1))]
    )

    assert mended.settlement.outcome is Outcome.DONE
    assert refused.settlement.outcome is Outcome.DEAD


def test_a_module_moved_to_where_it_was_attached_already_is_done_unverified() -> None:
    stage: dict[str, Json] = {"reattach": "detached", "refused": ["uuid"]}
    moved = change("course_module", wanted={"course_id": "LAW"}, progress=stage, possibly_sent=True)

    played = play(moved, [("GET /courses/course-LAW-uuid/attach/modules", lists())])

    assert (played.settlement.outcome, played.settlement.reason) == (
        Outcome.DONE,
        Reason.UNVERIFIED,
    )


def test_what_was_refused_and_stays_attached_is_shown_to_a_person_who_has_it_detached_again() -> (
    None
):
    played = play(refused_before(), [(FREE, lists())])
    script = [(FREE, lists()), (DETACH, gone()), (ATTACH, ATTACHED), (FREE, lists())]
    retried = play(
        change("course_module", wanted={"order": 2}, progress=dict(played.facts)), script
    )

    assert played.settlement.outcome is Outcome.HELD
    assert (played.settlement.reason, played.settlement.in_doubt) == (Reason.DETACH_NOT_SEEN, True)
    assert retried.settlement.outcome is Outcome.DONE


def test_a_module_that_a_batch_may_have_attached_before_it_was_refused_is_unverified() -> None:
    work = refused_before(stage="attaching")

    played = play(work, [(FREE, lists())])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.UNVERIFIED


def test_a_module_that_lingers_after_its_detach_with_nothing_attached_is_not_done() -> None:
    first = change("course_module", wanted={"order": 2})
    throttles = [(FREE, lists()), (DETACH, gone()), (ATTACH, throttled(3))]
    throttled_once = play(first, throttles)
    looks = change("course_module", wanted={"order": 2}, progress=dict(throttled_once.facts))
    looked = play(looks, [(FREE, lists())])
    again = change(
        "course_module", wanted={"order": 2}, progress={**looks.progress, **looked.facts}
    )
    shown = play(again, [(FREE, lists())])

    assert throttled_once.facts["reattach"] == "detached"
    assert looked.settlement.reason == Reason.NOT_LISTED
    assert (shown.settlement.outcome, shown.settlement.reason) == (
        Outcome.HELD,
        Reason.DETACH_NOT_SEEN,
    )


def test_a_refusal_is_not_forgotten_while_it_is_unknown_what_was_refused() -> None:
    script = [(FREE, lists(MA1)), ("GET /modules/module-MA1-uuid", fails(503))]

    played = play(refused_before(field="uuid"), script)

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.facts == {}


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
