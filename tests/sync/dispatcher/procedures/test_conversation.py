"""Which conversation carries out which operations."""

from dataclasses import replace

import pytest

from ledger.reference import TargetId
from sync.dispatcher.procedures import Rules, converse
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from tests.sync.dispatcher.procedures.samples import (
    change,
    removal,
    request_for_certificate,
    row,
    upsert,
)
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    lists,
    lost,
    made,
    play,
    play_steps,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

GROUPS = "/courses/course-CS-uuid/modules/groups"


def test_no_operations_are_no_calls() -> None:
    assert play_steps(converse((), rules=Rules())).result == ()


def test_operations_of_two_kinds_are_no_conversation() -> None:
    with pytest.raises(ValueError, match="claim the others apart"):
        play_steps(converse((upsert("course"), removal("course")), rules=Rules()))


def test_a_call_names_the_operation_it_is_made_for() -> None:
    first = upsert("module_group")
    second = upsert("module_group", "G-2", wanted={"name": "Semester 2"})
    script = [
        (f"GET {GROUPS}", lists()),
        (f"POST {GROUPS}", made("u-1")),
        (f"POST {GROUPS}", made("u-2")),
    ]

    played = play((first, second), script)

    assert played.made_for == [(), (first.operation,), (second.operation,)]


@pytest.mark.parametrize("reply", [throttled(), unreachable(), unauthorised(), lost()])
def test_what_stops_one_stops_the_rest_without_a_call(reply: Reply) -> None:
    first = upsert("module_group")
    second = upsert("module_group", "G-2", wanted={"name": "Semester 2"})
    script = [(f"GET {GROUPS}", lists()), (f"POST {GROUPS}", reply)]

    played = play((first, second), script)

    assert played.settlement_of(second).outcome is Outcome.RETRY
    assert played.settlement_of(second).reason == Reason.AFTER_OTHERS
    assert not played.settlement_of(second).counts_as_failure


def test_changed_groups_of_a_course_are_changed_one_after_another() -> None:
    first = change("module_group", wanted={"order": 3})
    target = TargetId("g-2")
    second = upsert("module_group", "G-2", target=target, sent=first.sent, wanted={"order": 4})
    script = [
        (f"PATCH {GROUPS}/module_group-G-1-uuid", shows(row("module_group", order=3))),
        (f"PATCH {GROUPS}/g-2", shows(row("module_group", "g-2", order=4))),
    ]

    played = play((first, second), script)

    assert [each.outcome for each in played.result] == [Outcome.DONE, Outcome.DONE]
    assert played.progress == []


def test_a_made_record_is_bound_at_once_when_more_calls_follow() -> None:
    first = upsert("module_group")
    second = upsert("module_group", "G-2", wanted={"name": "Semester 2"})
    script = [
        (f"GET {GROUPS}", lists()),
        (f"POST {GROUPS}", made("u-1")),
        (f"POST {GROUPS}", made("u-2")),
    ]

    played = play((first, second), script)

    assert [step.bind for step in played.progress] == ["u-1"]
    assert [each.target for each in played.result] == ["u-1", "u-2"]


@pytest.mark.parametrize(
    ("work", "field"),
    [
        (replace(upsert("enrollment"), targets={}), "student_id"),
        (replace(change("module_group"), targets={}), "course_id"),
        (replace(change("course_module"), targets={}), "course_id"),
        (replace(request_for_certificate(), targets={}), "enrollment_id"),
        (replace(removal("module_group"), targets={}), "course_id"),
    ],
)
def test_who_names_a_record_that_is_gone_is_held_without_a_call(work: Work, field: str) -> None:
    played = play(work, [])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
    assert field in played.settlement.fields


def test_who_names_a_record_that_is_gone_does_not_stop_the_others() -> None:
    lost = upsert("module_group", "G-2", wanted={"name": "Semester 2", "course_id": "GONE"})
    first, lost = upsert("module_group"), replace(lost, targets={})
    script = [(f"GET {GROUPS}", lists()), (f"POST {GROUPS}", made("u-1"))]

    played = play((first, lost), script)

    assert played.settlement_of(lost).reason == Reason.REFERENCE_MISSING
    assert played.settlement_of(first).outcome is Outcome.DONE


def test_a_certificate_that_was_asked_for_is_looked_at_whatever_else_is_gone() -> None:
    asked = request_for_certificate(target=TargetId("c-1"))
    seen = shows(row("certificate", "c-1"))

    played = play(replace(asked, targets={}), [("GET /certificates/c-1", seen)])

    assert played.settlement.reason != Reason.REFERENCE_MISSING


def test_removing_what_was_never_made_needs_no_address() -> None:
    work = replace(removal("module_group", target=None), targets={})

    assert play(work, []).settlement.outcome is Outcome.DONE
