"""Revoking: read first, once, with a neutral text."""

import pytest

from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from sync.resources.certificate import REVOCATION_TEXTS
from tests.sync.dispatcher.procedures.samples import revocation
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

GET = "GET /certificates/certificate-C-1-uuid"
PUT = "PUT /certificates/certificate-C-1-uuid/revoke"


def shown(status: str) -> Reply:
    return shows({"uuid": "certificate-C-1-uuid", "status": status})


def test_an_issued_certificate_is_revoked_with_the_neutral_text_of_its_reason() -> None:
    played = play(revocation(), [(GET, shown("issued")), (PUT, shown("revoked"))])

    assert played.body(PUT) == {"revocation_reason": REVOCATION_TEXTS["issued_in_error"]}
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.REVOKED


def test_the_text_is_the_operators_if_there_is_one() -> None:
    rules = Rules(revocation_texts={"issued_in_error": "Issued by mistake."})

    played = play(revocation(), [(GET, shown("issued")), (PUT, shown("revoked"))], rules=rules)

    assert played.body(PUT) == {"revocation_reason": "Issued by mistake."}


def test_a_reason_without_a_text_is_held_before_any_call() -> None:
    played = play(revocation("unheard_of"))

    assert played.calls == []
    assert played.settlement.reason == Reason.UNKNOWN_REVOCATION


def test_what_was_never_issued_needs_no_call() -> None:
    played = play(revocation(target=None))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DONE


def test_a_revoked_certificate_is_not_revoked_twice() -> None:
    played = play(revocation(), [(GET, shown("revoked"))])

    assert played.settlement.after is After.REVOKED


@pytest.mark.parametrize("status", ["draft", "expired"])
def test_what_is_not_issued_is_reported(status: str) -> None:
    played = play(revocation(), [(GET, shown(status))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.NOT_REVOCABLE


def test_a_certificate_that_only_the_list_shows_is_read_there() -> None:
    rows = lists(
        {"uuid": "another", "status": "issued"},
        {"uuid": "certificate-C-1-uuid", "status": "issued"},
    )
    script = [(GET, missing(405)), ("GET /certificates", rows), (PUT, shown("revoked"))]

    played = play(revocation(), script)

    assert played.settlement.after is After.REVOKED


def test_a_certificate_that_is_gone_is_held() -> None:
    played = play(revocation(), [(GET, missing()), ("GET /certificates", lists())])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.MISSING
    assert played.settlement.after is After.MISSING


@pytest.mark.parametrize("reply", [lost(), fails()])
def test_a_revocation_without_an_answer_is_uncertain(reply: Reply) -> None:
    played = play(revocation(), [(GET, shown("issued")), (PUT, reply)])

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_after_doubt_the_certificate_is_read_and_revoked_only_if_it_is_not() -> None:
    took_effect = play(revocation(possibly_sent=True), [(GET, shown("revoked"))])
    did_not = play(
        revocation(possibly_sent=True), [(GET, shown("issued")), (PUT, shown("revoked"))]
    )

    assert took_effect.settlement.after is After.REVOKED
    assert did_not.settlement.after is After.REVOKED


def test_doubt_stays_while_it_cannot_be_read() -> None:
    played = play(revocation(possibly_sent=True), [(GET, unreachable())])

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_an_answer_without_a_body_is_read_back() -> None:
    script = [(GET, shown("issued")), (PUT, answered(204)), (GET, shown("revoked"))]

    assert play(revocation(), script).settlement.after is After.REVOKED


def test_a_refusal_because_somebody_else_was_faster_is_done() -> None:
    script = [(GET, shown("issued")), (PUT, refuses("status")), (GET, shown("revoked"))]

    assert play(revocation(), script).settlement.after is After.REVOKED


def test_a_refusal_that_the_record_does_not_explain_is_held() -> None:
    script = [(GET, shown("issued")), (PUT, refuses()), (GET, shown("issued"))]

    played = play(revocation(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REVOKE_REFUSED


@pytest.mark.parametrize("reply", [throttled(), unreachable(), unauthorised()])
def test_what_was_not_taken_in_is_tried_again(reply: Reply) -> None:
    at_read = play(revocation(), [(GET, reply)])
    at_put = play(revocation(), [(GET, shown("issued")), (PUT, reply)])

    assert at_read.settlement.outcome is at_put.settlement.outcome is Outcome.RETRY
