"""What the state of a certificate settles, once it is there."""

from typing import Any

import pytest

from ledger.reference import SourceRef
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.issuing import (
    LIST,
    NONE_YET,
    POST,
    UPLOAD,
    URL,
    certificate,
    uploaded,
)
from tests.sync.dispatcher.procedures.samples import request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    lists,
    made,
    missing,
    play,
    shows,
)


def test_a_certificate_of_another_record_is_not_adopted_although_it_holds_the_file() -> None:
    script = [(LIST, lists(certificate("c-5"))), (UPLOAD, uploaded(used_at="2025-12-20"))]

    played = play(
        request_for_certificate(), script, holders={"c-5": SourceRef("certificate", "C-0")}
    )

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_USED


def test_a_certificate_still_at_work_is_bound_and_looked_at_later() -> None:
    draft = made("c-1", status="draft", public_verification_url=None)
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, draft)]

    played = play(request_for_certificate(), script)

    assert played.progress[-1].bind == "c-1"
    assert played.facts["polls"] == 1
    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == Reason.ISSUING
    assert played.settlement.retry_seconds == 24
    assert not played.settlement.counts_as_failure


def test_a_later_look_is_one_read_and_never_a_post() -> None:
    work = request_for_certificate(target="c-1", progress={"file": "f-1", "polls": 1})

    played = play(work, [("GET /certificates/c-1", shows(certificate()))])

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.facts["public_verification_url"] == URL


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"status": "draft"}, Outcome.HELD, Reason.LEFT_IN_DRAFT),
        ({"public_verification_url": None}, Outcome.DONE, Reason.ISSUED_WITHOUT_URL),
        ({"status": "revoked"}, Outcome.HELD, Reason.REVOKED_MEANWHILE),
        ({"status": "expired"}, Outcome.DONE, Reason.EXPIRED),
    ],
)
def test_the_last_look_settles(changes: dict[str, Any], outcome: Outcome, reason: Reason) -> None:
    work = request_for_certificate(target="c-1", progress={"file": "f-1", "polls": 5})

    played = play(work, [("GET /certificates/c-1", shows(certificate(**changes)))])

    assert played.settlement.outcome is outcome
    assert played.settlement.reason == reason


def test_a_certificate_that_cannot_be_read_by_uuid_is_found_in_the_list() -> None:
    work = request_for_certificate(target="c-1", progress={"file": "f-1"})
    script = [
        ("GET /certificates/c-1", missing(405)),
        ("GET /certificates", lists(certificate("c-0"), certificate("c-1"))),
    ]

    played = play(work, script)

    assert played.settlement.outcome is Outcome.DONE
