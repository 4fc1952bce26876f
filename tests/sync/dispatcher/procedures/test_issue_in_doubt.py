"""Issuing: once for ever, with the file as the witness."""

import pytest

from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.issuing import (
    FILE,
    ISSUED,
    LIST,
    NONE_YET,
    POST,
    UPLOAD,
    certificate,
    file_row,
    resumed,
)
from tests.sync.dispatcher.procedures.samples import request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    answered,
    lists,
    made,
    missing,
    play,
    shows,
    unreachable,
)

USED = "2025-12-20T00:00:00Z"


def test_after_doubt_a_used_file_leads_to_its_certificate() -> None:
    script = [
        (FILE, shows(file_row(used_at="2025-12-20T00:00:00Z"))),
        (LIST, lists(certificate("c-5"))),
    ]

    played = play(resumed(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-5"


def test_after_doubt_a_used_file_without_a_certificate_is_looked_at_once_more() -> None:
    script = [(FILE, shows(file_row(used_at=USED))), NONE_YET]

    played = play(resumed(), script, rules=Rules(settle_seconds=7))

    settlement = played.settlement
    assert (settlement.outcome, settlement.reason) == (Outcome.UNCERTAIN, Reason.NOT_LISTED)
    assert (settlement.retry_seconds, settlement.counts_as_failure) == (7, False)
    assert played.facts == {"unlisted": "file_used"}


def test_a_used_file_that_still_has_no_certificate_is_held_in_doubt() -> None:
    script = [(FILE, shows(file_row(used_at=USED))), NONE_YET]

    played = play(resumed(unlisted="file_used"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_USED
    assert played.settlement.in_doubt
    assert played.facts == {"unlisted": None}


def test_a_used_file_whose_certificate_is_listed_later_leads_to_it() -> None:
    script = [(FILE, shows(file_row(used_at=USED))), (LIST, lists(certificate("c-5")))]

    played = play(resumed(unlisted="file_used"), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "c-5")


def test_after_doubt_a_listed_certificate_counts_even_if_its_file_seems_unused() -> None:
    script = [(FILE, shows(file_row())), (LIST, lists(certificate("c-5")))]

    played = play(resumed(), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "c-5")


def test_a_certificate_of_two_files_is_ours_if_one_of_them_is() -> None:
    files = [{"type": "signed", "uuid": "f-0"}, {"type": "certificate", "uuid": "f-1"}]
    script = [
        (FILE, shows(file_row(used_at=USED))),
        (LIST, lists(certificate("c-9", files=[{"uuid": "f-9"}]), certificate("c-5", files=files))),
    ]

    played = play(resumed(), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "c-5")


def test_two_files_for_one_upload_are_taken_for_no_answer() -> None:
    two = answered(201, {"data": [file_row(), file_row(uuid="f-2")]})

    played = play(request_for_certificate(), [NONE_YET, (UPLOAD, two)])

    assert played.settlement.reason == Reason.UPLOAD_UNCERTAIN
    assert played.progress == []


def test_after_doubt_an_unused_file_is_posted_again_and_never_uploaded() -> None:
    script = [(FILE, shows(file_row())), NONE_YET, (POST, made("c-1", **ISSUED))]

    played = play(resumed(), script)

    assert played.progress == []
    assert played.body(POST)["file_uuid"] == "f-1"
    assert played.settlement.target == "c-1"


def test_a_file_that_cannot_be_read_leaves_the_list_as_the_witness() -> None:
    there = play(resumed(), [(FILE, missing()), (LIST, lists(certificate("c-5")))])
    not_there = play(resumed(), [(FILE, missing()), NONE_YET, (POST, made("c-1", **ISSUED))])

    assert there.settlement.target == "c-5"
    assert not_there.settlement.target == "c-1"


@pytest.mark.parametrize("at", [FILE, LIST])
def test_doubt_stays_while_nothing_can_be_found_out(at: str) -> None:
    script: list[Line] = [(FILE, shows(file_row())), (LIST, lists())]
    reached = [line for line, _ in script].index(at)

    played = play(resumed(), [*script[:reached], (at, unreachable())])

    assert played.settlement.outcome is Outcome.UNCERTAIN
