"""The attach call: one for all, then one each after a refusal."""

import pytest

from sync.dispatcher.procedures.attachable import UNSEEN_FACT
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.attaching import (
    ATTACH,
    ATTACHED,
    FREE,
    MA1,
    MA2,
    MA3,
    attachment,
)
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    missing,
    play,
    refuses,
    unreachable,
)


@pytest.mark.parametrize("reply", [ATTACHED, answered(201), answered(204)])
def test_all_attachments_of_a_course_go_in_one_call_whatever_the_2xx(reply: Reply) -> None:
    works = [attachment("MA1"), attachment("MA2"), attachment("MA3")]
    script = [(FREE, lists(MA1, MA2, MA3)), (ATTACH, reply), (FREE, lists())]

    played = play(works, script)

    assert len(played.body(ATTACH)["modules"]) == 3
    assert {each.outcome for each in played.result} == {Outcome.DONE}


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


def test_an_accepted_attachment_that_is_not_seen_is_looked_at_again_later() -> None:
    played = play(attachment("MA1"), [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.settlement.reason == Reason.NOT_LISTED
    assert played.settlement.retry_seconds == Rules().settle_seconds
    assert played.facts == {UNSEEN_FACT: True}


def test_an_accepted_attachment_that_the_list_shows_late_is_done_without_a_call() -> None:
    work = attachment("MA1", possibly_sent=True, progress={UNSEEN_FACT: True})

    played = play(work, [(FREE, lists())])

    assert played.settlement.outcome is Outcome.DONE
    assert played.calls == [FREE]


@pytest.mark.parametrize("reply", [ATTACHED, refuses("modules")])
def test_an_accepted_attachment_that_is_never_seen_is_held(reply: Reply) -> None:
    work = attachment("MA1", possibly_sent=True, progress={UNSEEN_FACT: True})

    played = play(work, [(FREE, lists(MA1)), (ATTACH, reply), (FREE, lists(MA1))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ATTACH_NOT_SEEN
    assert played.settlement.in_doubt
    assert played.facts == {UNSEEN_FACT: None}


@pytest.mark.parametrize("reply", [lost(), fails()])
def test_an_attachment_without_an_answer_is_uncertain(reply: Reply) -> None:
    played = play(
        [attachment("MA1"), attachment("MA2")], [(FREE, lists(MA1, MA2)), (ATTACH, reply)]
    )

    assert {each.outcome for each in played.result} == {Outcome.UNCERTAIN}


def test_a_confirmation_that_cannot_be_had_leaves_it_uncertain() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, unreachable())]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.UNCERTAIN


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
