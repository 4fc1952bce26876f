from ledger.outbox.gate import GateKind, Why
from ledger.outbox.operation import Priority, State
from ledger.reference import SourceRef
from sync.resources import Kind
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import CERTIFICATE, request, revoke, university

OTHER_DOCUMENT = "1" * 64


def issued() -> FakeLedger:
    ledger = university()
    request(ledger)
    ledger.work()
    return ledger


def test_a_request_is_issued_once_everything_is_in_place() -> None:
    ledger = university()

    request(ledger)

    operation = ledger.only(CERTIFICATE)
    assert (operation.kind, operation.state) == (Kind.ISSUE, State.READY)
    assert operation.priority == Priority.ISSUE


def test_the_same_request_again_asks_for_nothing() -> None:
    ledger = issued()

    request(ledger)

    assert ledger.last_plan.intents == ()


def test_the_same_request_again_before_the_first_was_sent_asks_for_nothing() -> None:
    ledger = university()
    request(ledger)

    request(ledger)

    assert ledger.last_plan.intents == ()


def test_a_corrected_request_supersedes_one_that_was_not_sent() -> None:
    ledger = university()
    request(ledger)

    request(ledger, document=OTHER_DOCUMENT)

    assert ledger.only(CERTIFICATE).cause == ledger.events[-1].position


def test_other_content_for_a_live_certificate_is_held() -> None:
    ledger = issued()

    request(ledger, document=OTHER_DOCUMENT)

    assert ledger.only(CERTIFICATE).reason == "certificate_changed"


def test_other_content_for_a_certificate_that_may_be_live_is_held() -> None:
    ledger = university()
    request(ledger)
    ledger.lease(CERTIFICATE)

    request(ledger, document=OTHER_DOCUMENT)

    assert ledger.open_operations(CERTIFICATE)[-1].reason == "certificate_changed"


def test_asking_for_what_is_live_clears_a_change_that_was_held() -> None:
    ledger = issued()
    request(ledger, document=OTHER_DOCUMENT)

    request(ledger)

    assert ledger.open_operations(CERTIFICATE) == ()


def test_a_revocation_comes_before_other_work() -> None:
    ledger = issued()

    revoke(ledger)

    operation = ledger.only(CERTIFICATE)
    assert (operation.kind, operation.priority) == (Kind.REVOKE, Priority.REVOKE)


def test_a_revocation_before_anything_was_sent_needs_no_call() -> None:
    ledger = university()
    request(ledger)

    revoke(ledger)

    assert [each.finished for each in ledger.last_plan.intents] == ["never_issued"]
    assert ledger.open_operations(CERTIFICATE) == ()


def test_a_revocation_waits_for_an_issue_that_may_have_been_sent() -> None:
    ledger = university()
    request(ledger)
    leased = ledger.lease(CERTIFICATE)

    revoke(ledger)

    newest = ledger.open_operations(CERTIFICATE)[-1]
    assert [gate.operation for gate, _ in ledger.closed(newest)] == [leased.key]


def test_a_second_revocation_changes_nothing() -> None:
    ledger = issued()
    revoke(ledger)
    ledger.work()

    revoke(ledger, reason="superseded")

    assert ledger.last_plan.intents == ()


def test_a_request_after_the_revocation_is_held_for_a_new_subject() -> None:
    ledger = issued()
    revoke(ledger)
    ledger.work()

    request(ledger)

    assert ledger.only(CERTIFICATE).reason == "certificate_revoked"


def test_a_replacement_waits_for_the_revocation_of_what_it_replaces() -> None:
    ledger = issued()
    revoke(ledger)
    replacement = SourceRef("certificate", "D-REPLACEMENT")

    request(ledger, replacement, document=OTHER_DOCUMENT)

    [(gate, why)] = ledger.closed(ledger.only(replacement))
    assert (gate.kind, gate.reference, why) == (GateKind.AFTER, CERTIFICATE, Why.MOVING)


def test_a_revocation_of_what_was_never_asked_for_waits_for_the_certificate_itself() -> None:
    ledger = university()

    revoke(ledger)

    [(gate, why)] = ledger.closed(ledger.only(CERTIFICATE))
    assert (gate.kind, gate.reference, why) == (GateKind.BOUND, CERTIFICATE, Why.MISSING)


def test_a_certificate_bound_by_hand_is_revoked() -> None:
    ledger = university()
    revoke(ledger)

    ledger.bind(CERTIFICATE)

    assert ledger.only(CERTIFICATE).state is State.READY


def test_a_request_that_arrives_after_its_revocation_is_not_issued() -> None:
    ledger = university()
    revoke(ledger)

    request(ledger)
    ledger.work()

    assert CERTIFICATE not in ledger.bindings
    assert ledger.open_operations(CERTIFICATE)[-1].reason == "certificate_revoked"
