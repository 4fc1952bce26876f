from ledger.outbox.gate import GateKind, Why
from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.resources import Kind
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import (
    ATTACHMENT,
    COURSE,
    GROUP,
    INSTITUTION,
    MODULE,
    attachment,
    course,
    group,
    institution,
    module,
    remove,
    university,
    upsert,
)


def test_a_new_record_waits_for_every_record_that_it_names() -> None:
    ledger = FakeLedger()

    upsert(ledger, COURSE, course(organization_id="O"))

    gates = {(gate.kind, gate.reference): why for gate, why in ledger.closed(ledger.only(COURSE))}
    assert gates == {
        (GateKind.BOUND, INSTITUTION): Why.MISSING,
        (GateKind.BOUND, SourceRef("organization", "O")): Why.MISSING,
    }


def test_a_record_that_arrives_before_its_parent_goes_out_after_it() -> None:
    ledger = FakeLedger()

    upsert(ledger, COURSE, course())
    upsert(ledger, INSTITUTION, institution())
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent] == [INSTITUTION, COURSE]


def test_what_dokstamp_has_already_is_not_planned() -> None:
    ledger = university()

    upsert(ledger, COURSE, course())

    assert ledger.last_plan.intents == ()


def test_a_change_is_planned() -> None:
    ledger = university()

    upsert(ledger, COURSE, course(name="Physics II"))

    assert ledger.only(COURSE).kind == Kind.UPSERT


def test_a_correction_supersedes_what_was_not_sent() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))
    first = ledger.only(COURSE)

    upsert(ledger, COURSE, course(name="Physics II"))

    assert ledger.operations[first.key].superseded_by == ledger.only(COURSE).key


def test_going_back_to_what_was_sent_is_done_without_a_call() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))

    upsert(ledger, COURSE, course())

    [intent] = ledger.last_plan.intents
    assert intent.finished == "agrees"
    assert ledger.open_operations(COURSE) == ()


def test_a_correction_waits_for_what_may_have_been_sent() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))
    leased = ledger.lease(COURSE)

    upsert(ledger, COURSE, course(name="Physics II"))

    newest = ledger.open_operations(COURSE)[-1]
    assert [gate.operation for gate, _ in ledger.closed(newest)] == [leased.key]


def test_a_correction_heals_what_was_refused() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))
    ledger.settle(ledger.lease(COURSE), State.DEAD)

    upsert(ledger, COURSE, course(name="Physics II"))

    assert ledger.only(COURSE).state is State.READY


def test_what_was_refused_is_not_asked_for_again_unchanged() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))
    ledger.settle(ledger.lease(COURSE), State.DEAD)

    upsert(ledger, COURSE, course(name="Phisics"))

    assert ledger.last_plan.intents == ()
    assert ledger.only(COURSE).state is State.DEAD


def test_a_retired_record_that_comes_back_is_planned_although_unchanged() -> None:
    ledger = university()
    remove(ledger, COURSE)
    ledger.work()

    upsert(ledger, COURSE, course())

    assert ledger.only(COURSE).state is State.READY


def test_a_change_of_parent_is_held() -> None:
    ledger = university()

    upsert(ledger, GROUP, group(course_id="D"))

    assert ledger.only(GROUP).reason == "parent_changed"


def test_a_parent_may_change_until_the_record_may_have_been_made() -> None:
    ledger = FakeLedger()
    upsert(ledger, GROUP, group())

    upsert(ledger, GROUP, group(course_id="D"))

    assert ledger.only(GROUP).state is State.BLOCKED


def test_taking_a_change_of_parent_back_heals_it() -> None:
    ledger = university()
    upsert(ledger, GROUP, group(course_id="D"))

    upsert(ledger, GROUP, group())

    assert ledger.open_operations(GROUP) == ()


def test_an_attachment_may_move_to_another_course() -> None:
    ledger = university()

    upsert(ledger, ATTACHMENT, attachment(course_id="D"))

    assert ledger.only(ATTACHMENT).state is State.READY


def test_a_module_that_comes_back_is_attached_again_after_it_is_active() -> None:
    ledger = university()
    remove(ledger, MODULE)
    ledger.work()

    upsert(ledger, MODULE, module())

    again = ledger.only(ATTACHMENT)
    [(gate, why)] = ledger.closed(again)
    assert (gate.operation, why) == (ledger.only(MODULE).key, Why.MOVING)
    assert ledger.data(again.payload or 0) == attachment()


def test_a_module_that_comes_back_before_it_left_costs_no_call() -> None:
    ledger = university()
    remove(ledger, MODULE)

    upsert(ledger, MODULE, module())

    assert ledger.every_open() == []


def test_an_attachment_removed_meanwhile_does_not_come_back_with_its_module() -> None:
    ledger = university()
    remove(ledger, MODULE)
    remove(ledger, ATTACHMENT)
    ledger.work()

    upsert(ledger, MODULE, module())

    assert ledger.open_operations(ATTACHMENT) == ()


def test_an_attachment_to_a_removed_module_lets_the_detaching_go_on_and_waits() -> None:
    ledger = university()
    remove(ledger, MODULE)
    detaching = ledger.only(ATTACHMENT)

    upsert(ledger, ATTACHMENT, attachment(order=2))
    ledger.work()

    assert ledger.operations[detaching.key].state is State.DONE
    assert [why for _, why in ledger.closed(ledger.only(ATTACHMENT))] == [Why.REMOVED]
