"""The late look: what stands beside a record that was made after an unclear answer."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.reference import SourceRef, TargetId
from sync.dispatcher.reasons import Reason, explain
from sync.dispatcher.step import After, Outcome, Work
from sync.resources.definition import Kind
from tests.sync.dispatcher.procedures.issuing import LIST, certificate
from tests.sync.dispatcher.procedures.samples import change, request_for_certificate, row
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    lists,
    lost,
    missing,
    operation,
    play,
    shows,
    throttled,
    unreachable,
)

GROUPS = "/courses/course-CS-uuid/modules/groups"
SEARCHES = {
    "institution": "GET /institutions?where[tax_id]=12.345",
    "organization": "GET /organizations?where[code]=SCI",
    "course": "GET /courses?where[code]=CS",
    "module": "GET /modules?where[code]=MA1",
    "module_group": f"GET {GROUPS}",
    "cohort": "GET /cohorts?where[code]=CS-2024",
    "student": "GET /students?where[email]=ana+sis@example.edu",
    "enrollment": "GET /enrollments"
    "?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid",
}


def look_at(entity: str, **more: Any) -> Work:
    """Return a late look at a sample record, which is bound to `ours`."""
    more.setdefault("target", TargetId("ours"))
    is_certificate = entity == "certificate"
    made = request_for_certificate(**more) if is_certificate else change(entity, **more)
    return replace(made, kind=Kind.RECHECK, operation=operation(made.reference, Kind.RECHECK))


@pytest.mark.parametrize("entity", SEARCHES)
def test_nothing_beside_what_is_bound_ends_in_silence(entity: str) -> None:
    played = play(look_at(entity), [(SEARCHES[entity], lists(row(entity, "OURS")))])

    settlement = played.settlement
    assert (settlement.outcome, settlement.reason) == (Outcome.DONE, Reason.NOTHING_LATE)
    assert (settlement.target, settlement.after) == (None, After.UNCHANGED)
    assert played.progress == []


@pytest.mark.parametrize("entity", SEARCHES)
def test_a_second_record_is_held_and_nothing_is_sent(entity: str) -> None:
    rows = lists(row(entity, "ours"), row(entity, "late"))

    played = play(look_at(entity), [(SEARCHES[entity], rows)])

    settlement = played.settlement
    assert (settlement.outcome, settlement.reason) == (Outcome.HELD, Reason.SECOND_RECORD)
    assert settlement.facts == {"second": ["late"]}
    assert not settlement.in_doubt
    assert (settlement.target, settlement.after) == (None, After.UNCHANGED)


def test_what_stands_for_another_source_record_is_no_second_one() -> None:
    rows = lists(row("course", "ours"), row("course", "theirs"))
    holders = {"theirs": SourceRef("course", "CS-OTHER")}

    played = play(look_at("course"), [(SEARCHES["course"], rows)], holders=holders)

    assert played.settlement.reason == Reason.NOTHING_LATE


def test_whose_a_row_is_may_not_be_hidden() -> None:
    hidden = row("course", "late", institution=None)
    shown = {name: value for name, value in hidden.items() if not name.startswith("institution")}
    script = [
        (SEARCHES["course"], lists(row("course", "ours"), shown)),
        ("GET /courses/late", shows(shown)),
    ]

    played = play(look_at("course"), script)

    assert played.settlement.reason == Reason.SECOND_RECORD


def test_a_record_that_was_retired_or_lost_is_looked_beside_all_the_same() -> None:
    rows = lists(row("course", "late"))

    retired = play(look_at("course", is_retired=True), [(SEARCHES["course"], rows)])
    released = play(look_at("course", target=None), [(SEARCHES["course"], rows)])

    assert {retired.settlement.reason, released.settlement.reason} == {Reason.SECOND_RECORD}


def test_a_course_that_is_gone_leaves_nothing_to_look_through() -> None:
    bound = look_at("module_group")
    script = [
        (f"GET {GROUPS}", missing()),
        ("GET /courses/course-CS-uuid", missing()),
        ("GET /courses", lists()),
    ]

    gone = play(bound, script)
    unbound = play(replace(bound, targets={}), [])

    assert {gone.settlement.outcome, unbound.settlement.outcome} == {Outcome.DONE}
    assert {gone.settlement.reason, unbound.settlement.reason} == {Reason.NOT_LOOKED}


@pytest.mark.parametrize("reply", [throttled(), unreachable(), lost()])
def test_a_look_that_got_no_answer_is_never_in_doubt(reply: Reply) -> None:
    work = look_at("course", possibly_sent=True)

    played = play(work, [(SEARCHES["course"], reply)])

    assert played.settlement.outcome in {Outcome.RETRY, Outcome.UNCERTAIN}
    assert not played.settlement.in_doubt


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"status": "issued"}, Reason.SECOND_RECORD),
        ({"status": "draft"}, Reason.SECOND_RECORD),
        ({"status": "revoked"}, Reason.NOTHING_LATE),
    ],
)
def test_a_second_live_certificate_is_held_whatever_its_file(
    second: dict[str, str], reason: Reason
) -> None:
    late = certificate("late", files=[{"uuid": "f-2"}], **second)

    played = play(look_at("certificate"), [(LIST, lists(certificate("ours"), late))])

    assert played.settlement.reason == reason


def test_the_words_name_the_commands_that_decide() -> None:
    words = explain(Reason.SECOND_RECORD)

    assert all(name in words for name in ("mapping bind", "outbox retry", "outbox discard"))
