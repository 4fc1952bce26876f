import pytest

from ledger.outbox.operation import State
from ledger.reference import SourceRef
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import (
    ATTACHMENT,
    INSTITUTION,
    attachment,
    institution,
    module,
    remove,
    student,
    university,
    upsert,
)

ANA = SourceRef("student", "ana")
BIA = SourceRef("student", "bia")
CAO = SourceRef("student", "cao")


def mailbox(name: str) -> str:
    return f"{name}@example.org"


def people(*records: SourceRef) -> FakeLedger:
    """Return a ledger of live students, each with a mailbox of the same name."""
    ledger = FakeLedger()
    for each in records:
        upsert(ledger, each, student(mailbox(each.source_id)))
    ledger.work()
    return ledger


def test_a_key_is_claimed_after_the_operation_that_releases_it() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("new")))

    upsert(ledger, BIA, student(mailbox("ana")))
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [ANA, BIA]


def test_a_key_that_nobody_releases_holds_the_newcomer_and_names_the_holder() -> None:
    ledger = people(ANA, BIA)

    upsert(ledger, BIA, student(mailbox("ana")))

    operation = ledger.only(BIA)
    assert operation.reason == "key_taken"
    assert ledger.concerns[operation.key] == (ANA,)


def test_two_new_persons_with_one_mailbox_are_both_parked() -> None:
    ledger = FakeLedger()
    upsert(ledger, ANA, student(mailbox("both")))

    upsert(ledger, BIA, student(mailbox("both")))

    assert {ledger.only(ANA).reason, ledger.only(BIA).reason} == {"key_taken"}


def test_the_first_person_is_not_parked_once_made() -> None:
    ledger = people(ANA)

    upsert(ledger, BIA, student(mailbox("ana")))
    upsert(ledger, ANA, student(mailbox("ana"), social_name="Aninha"))

    assert ledger.only(ANA).state is State.READY


def test_the_parked_one_goes_on_when_the_other_corrects_the_mailbox() -> None:
    ledger = FakeLedger()
    upsert(ledger, ANA, student(mailbox("both")))
    upsert(ledger, BIA, student(mailbox("both")))

    upsert(ledger, BIA, student(mailbox("bia")))
    ledger.work()

    assert ledger.every_open() == []


def test_a_swap_of_mailboxes_is_held_and_names_both() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("bia")))

    upsert(ledger, BIA, student(mailbox("ana")))

    first, second = ledger.only(ANA), ledger.only(BIA)
    assert (first.reason, ledger.concerns[first.key]) == ("key_cycle", (BIA,))
    assert (second.reason, ledger.concerns[second.key]) == ("key_cycle", (ANA,))


def test_a_circle_of_three_is_held_and_names_everybody() -> None:
    ledger = people(ANA, BIA, CAO)
    upsert(ledger, ANA, student(mailbox("bia")))
    upsert(ledger, BIA, student(mailbox("cao")))

    upsert(ledger, CAO, student(mailbox("ana")))

    reasons = {ledger.only(each).reason for each in (ANA, BIA, CAO)}
    assert reasons == {"key_cycle"}


def test_a_module_code_is_a_key_as_well() -> None:
    ledger = university()

    upsert(ledger, SourceRef("module", "N"), module())

    assert ledger.only(SourceRef("module", "N")).reason == "key_taken"


def test_the_code_of_a_removed_module_stays_taken() -> None:
    ledger = university()
    remove(ledger, SourceRef("module", "M"))
    ledger.work()

    upsert(ledger, SourceRef("module", "N"), module())

    assert ledger.only(SourceRef("module", "N")).reason == "key_taken"


def test_a_detached_pair_can_be_attached_under_another_id() -> None:
    ledger = university()
    remove(ledger, ATTACHMENT)

    upsert(ledger, SourceRef("course_module", "B"), attachment())
    ledger.work()

    assert ledger.every_open() == []


@pytest.mark.parametrize("entity", ["course", "organization"])
def test_what_dokstamp_lets_repeat_is_not_a_key(entity: str) -> None:
    ledger = FakeLedger()
    upsert(ledger, INSTITUTION, institution())
    upsert(ledger, SourceRef(entity, "1"), {"institution_id": "I", "name": "n", "code": "c"})

    upsert(ledger, SourceRef(entity, "2"), {"institution_id": "I", "name": "n", "code": "c"})
    ledger.work()

    assert ledger.every_open() == []
