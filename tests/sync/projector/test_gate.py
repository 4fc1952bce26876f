from collections.abc import Mapping

import pytest

from ledger.outbox.gate import GateKind, Why
from ledger.outbox.operation import State
from ledger.reference import Json, SourceRef
from sync.resources import Kind
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import (
    ATTACHMENT,
    CERTIFICATE,
    COHORT,
    COURSE,
    ENROLLMENT,
    GROUP,
    INSTITUTION,
    MODULE,
    ORGANIZATION,
    STUDENT,
    attachment,
    cohort,
    completed,
    course,
    enrollment,
    group,
    institution,
    module,
    organization,
    remove,
    request,
    student,
    university,
    upsert,
)

FREEZES: list[tuple[SourceRef, Mapping[str, Json]]] = [
    (STUDENT, student(social_name="Aninha")),
    (INSTITUTION, institution(website="https://demo.example")),
    (COURSE, course(name="Physics II")),
    (COHORT, cohort(modality="remote")),
    (ENROLLMENT, completed(grade="9")),
    (GROUP, group(order=2)),
    (ATTACHMENT, attachment(order=2)),
]


def awaited(ledger: FakeLedger, reference: SourceRef) -> list[SourceRef]:
    closed = ledger.closed(ledger.only(reference))
    return [gate.reference for gate, _ in closed if gate.kind is GateKind.AFTER]


@pytest.mark.parametrize(("reference", "data"), FREEZES, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("state", [None, State.HELD, State.DEAD])
def test_a_certificate_waits_for_earlier_changes_to_what_it_freezes(
    reference: SourceRef, data: Mapping[str, Json], state: State | None
) -> None:
    ledger = university()
    upsert(ledger, reference, data)
    if state is not None:
        ledger.settle(ledger.lease(reference), state)

    request(ledger, cohort_id="K")

    assert awaited(ledger, CERTIFICATE) == [reference]


@pytest.mark.parametrize(
    ("reference", "data"),
    [(ORGANIZATION, organization(code="F")), (MODULE, module(name="Light"))],
    ids=str,
)
def test_a_certificate_does_not_wait_for_what_it_does_not_freeze(
    reference: SourceRef, data: Mapping[str, Json]
) -> None:
    ledger = university()
    upsert(ledger, reference, data)

    request(ledger)

    assert awaited(ledger, CERTIFICATE) == []


def test_a_certificate_does_not_wait_for_the_student_in_another_course() -> None:
    ledger = university()
    upsert(ledger, SourceRef("enrollment", "F"), enrollment(course_id="D"))

    request(ledger)

    assert awaited(ledger, CERTIFICATE) == []


def test_a_certificate_does_not_wait_for_later_changes() -> None:
    ledger = university()
    request(ledger)

    upsert(ledger, STUDENT, student(social_name="Aninha"))

    assert awaited(ledger, CERTIFICATE) == []


def test_a_certificate_waits_until_its_enrollment_is_complete() -> None:
    ledger = university()
    unfinished = SourceRef("enrollment", "F")
    upsert(ledger, unfinished, enrollment())
    ledger.work()
    request(ledger, enrollment_id="F")

    upsert(ledger, unfinished, completed())
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [unfinished, CERTIFICATE]


def test_a_complete_enrollment_changes_only_after_an_earlier_certificate_is_out() -> None:
    ledger = university()
    request(ledger, enrollment_id="E", cohort_id="K9")

    upsert(ledger, ENROLLMENT, enrollment())

    assert awaited(ledger, ENROLLMENT) == [CERTIFICATE]


def test_an_enrollment_does_not_wait_for_a_certificate_that_is_stuck() -> None:
    ledger = university()
    request(ledger, enrollment_id="E")
    ledger.settle(ledger.lease(CERTIFICATE), State.DEAD)

    upsert(ledger, ENROLLMENT, completed(grade="9"))

    assert awaited(ledger, ENROLLMENT) == []


def test_a_corrected_enrollment_goes_before_the_certificate_that_waited_for_it() -> None:
    ledger = university()
    upsert(ledger, ENROLLMENT, completed(cohort_id="K9"))
    request(ledger, enrollment_id="E")

    upsert(ledger, ENROLLMENT, completed(grade="9"))
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [ENROLLMENT, CERTIFICATE]


def test_a_retirement_waits_for_what_is_stuck_and_names_the_record() -> None:
    ledger = university()
    upsert(ledger, COHORT, cohort(modality="remote"))
    ledger.settle(ledger.lease(COHORT), State.HELD)

    remove(ledger, COURSE)

    [(gate, why)] = ledger.closed(ledger.only(COURSE))
    assert (gate.reference, why) == (COHORT, Why.HELD)


def test_what_names_a_record_on_its_way_back_waits_for_its_return() -> None:
    ledger = university()
    remove(ledger, COURSE)
    ledger.work()
    upsert(ledger, COURSE, course())

    upsert(ledger, COHORT, cohort(modality="remote"))

    assert awaited(ledger, COHORT) == [COURSE]


def test_an_operation_carries_whether_it_completes_its_record() -> None:
    ledger = university()

    upsert(ledger, ENROLLMENT, completed(grade="9"))

    operation = ledger.only(ENROLLMENT)
    assert (operation.kind, operation.completes) == (Kind.UPSERT, True)
