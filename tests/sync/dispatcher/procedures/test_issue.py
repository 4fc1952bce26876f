"""Issuing: once for ever, with the file as the witness."""

import pytest

from ledger.reference import Json, SourceRef
from sync.dispatcher.procedures import IssueStyle, Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from tests.sync.dispatcher.procedures.issuing import (
    ISSUED,
    LIST,
    NONE_YET,
    POST,
    REFUSAL,
    UPLOAD,
    URL,
    certificate,
    uploaded,
)
from tests.sync.dispatcher.procedures.samples import request_for_certificate
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    lost,
    made,
    missing,
    play,
    refuses,
    shows,
    throttled,
    unauthorised,
    unreachable,
)


def test_a_certificate_takes_a_list_an_upload_and_a_post() -> None:
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(request_for_certificate(), script)

    assert played.order == [LIST, UPLOAD, "progress", POST]
    assert played.facts == {"file": "f-1", "issued_at": "2025-12-20T00:00:00Z"}
    assert played.body(POST) == {
        "institution_uuid": "institution-DEMO-uuid",
        "course_uuid": "course-CS-uuid",
        "student_uuid": "student-S-1-uuid",
        "enrollment_uuid": "enrollment-E-1-uuid",
        "file_uuid": "f-1",
        "finish": True,
        "status": "issued",
        "issued_at": "2025-12-20T00:00:00Z",
    }
    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.after is After.LIVE
    assert played.settlement.target == "c-1"
    assert played.settlement.facts["public_verification_url"] == URL


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (IssueStyle.FINISH, {"finish": True}),
        (IssueStyle.STATUS, {"status": "issued", "issued_at": "2025-12-20T00:00:00Z"}),
    ],
)
def test_the_style_decides_which_fields_tell_to_issue(
    style: IssueStyle, expected: dict[str, Json]
) -> None:
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(request_for_certificate(), script, rules=Rules(issue_style=style))

    sent = played.body(POST)
    told = {name: sent[name] for name in ("finish", "status", "issued_at") if name in sent}
    assert told == expected


def test_without_a_date_of_its_own_the_first_day_is_kept() -> None:
    work = request_for_certificate(wanted={"issued_at": None})
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, made("c-1", **ISSUED))]

    played = play(work, script)

    assert played.body(POST)["issued_at"] == "2025-12-21T00:00:00Z"
    assert played.facts["issued_at"] == "2025-12-21T00:00:00Z"


def test_contradictions_are_found_before_any_call() -> None:
    states: dict[SourceRef, dict[str, Json]] = {
        SourceRef("course", "CS"): {"institution_id": "DEMO"},
        SourceRef("enrollment", "E-1"): {"student_id": "S-2", "course_id": "CS"},
    }

    played = play(request_for_certificate(names=states))

    assert played.calls == []
    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.reason == Reason.INCONSISTENT
    assert played.settlement.fields == ("data.enrollment_id",)


def test_issuing_can_be_turned_off() -> None:
    played = play(request_for_certificate(), rules=Rules(issue_certificates=False))

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ISSUING_IS_OFF


def test_a_certificate_that_holds_our_file_is_adopted() -> None:
    script = [(LIST, lists(certificate("c-5"))), (UPLOAD, uploaded(used_at="2025-12-20"))]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-5"


@pytest.mark.parametrize("reply", [throttled(), unreachable(), unauthorised()])
@pytest.mark.parametrize("at", [LIST, UPLOAD, POST])
def test_what_was_not_taken_in_is_tried_again_without_a_failure(at: str, reply: Reply) -> None:
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, made("c-1"))]
    reached = [line for line, _ in script].index(at)

    played = play(request_for_certificate(), [*script[:reached], (at, reply)])

    assert played.settlement.outcome is Outcome.RETRY
    assert not played.settlement.counts_as_failure


@pytest.mark.parametrize("reply", [lost(), fails(), fails(502), answered(201)])
def test_a_post_without_an_answer_is_uncertain_with_the_file_on_record(reply: Reply) -> None:
    script = [NONE_YET, (UPLOAD, uploaded()), (POST, reply)]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.UNCERTAIN
    assert played.facts["file"] == "f-1"


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_file_leads_to_its_certificate(status: int) -> None:
    script = [
        *REFUSAL,
        (POST, refuses("file_uuid", status=status)),
        (LIST, lists(certificate("c-5"))),
    ]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-5"


@pytest.mark.parametrize("field", ["finish", "status"])
def test_a_refused_way_to_issue_is_held_and_nothing_is_guessed(field: str) -> None:
    played = play(request_for_certificate(), [*REFUSAL, (POST, refuses(field))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ISSUE_STYLE_REFUSED


def test_a_refused_reference_is_looked_at() -> None:
    script = [
        *REFUSAL,
        (POST, refuses("enrollment_uuid")),
        ("GET /enrollments/enrollment-E-1-uuid", missing()),
        ("GET /enrollments", lists()),
    ]

    played = play(request_for_certificate(), script)

    assert played.settlement.reason == Reason.REFERENCE_MISSING


def test_a_second_certificate_that_dokstamp_refuses_is_held() -> None:
    other = certificate("c-9", files=[{"uuid": "f-9"}])
    student, course = "student-S-1-uuid", "course-CS-uuid"
    script = [
        *REFUSAL,
        (POST, refuses("student_uuid", "course_uuid")),
        (f"GET /courses/{course}", shows({"uuid": course})),
        (f"GET /students/{student}", shows({"uuid": student})),
        (LIST, lists(other)),
    ]

    played = play(request_for_certificate(), script)

    assert played.settlement.reason == Reason.ANOTHER_CERTIFICATE


def test_refused_content_is_dead() -> None:
    script = [*REFUSAL, (POST, refuses("template_uuid")), NONE_YET]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.fields == ("template_uuid",)
