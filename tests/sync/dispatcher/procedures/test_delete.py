"""Deleting for real, under the policy that allows it, what nothing depends on."""

from typing import Any

import pytest

from ledger.reference import Json
from sync.dispatcher.procedures import DeletePolicy, Rules
from sync.dispatcher.procedures.delete import DEPENDANTS
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Work
from tests.sync.dispatcher.procedures.samples import removal, row
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    Transcript,
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

RULES = Rules(delete_policy=DeletePolicy.CHECKED_DELETE)
COURSE = "/courses/course-CS-uuid"
COHORT = "/cohorts/cohort-CS-2024-uuid"
MODULES = "GET /modules?where[institution_uuid]=institution-DEMO-uuid"
ATTACHABLE = f"GET {COURSE}/attach/modules"
IN_DOUBT: dict[str, Any] = {"possibly_sent": True}


def checks(entity: str, uuid: str) -> list[Line]:
    return [(f"GET {path}?where[{entity}_uuid]={uuid}", lists()) for path in DEPENDANTS[entity]]


def run(work: Work, script: list[Line]) -> Transcript:
    return play(work, script, rules=RULES)


COURSE_IS_FREE = [*checks("course", "course-CS-uuid"), (MODULES, lists())]
COHORT_IS_FREE = checks("cohort", "cohort-CS-2024-uuid")


