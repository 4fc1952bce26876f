"""What the certificates that a student already has mean for a new one."""

import pytest

from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.issuing import (
    ISSUED,
    LIST,
    POST,
    UPLOAD,
    certificate,
    uploaded,
)
from tests.sync.dispatcher.procedures.samples import request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    lists,
    made,
    play,
    shows,
)


@pytest.mark.parametrize("status", ["draft", "issued"])
@pytest.mark.parametrize(
    "of",
    [
        {"enrollment": {"uuid": "enrollment-E-1-uuid"}},
        {"enrollment": None},
        {"enrollment": None, "cohort": None},
    ],
    ids=["same enrollment", "no enrollment", "neither"],
)
def test_another_live_certificate_holds_the_request(status: str, of: dict[str, object]) -> None:
    other = certificate("c-9", status=status, files=[{"uuid": "f-9"}], **of)
    script = [(LIST, lists(other)), (UPLOAD, uploaded())]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ANOTHER_CERTIFICATE
    assert played.progress == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "revoked"},
        {"status": "expired"},
        {"enrollment": {"uuid": "another"}},
        {"student": {"uuid": "another"}},
        {"course": {"uuid": "another"}},
    ],
    ids=str,
)
def test_other_certificates_do_not_stand_in_the_way(changes: dict[str, object]) -> None:
    other = certificate("c-9", files=[{"uuid": "f-9"}], **changes)
    script = [(LIST, lists(other)), (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(request_for_certificate(), script)

    assert played.settlement.target == "c-1"


def test_cohorts_decide_where_no_enrollment_is_named() -> None:
    work = request_for_certificate(wanted={"enrollment_id": None, "cohort_id": "CS-2024"})
    other = certificate("c-9", files=[], enrollment=None, cohort={"uuid": "another"})
    script = [(LIST, lists(other)), (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(work, script)

    assert played.settlement.target == "c-1"


@pytest.mark.parametrize(
    "shown",
    [
        {"files": ["F-1"]},
        {"files": [{"type": "certificate", "file_uuid": "f-1"}]},
        {"files": [{"uuid": "pivot-7", "file_uuid": "f-1"}]},
        {"files": None, "file_uuid": "f-1"},
    ],
    ids=str,
)
def test_a_file_is_recognised_however_a_certificate_shows_it(shown: dict[str, object]) -> None:
    ours = certificate("c-1", **shown)
    script = [(LIST, lists(ours)), (UPLOAD, uploaded())]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-1"


@pytest.mark.parametrize("hidden", ["files", "student", "course"])
def test_a_certificate_that_the_list_shows_in_part_is_read_alone(hidden: str) -> None:
    ours = certificate("c-1", files=[{"uuid": "f-1"}])
    listed = {name: value for name, value in ours.items() if name != hidden}
    script = [
        (LIST, lists(listed)),
        ("GET /certificates/c-1", shows(ours)),
        (UPLOAD, uploaded()),
    ]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-1"
