"""What a removal at the source does in DokStamp."""

from typing import Any

import pytest

from sync.dispatcher.procedures.delete import DEPENDANTS
from sync.dispatcher.procedures.retire import WAYS
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from sync.resources.catalog import RESOURCES
from tests.sync.dispatcher.procedures.samples import COURSE, ENROLLMENT, removal, row
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    missing,
    play,
    shows,
    throttled,
    unreachable,
)

COURSE_PATH = "/courses/course-CS-uuid"
ENROLLMENT_PATH = "/enrollments/enrollment-E-1-uuid"
CERTIFICATES = "GET /certificates?where[student_uuid]=student-S-1-uuid"
MARKED: dict[str, tuple[str, dict[str, object]]] = {
    "institution": ("/institutions/institution-DEMO-uuid", {"status": "inactive"}),
    "course": (COURSE_PATH, {"status": "archived"}),
    "module": ("/modules/module-MA1-uuid", {"is_active": False}),
    "module_group": (
        "/courses/course-CS-uuid/modules/groups/module_group-G-1-uuid",
        {"is_active": False},
    ),
}


def test_every_entity_has_a_way() -> None:
    elsewhere = {"course_module", "certificate"}

    assert set(WAYS) | elsewhere == set(RESOURCES)
    assert set(DEPENDANTS) <= set(WAYS)


@pytest.mark.parametrize("entity", MARKED)
def test_what_can_be_marked_is_marked_with_one_call(entity: str) -> None:
    path, body = MARKED[entity]
    shown = shows({**row(entity), **body})

    played = play(removal(entity), [(f"PATCH {path}", shown)])

    assert played.body(f"PATCH {path}") == body
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.RETIRED


@pytest.mark.parametrize("shown", [0, "0", "false"])
def test_a_flag_counts_as_taken_in_whatever_form_it_is_shown(shown: object) -> None:
    path, _ = MARKED["module"]

    played = play(removal("module"), [(f"PATCH {path}", shows(row("module", is_active=shown)))])

    assert played.settlement.outcome is Outcome.DONE


@pytest.mark.parametrize("entity", ["organization", "cohort", "student"])
def test_history_is_only_recorded(entity: str) -> None:
    played = play(removal(entity))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.RETIRED
    assert played.settlement.reason == Reason.RECORDED_ONLY


@pytest.mark.parametrize("entity", [*WAYS, "course_module"])
def test_what_was_never_made_needs_no_call(entity: str) -> None:
    played = play(removal(entity, target=None))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.NEVER_MADE


@pytest.mark.parametrize(
    "already", [{"is_retired": True}, {"sent": {**COURSE, "status": "archived"}}]
)
def test_what_was_retired_before_needs_no_call(already: dict[str, Any]) -> None:
    played = play(removal("course", **already))

    assert played.calls == []
    assert played.settlement.after is After.RETIRED


@pytest.mark.parametrize("reply", [lost(), fails()])
def test_a_retirement_without_an_answer_is_uncertain(reply: Reply) -> None:
    played = play(removal("course"), [(f"PATCH {COURSE_PATH}", reply)])

    assert played.settlement.outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("reply", [throttled(), unreachable()])
def test_a_retirement_that_was_not_taken_in_is_tried_again(reply: Reply) -> None:
    played = play(removal("course"), [(f"PATCH {COURSE_PATH}", reply)])

    assert played.settlement.outcome is Outcome.RETRY


def test_an_uncertain_retirement_that_took_effect_is_not_sent_again() -> None:
    work = removal("course", possibly_sent=True)

    played = play(work, [(f"GET {COURSE_PATH}", shows(row("course", status="archived")))])

    assert played.settlement.after is After.RETIRED


def test_an_uncertain_retirement_that_did_not_is_sent_again() -> None:
    script = [
        (f"GET {COURSE_PATH}", shows(row("course"))),
        (f"PATCH {COURSE_PATH}", shows(row("course", status="archived"))),
    ]

    played = play(removal("course", possibly_sent=True), script)

    assert played.settlement.outcome is Outcome.DONE


def test_a_retirement_that_is_not_shown_is_held() -> None:
    played = play(removal("course"), [(f"PATCH {COURSE_PATH}", shows(row("course")))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.NOT_TAKEN


def test_a_status_is_read_back_when_the_answer_has_no_body() -> None:
    script = [
        (f"PATCH {COURSE_PATH}", answered(204)),
        (f"GET {COURSE_PATH}", shows(row("course", status="archived"))),
    ]

    played = play(removal("course"), script)

    assert played.settlement.after is After.RETIRED


def test_a_record_that_is_gone_already_is_as_wanted() -> None:
    script = [
        (f"PATCH {COURSE_PATH}", missing()),
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", lists()),
    ]

    played = play(removal("course"), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == Reason.ALREADY_GONE
    assert played.settlement.after is After.MISSING


def test_an_enrollment_is_dropped_when_no_certificate_names_it() -> None:
    other = {"uuid": "c", "status": "issued", "enrollment": {"uuid": "another"}}
    script = [
        (CERTIFICATES, lists(other)),
        (f"PATCH {ENROLLMENT_PATH}", shows(row("enrollment", completion_status="dropped"))),
    ]

    played = play(removal("enrollment"), script)

    assert played.body(f"PATCH {ENROLLMENT_PATH}") == {"completion_status": "dropped"}
    assert played.settlement.after is After.RETIRED


@pytest.mark.parametrize("status", ["draft", "issued", "revoked", "expired"])
def test_an_enrollment_that_a_certificate_names_is_held(status: str) -> None:
    named = {"uuid": "c", "status": status, "enrollment": {"uuid": "Enrollment-E-1-UUID"}}

    played = play(removal("enrollment"), [(CERTIFICATES, lists(named))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.CERTIFICATE_NAMES_IT


def test_an_enrollment_whose_certificates_are_not_known_is_put_off() -> None:
    played = play(removal("enrollment"), [(CERTIFICATES, unreachable())])

    assert played.settlement.outcome is Outcome.RETRY


def test_a_dropped_enrollment_needs_neither_look_nor_call() -> None:
    dropped = {**ENROLLMENT, "completion_status": "dropped"}

    played = play(removal("enrollment", sent=dropped))

    assert played.calls == []
    assert played.settlement.after is After.RETIRED
