"""Issuing: once for ever, with the file as the witness."""

from typing import Any

import pytest

from ledger.reference import Json, SourceRef
from sync.dispatcher.procedures import IssueStyle, Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Work
from tests.sync.dispatcher.procedures.samples import PDF, request_for_certificate, row
from tests.sync.dispatcher.procedures.transcript import (
    Line,
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

LIST = "GET /certificates?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
UPLOAD = "POST /files"
POST = "POST /certificates"
FILE = "GET /files/f-1"
URL = "https://verificar.example/abc"
ISSUED = {"status": "issued", "public_verification_url": URL, "issued_at": "2025-12-20T00:00:00Z"}
NONE_YET: Line = (LIST, lists())


def file_row(**changes: object) -> dict[str, object]:
    return {"uuid": "f-1", "size": len(PDF), "used_at": None, **changes}


def uploaded(**changes: object) -> Reply:
    return answered(201, {"data": [file_row(**changes)]})


def certificate(uuid: str = "c-1", **changes: object) -> dict[str, object]:
    files = [{"type": "certificate", "uuid": "f-1"}]
    return row("certificate", uuid, **{**ISSUED, "files": files, **changes})


def resumed(**more: Any) -> Work:
    facts = {"file": "f-1", "issued_at": "2025-12-20T00:00:00Z"}
    return request_for_certificate(possibly_sent=True, progress=facts, document=None, **more)


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


def test_issuing_can_be_turned_off() -> None:
    played = play(request_for_certificate(), rules=Rules(issue_certificates=False))

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.ISSUING_IS_OFF


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


def test_a_certificate_that_holds_our_file_is_adopted() -> None:
    script = [(LIST, lists(certificate("c-5"))), (UPLOAD, uploaded(used_at="2025-12-20"))]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-5"


def test_a_certificate_of_another_record_is_not_adopted_although_it_holds_the_file() -> None:
    script = [(LIST, lists(certificate("c-5"))), (UPLOAD, uploaded(used_at="2025-12-20"))]

    played = play(
        request_for_certificate(), script, holders={"c-5": SourceRef("certificate", "C-0")}
    )

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_USED


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


def test_after_doubt_a_used_file_leads_to_its_certificate() -> None:
    script = [
        (FILE, shows(file_row(used_at="2025-12-20T00:00:00Z"))),
        (LIST, lists(certificate("c-5"))),
    ]

    played = play(resumed(), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.target == "c-5"


def test_after_doubt_a_used_file_without_a_certificate_is_held_in_doubt() -> None:
    script = [(FILE, shows(file_row(used_at="2025-12-20T00:00:00Z"))), NONE_YET]

    played = play(resumed(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_USED
    assert played.settlement.in_doubt


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


REFUSAL = [NONE_YET, (UPLOAD, uploaded())]


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


def test_a_refused_file_without_a_certificate_is_held() -> None:
    script = [*REFUSAL, (POST, refuses("file_uuid")), NONE_YET]

    played = play(request_for_certificate(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FILE_REFUSED


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
