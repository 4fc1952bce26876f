"""The file of a certificate: uploaded alone, checked, read as a witness."""

import pytest

from ledger.reference import Json
from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.issuing import (
    ISSUED,
    LIST,
    NONE_YET,
    POST,
    UPLOAD,
    file_row,
    uploaded,
)
from tests.sync.dispatcher.procedures.samples import PDF, request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lost,
    made,
    play,
    refuses,
)


@pytest.mark.parametrize(
    ("document", "outcome", "reason"),
    [
        (b"PK\x03\x04", Outcome.DEAD, Reason.NOT_A_PDF),
        (b"", Outcome.DEAD, Reason.NOT_A_PDF),
        (PDF + b"x" * 100, Outcome.DEAD, Reason.TOO_LARGE),
        (None, Outcome.HELD, Reason.DOCUMENT_MISSING),
    ],
)
def test_an_unfit_document_is_not_uploaded(
    document: bytes | None, outcome: Outcome, reason: Reason
) -> None:
    work = request_for_certificate(document=document)

    played = play(work, [NONE_YET], rules=Rules(upload_bytes_max=100))

    assert played.settlement.outcome is outcome
    assert played.settlement.reason == reason


def test_a_file_that_is_used_elsewhere_holds_the_request() -> None:
    script = [NONE_YET, (UPLOAD, uploaded(used_at="2025-01-01T00:00:00Z"))]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_USED


def test_a_file_of_another_size_holds_the_request() -> None:
    played = play(request_for_certificate(), [NONE_YET, (UPLOAD, uploaded(size=1))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_DIFFERS


@pytest.mark.parametrize(
    "reply",
    [lost(), fails(), answered(201, {"data": []}), answered(201, {"data": file_row()})],
    ids=["lost", "failed", "empty", "no list"],
)
def test_an_upload_without_a_clear_answer_is_simply_repeated(reply: Reply) -> None:
    played = play(request_for_certificate(), [NONE_YET, (UPLOAD, reply)])

    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == Reason.UPLOAD_UNCERTAIN


@pytest.mark.parametrize("status", [413, 422])
def test_a_refused_upload_is_dead(status: int) -> None:
    script = [NONE_YET, (UPLOAD, refuses("files.0", status=status))]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.reason == Reason.FILE_REFUSED


def test_a_crash_during_the_upload_uploads_again() -> None:
    work = request_for_certificate(possibly_sent=True)
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(work, script)

    assert played.settlement.target == "c-1"


def test_a_file_on_record_is_not_uploaded_again_after_a_throttle() -> None:
    facts: dict[str, Json] = {"file": "f-1", "issued_at": "2025-12-20T00:00:00Z"}
    work = request_for_certificate(progress=facts, document=None)

    played = play(work, [NONE_YET, (POST, made("c-1", **ISSUED))])

    assert played.calls == [LIST, POST]
