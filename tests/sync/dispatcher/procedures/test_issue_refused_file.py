"""A file that DokStamp refuses may be in use by a certificate of ours that no list shows yet."""

import pytest

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.issuing import (
    FILE,
    LIST,
    NONE_YET,
    POST,
    REFUSAL,
    certificate,
    file_row,
    resumed,
)
from tests.sync.dispatcher.procedures.samples import request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    Reply,
    lists,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unreachable,
)

IN_DOUBT = (Outcome.UNCERTAIN, Reason.NOT_LISTED)
UNUSED: Line = (FILE, shows(file_row()))
USED: Line = (FILE, shows(file_row(used_at="2025-12-20T00:00:00Z")))
REFUSED: Line = (POST, refuses("file_uuid"))
OTHER = certificate("c-9", files=[{"uuid": "f-9"}])


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("fields", [("file_uuid",), ()])
def test_a_refused_file_without_a_certificate_is_looked_at_once_more_in_doubt(
    fields: tuple[str, ...], status: int
) -> None:
    script = [*REFUSAL, (POST, refuses(*fields, status=status)), NONE_YET]

    played = play(request_for_certificate(), script)

    assert (played.settlement.outcome, played.settlement.reason) == IN_DOUBT
    assert played.facts["unlisted"] == "file_refused"


def test_a_late_first_request_that_refuses_the_second_leaves_it_in_doubt() -> None:
    played = play(resumed(), [UNUSED, NONE_YET, REFUSED, NONE_YET])

    assert (played.settlement.outcome, played.settlement.reason) == IN_DOUBT
    assert played.facts == {"unlisted": "file_refused"}


@pytest.mark.parametrize("reply", [throttled(), unreachable()])
def test_a_refused_file_stays_in_doubt_while_the_list_cannot_be_read(reply: Reply) -> None:
    played = play(resumed(), [UNUSED, NONE_YET, REFUSED, (LIST, reply)])

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_a_refused_file_beside_another_certificate_is_held_in_doubt() -> None:
    played = play(resumed(), [UNUSED, NONE_YET, REFUSED, (LIST, lists(OTHER))])

    assert played.settlement.reason == Reason.ANOTHER_CERTIFICATE
    assert played.settlement.in_doubt


def test_a_person_who_says_retry_beside_another_certificate_ends_the_doubt() -> None:
    played = play(resumed(), [UNUSED, (LIST, lists(OTHER))])

    assert played.settlement.reason == Reason.ANOTHER_CERTIFICATE
    assert not played.settlement.in_doubt


@pytest.mark.parametrize("possibly_sent", [True, False])
def test_a_refused_file_that_turns_out_used_is_held_in_doubt(*, possibly_sent: bool) -> None:
    work = resumed(unlisted="file_refused", possibly_sent=possibly_sent)

    played = play(work, [USED, NONE_YET])

    assert (played.settlement.outcome, played.settlement.reason) == (
        Outcome.HELD,
        Reason.FILE_USED,
    )
    assert played.settlement.in_doubt


def test_a_refused_file_that_cannot_be_read_is_held_in_doubt() -> None:
    played = play(resumed(unlisted="file_refused"), [(FILE, missing()), NONE_YET])

    assert played.settlement.reason == Reason.FILE_REFUSED
    assert played.settlement.in_doubt
    assert played.facts == {"unlisted": None}


def test_a_refused_file_that_is_still_unused_is_held_so_that_it_can_be_discarded() -> None:
    played = play(resumed(unlisted="file_refused"), [UNUSED, NONE_YET])

    assert (played.settlement.outcome, played.settlement.reason) == (
        Outcome.HELD,
        Reason.FILE_REFUSED,
    )
    assert not played.settlement.in_doubt
    assert played.facts == {"unlisted": None}


def test_a_hold_of_the_second_look_forgets_that_nothing_was_listed() -> None:
    in_part = {"uuid": "c-5", "status": "issued"}
    script: list[Line] = [USED, (LIST, lists(in_part)), ("GET /certificates/c-5", refuses())]

    played = play(resumed(unlisted="file_used"), script)

    assert (played.settlement.outcome, played.settlement.reason) == (
        Outcome.HELD,
        Reason.READ_REFUSED,
    )
    assert played.settlement.in_doubt
    assert played.facts == {"unlisted": None}


def test_a_certificate_of_ours_that_was_revoked_ends_the_doubt() -> None:
    script: list[Line] = [USED, (LIST, lists(certificate("c-5", status="revoked")))]

    played = play(resumed(unlisted="file_used"), script)

    assert played.settlement.reason == Reason.FILE_USED
    assert not played.settlement.in_doubt
