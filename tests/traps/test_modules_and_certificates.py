"""The traps of API 14 that lie in attaching modules and in issuing and revoking."""

from dataclasses import replace

from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome
from sync.resources.catalog import check
from tests.sync.dispatcher.procedures.samples import (
    PDF,
    change,
    removal,
    request_for_certificate,
    revocation,
    row,
    upsert,
)
from tests.sync.dispatcher.procedures.transcript import (
    answered,
    lists,
    made,
    play,
    shows,
)

COURSE = "/courses/course-CS-uuid"
FREE = f"GET {COURSE}/attach/modules"
ATTACH = f"POST {COURSE}/attach/modules"
DETACH = f"DELETE {COURSE}/detach/modules"
MA1, MA2 = {"uuid": "module-MA1-uuid"}, {"uuid": "module-MA2-uuid"}
DONE = answered(200, {"data": []})

CERTIFICATES = (
    "GET /certificates?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
)
FILE = {"uuid": "f-1", "size": len(PDF), "used_at": None}
UPLOADED = answered(201, {"data": [FILE]})
ISSUED = made("c-1", status="issued", public_verification_url="https://verificar.example/x")
BEFORE_POST = [(CERTIFICATES, lists()), ("POST /files", UPLOADED)]


def test_trap_10_a_certificate_is_not_left_in_draft_unseen() -> None:
    draft = made("c-1", status="draft", public_verification_url=None)
    first = play(request_for_certificate(), [*BEFORE_POST, ("POST /certificates", draft)])
    last_look = request_for_certificate(target="c-1", progress={**first.facts, "polls": 5})
    still = ("GET /certificates/c-1", shows({"uuid": "c-1", "status": "draft"}))

    last = play(last_look, [still])

    sent = first.body("POST /certificates")
    assert (sent["finish"], sent["status"]) == (True, "issued")
    assert first.settlement.outcome is Outcome.RETRY
    assert last.settlement.outcome is Outcome.HELD
    assert last.settlement.reason == Reason.LEFT_IN_DRAFT


def test_trap_11_certificates_are_not_issued_by_accident() -> None:
    off = play(request_for_certificate(), rules=Rules(issue_certificates=False))
    student = play(change("student"))

    assert off.calls == student.calls == []
    assert off.settlement.outcome is Outcome.HELD


def test_trap_12_what_is_attached_is_not_attached_again_and_spoils_no_batch() -> None:
    works = [
        replace(upsert("course_module"), progress={"missed": True}),
        upsert("course_module", "CS:MA2", wanted={"module_id": "MA2"}),
    ]
    script = [
        (FREE, lists(MA2)),
        ("GET /modules/module-MA1-uuid", shows(row("module"))),
        (ATTACH, DONE),
        (FREE, lists()),
    ]

    played = play(works, script)

    assert [module["uuid"] for module in played.body(ATTACH)["modules"]] == ["module-MA2-uuid"]
    assert {each.outcome for each in played.result} == {Outcome.DONE}


def test_trap_13_attach_takes_objects_and_detach_takes_plain_uuids() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, DONE), (FREE, lists())]

    attached = play(upsert("course_module"), script)
    detached = play(removal("course_module"), [(DETACH, answered(204)), (FREE, lists(MA1))])

    assert attached.body(ATTACH)["modules"][0]["uuid"] == "module-MA1-uuid"
    assert detached.body(DETACH) == {"modules": ["module-MA1-uuid"]}


def test_trap_15_the_answer_to_an_upload_is_a_list() -> None:
    script = [(CERTIFICATES, lists()), ("POST /files", answered(201, {"data": FILE}))]

    as_object = play(request_for_certificate(), script)
    as_list = play(request_for_certificate(), [*BEFORE_POST, ("POST /certificates", ISSUED)])

    assert as_object.settlement.outcome is Outcome.RETRY
    assert as_list.settlement.outcome is Outcome.DONE


def test_trap_17_one_pdf_does_not_serve_two_people_or_a_new_issue() -> None:
    used = answered(201, {"data": [{**FILE, "used_at": "2024-01-01T00:00:00.000000Z"}]})
    revoked = row("certificate", "c-0", status="revoked", files=[{"uuid": "f-1"}])

    for_another = play(request_for_certificate(), [(CERTIFICATES, lists()), ("POST /files", used)])
    again = play(request_for_certificate(), [(CERTIFICATES, lists(revoked)), ("POST /files", used)])

    assert for_another.settlement.reason == again.settlement.reason == Reason.FILE_USED
    assert again.settlement.target is None


