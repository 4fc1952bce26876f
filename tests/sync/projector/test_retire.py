import pytest

from ledger.outbox.gate import Why
from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.resources import Kind
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import (
    ATTACHMENT,
    CERTIFICATE,
    COURSE,
    ENROLLMENT,
    MODULE,
    UNIVERSITY,
    attachment,
    completed,
    course,
    enrollment,
    module,
    remove,
    request,
    revoke,
    university,
    upsert,
)


@pytest.mark.parametrize("reference", [reference for reference, _ in UNIVERSITY], ids=str)
def test_the_removal_of_a_live_record_is_planned(reference: SourceRef) -> None:
    ledger = university()

    remove(ledger, reference)

    assert ledger.only(reference).kind == Kind.RETIRE


@pytest.mark.parametrize("reference", [reference for reference, _ in UNIVERSITY], ids=str)
def test_the_removal_of_what_was_never_made_needs_no_call(reference: SourceRef) -> None:
    ledger = FakeLedger()
    upsert(ledger, reference, dict(UNIVERSITY)[reference])

    remove(ledger, reference)

    assert ledger.every_open() == []
    assert [each.finished for each in ledger.last_plan.intents] == ["never_made"]


def test_the_removal_of_a_record_never_seen_needs_no_call() -> None:
    ledger = FakeLedger()

    remove(ledger, COURSE)

    assert [each.finished for each in ledger.last_plan.intents] == ["never_made"]


def test_a_second_removal_asks_for_nothing() -> None:
    ledger = university()
    remove(ledger, COURSE)
    ledger.work()

    remove(ledger, COURSE)

    assert ledger.last_plan.intents == ()


def test_a_removal_waits_for_what_may_have_been_sent() -> None:
    ledger = FakeLedger()
    upsert(ledger, SourceRef("institution", "I"), {"name": "Demo", "country": "Brazil"})
    leased = ledger.lease(SourceRef("institution", "I"))

    remove(ledger, SourceRef("institution", "I"))

    newest = ledger.open_operations(SourceRef("institution", "I"))[-1]
    assert [gate.operation for gate, _ in ledger.closed(newest)] == [leased.key]


def test_a_removal_heals_what_was_refused() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Phisics"))
    ledger.settle(ledger.lease(COURSE), State.DEAD)

    remove(ledger, COURSE)

    assert ledger.only(COURSE).state is State.READY


def test_a_deleted_course_is_archived_after_everything_that_names_it() -> None:
    ledger = university()
    upsert(ledger, ENROLLMENT, completed(grade="9"))
    request(ledger)

    remove(ledger, COURSE)
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-3:]] == [ENROLLMENT, CERTIFICATE, COURSE]


def test_a_deleted_course_keeps_its_attachments() -> None:
    ledger = university()

    remove(ledger, COURSE)

    assert ledger.open_operations(ATTACHMENT) == ()


def test_what_names_a_deleted_course_later_waits_for_its_return() -> None:
    ledger = university()
    remove(ledger, COURSE)

    upsert(ledger, ENROLLMENT, completed(grade="9"))
    ledger.work()

    assert [why for _, why in ledger.closed(ledger.only(ENROLLMENT))] == [Why.REMOVED]


def test_a_correction_of_what_named_the_course_in_time_still_goes_out_before() -> None:
    ledger = university()
    upsert(ledger, ENROLLMENT, completed(cohort_id="K9"))
    remove(ledger, COURSE)

    upsert(ledger, ENROLLMENT, completed(grade="9"))
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [ENROLLMENT, COURSE]


def test_a_change_that_a_certificate_waits_for_goes_before_the_removal() -> None:
    ledger = university()
    upsert(ledger, COURSE, course(name="Physics II"))
    request(ledger)

    remove(ledger, COURSE)
    ledger.work()

    kinds = [kind for _, kind, _ in ledger.sent[-3:]]
    assert kinds == [Kind.UPSERT, Kind.ISSUE, Kind.RETIRE]


def test_a_removed_module_is_detached_first() -> None:
    ledger = university()

    remove(ledger, MODULE)
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [ATTACHMENT, MODULE]


def test_detaching_is_an_operation_of_the_attachment_caused_by_its_module() -> None:
    ledger = university()

    remove(ledger, MODULE)

    detaching = ledger.only(ATTACHMENT)
    assert (detaching.kind, detaching.cause) == (Kind.RETIRE, ledger.events[-1].position)


def test_an_attachment_that_was_never_made_goes_with_its_module() -> None:
    ledger = university()
    upsert(ledger, SourceRef("module", "N"), module(code="N"))
    waiting = SourceRef("course_module", "B")
    upsert(ledger, waiting, {"course_id": "unseen", "module_id": "N"})

    remove(ledger, SourceRef("module", "N"))

    assert ledger.open_operations(waiting) == ()


def test_an_enrollment_is_dropped_without_waiting_for_a_certificate_that_cannot_come() -> None:
    ledger = university()
    other = SourceRef("enrollment", "F")
    upsert(ledger, other, enrollment())
    ledger.work()
    request(ledger, enrollment_id="F")

    remove(ledger, other)

    assert ledger.only(other).state is State.READY
    assert Why.REMOVED in [why for _, why in ledger.closed(ledger.only(CERTIFICATE))]


def test_a_course_does_not_wait_for_the_revocation_of_a_certificate_never_issued() -> None:
    ledger = university()
    revoke(ledger)
    request(ledger)
    ledger.discard(ledger.open_operations(CERTIFICATE)[-1])

    remove(ledger, COURSE)

    assert ledger.only(COURSE).state is State.READY


def test_to_name_a_removed_record_for_the_first_time_is_to_come_too_late() -> None:
    ledger = university()
    request(ledger, course_id="unseen")
    remove(ledger, COURSE)

    request(ledger)
    ledger.work()

    whys = [
        why for gate, why in ledger.closed(ledger.only(CERTIFICATE)) if gate.reference == COURSE
    ]
    assert whys == [Why.REMOVED]


def test_an_attachment_that_its_module_takes_along_is_not_freed_for_a_key_as_well() -> None:
    ledger = university()
    rival = SourceRef("course_module", "B")
    upsert(ledger, rival, attachment(course_id="D"))
    ledger.work()
    upsert(ledger, rival, attachment())

    remove(ledger, MODULE)

    assert ledger.only(rival).kind == Kind.RETIRE