def test_a_course_that_nothing_needs_is_deleted_and_its_link_released() -> None:
    script = [*COURSE_IS_FREE, (ATTACHABLE, lists()), (f"DELETE {COURSE}", gone())]

    played = run(removal("course"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.RELEASED


def test_an_institution_is_deleted_only_after_all_five_lists() -> None:
    path = "/institutions/institution-DEMO-uuid"
    script = [*checks("institution", "institution-DEMO-uuid"), (f"DELETE {path}", gone())]

    played = run(removal("institution"), script)

    assert len(played.calls) == 6
    assert played.settlement.after is After.RELEASED


@pytest.mark.parametrize("entity", ["module", "student", "organization"])
def test_what_may_never_be_deleted_is_not_deleted_under_this_policy_either(entity: str) -> None:
    path = "/modules/module-MA1-uuid"
    shown = shows(row("module", is_active=False))
    script = [(f"PATCH {path}", shown)] if entity == "module" else []

    played = run(removal(entity), script)

    assert played.settlement.after is After.RETIRED


def test_a_course_in_use_is_archived_with_the_first_dependant_found() -> None:
    enrolled = {"uuid": "e", "course": {"uuid": "course-CS-uuid"}}
    script = [
        (f"GET /cohorts?where[course_uuid]={'course-CS-uuid'}", lists()),
        (f"GET /enrollments?where[course_uuid]={'course-CS-uuid'}", lists(enrolled)),
        (f"PATCH {COURSE}", shows(row("course", status="archived"))),
    ]

    played = run(removal("course"), script)

    assert played.settlement.after is After.RETIRED
    assert played.settlement.reason == Reason.KEPT_IN_USE


def test_rows_of_an_ignored_filter_are_no_dependants() -> None:
    others = lists({"uuid": "e", "cohort": {"uuid": "another"}}, {"uuid": "f", "cohort": None})
    script = [(line, others) for line, _ in COHORT_IS_FREE]

    played = run(removal("cohort"), [*script, (f"DELETE {COHORT}", gone())])

    assert played.settlement.after is After.RELEASED


def test_a_cohort_in_use_is_left_alone() -> None:
    used = lists({"uuid": "e", "cohort": {"uuid": "cohort-CS-2024-uuid"}})

    played = run(removal("cohort"), [(COHORT_IS_FREE[0][0], used)])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.KEPT_IN_USE


def test_an_unknown_list_of_dependants_deletes_nothing() -> None:
    played = run(removal("cohort"), [(COHORT_IS_FREE[0][0], unreachable())])

    assert played.settlement.outcome is Outcome.RETRY


def test_the_modules_of_a_course_are_detached_before_it_goes() -> None:
    script = [
        *checks("course", "course-CS-uuid"),
        (MODULES, lists(row("module", "m-1"), row("module", "m-2"))),
        (ATTACHABLE, lists(row("module", "m-2"))),
        (f"DELETE {COURSE}/detach/modules", gone()),
        (ATTACHABLE, lists(row("module", "m-1"), row("module", "m-2"))),
        (f"DELETE {COURSE}", gone()),
    ]

    played = run(removal("course"), script)

    assert played.body(f"DELETE {COURSE}/detach/modules") == {"modules": ["m-1"]}
    assert played.settlement.after is After.RELEASED


def test_a_course_whose_modules_stay_attached_is_archived() -> None:
    script = [
        *checks("course", "course-CS-uuid"),
        (MODULES, lists(row("module", "m-1"))),
        (ATTACHABLE, lists()),
        (f"DELETE {COURSE}/detach/modules", fails()),
        (ATTACHABLE, lists()),
        (f"PATCH {COURSE}", shows(row("course", status="archived"))),
    ]

    played = run(removal("course"), script)

    assert played.settlement.reason == Reason.KEPT_DELETE_REFUSED


def test_a_500_is_tried_once_more_after_a_pause() -> None:
    played = run(removal("cohort"), [*COHORT_IS_FREE, (f"DELETE {COHORT}", fails())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.retry_seconds == RULES.delete_pause_seconds
    assert played.facts == {"delete_refused": True}


REFUSED_ONCE: dict[str, Any] = {"possibly_sent": True, "progress": {"delete_refused": True}}


def test_a_second_500_archives_the_course() -> None:
    script = [
        (f"GET {COURSE}", shows(row("course"))),
        *COURSE_IS_FREE,
        (ATTACHABLE, lists()),
        (f"DELETE {COURSE}", fails()),
        (f"GET {COURSE}", shows(row("course"))),
        (f"PATCH {COURSE}", shows(row("course", status="archived"))),
    ]

    played = run(removal("course", **REFUSED_ONCE), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.KEPT_DELETE_REFUSED
    assert played.settlement.after is After.RETIRED


@pytest.mark.parametrize("status", [409, 422])
def test_a_4xx_is_never_sent_again(status: int) -> None:
    script = [
        *COHORT_IS_FREE,
        (f"DELETE {COHORT}", refuses(status=status)),
        (f"GET {COHORT}", shows(row("cohort"))),
    ]

    played = run(removal("cohort"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.KEPT_DELETE_REFUSED


def test_a_refused_delete_that_took_effect_all_the_same_is_done() -> None:
    script = [(f"GET {COHORT}", missing()), ("GET /cohorts", lists())]

    played = run(removal("cohort", **REFUSED_ONCE), script)

    assert played.settlement.after is After.RELEASED


def test_the_way_out_is_on_record_and_not_searched_again() -> None:
    facts: dict[str, Json] = {"instead": Reason.KEPT_DELETE_REFUSED.value}
    script = [(f"GET {COURSE}", shows(row("course", status="archived")))]

    played = run(removal("course", possibly_sent=True, progress=facts), script)

    assert played.settlement.reason == Reason.KEPT_DELETE_REFUSED


def test_a_delete_without_an_answer_is_uncertain_and_the_record_decides() -> None:
    first = run(removal("cohort"), [*COHORT_IS_FREE, (f"DELETE {COHORT}", lost())])
    again = [(f"GET {COHORT}", missing()), ("GET /cohorts", lists())]
    second = run(removal("cohort", **IN_DOUBT), again)

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert second.settlement.after is After.RELEASED


def test_a_throttled_delete_is_tried_again() -> None:
    played = run(removal("cohort"), [*COHORT_IS_FREE, (f"DELETE {COHORT}", throttled())])

    assert played.settlement.outcome is Outcome.RETRY