def test_trap_18_files_go_one_at_a_time_and_are_checked_by_size() -> None:
    two = answered(201, {"data": [FILE, {**FILE, "uuid": "f-2"}]})
    larger = answered(201, {"data": [{**FILE, "size": 1}]})

    several = play(request_for_certificate(), [(CERTIFICATES, lists()), ("POST /files", two)])
    other = play(request_for_certificate(), [(CERTIFICATES, lists()), ("POST /files", larger)])

    assert several.settlement.outcome is Outcome.RETRY
    assert other.settlement.reason == Reason.FILE_DIFFERS


def test_trap_23_the_public_reads_a_neutral_text_and_no_note_of_the_source() -> None:
    get, put = "GET /certificates/certificate-C-1-uuid", "/certificates/certificate-C-1-uuid/revoke"
    shown = {"uuid": "certificate-C-1-uuid", "status": "issued"}
    script = [(get, shows(shown)), (f"PUT {put}", shows({**shown, "status": "revoked"}))]

    played = play(revocation("withdrawn"), script)
    note = check("certificate.revoked", "C-1", {"reason_code": "he cheated in the exam"})

    assert played.body(f"PUT {put}")["revocation_reason"].endswith("by the issuing institution.")
    assert not note.is_accepted


def test_trap_24_a_corrected_student_is_updated_and_the_certificate_made_with_a_new_file() -> None:
    path = "/students/student-S-1-uuid"
    revoked = row("certificate", "c-0", status="revoked", files=[{"uuid": "f-0"}])
    again = [
        (CERTIFICATES, lists(revoked)),
        ("POST /files", UPLOADED),
        ("POST /certificates", ISSUED),
    ]

    student = play(
        change("student", wanted={"name": "Ana de Souza"}),
        [(f"PATCH {path}", shows(row("student", name="Ana de Souza")))],
    )
    certificate = play(request_for_certificate(), again)

    assert student.body(f"PATCH {path}") == {"name": "Ana de Souza"}
    assert certificate.settlement.target == "c-1"


def test_trap_34_file_uuids_are_in_no_route_and_no_repr() -> None:
    facts = {"file": "secret-file", "issued_at": "2025-12-20T00:00:00Z"}
    work = request_for_certificate(possibly_sent=True, progress=facts)
    script = [
        ("GET /files/secret-file", shows({**FILE, "uuid": "secret-file"})),
        (CERTIFICATES, lists()),
        ("POST /certificates", ISSUED),
    ]

    played = play(work, script)

    assert played.requests[0].route == "/files/{file}"
    told = [repr(request) + request.route for request in played.requests]
    assert not any("secret-file" in text for text in [*told, repr(played.settlement), repr(work)])


def test_trap_35_one_conversation_searches_and_creates_for_a_key() -> None:
    first = upsert("module_group")
    second = upsert("module_group", "G-2", wanted={"name": "Semester 2"})
    path = f"{COURSE}/modules/groups"
    script = [
        (f"GET {path}", lists()),
        (f"POST {path}", made("u-1")),
        (f"POST {path}", made("u-2")),
    ]

    played = play((first, second), script)

    assert [each.target for each in played.result] == ["u-1", "u-2"]


def test_trap_38_archiving_a_course_leaves_its_certificates_alone() -> None:
    archived = shows(row("course", status="archived"))

    played = play(removal("course"), [(f"PATCH {COURSE}", archived)])

    # That it comes after the last certificate is a gate of the projector.
    assert played.calls == [f"PATCH {COURSE}"]
    assert played.settlement.after is After.RETIRED


def test_trap_39_a_template_that_nobody_sent_is_no_surprise() -> None:
    applied = made(
        "c-1",
        status="issued",
        public_verification_url="https://verificar.example/x",
        template={"uuid": "default-template"},
    )

    played = play(request_for_certificate(), [*BEFORE_POST, ("POST /certificates", applied)])

    assert "template_uuid" not in played.body("POST /certificates")
    assert played.settlement.outcome is Outcome.DONE
