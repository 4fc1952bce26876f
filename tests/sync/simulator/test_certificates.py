"""Certificates: creation, issuance, the used file, the frozen student, revocation."""

import pytest

from tests.sync.simulator.practice import PDF, Practice, decoded, errors

OFFICIAL = "2026-03-01T12:00:00Z"


def test_a_certificate_is_a_draft_unless_told_otherwise() -> None:
    practice = Practice()
    fields = practice.graduate()

    uuid = practice.make("/certificates", **fields)

    data = practice.get(f"/certificates/{uuid}")["data"]
    assert (data["status"], data["issued_at"], data["public_verification_url"]) == (
        "draft",
        None,
        None,
    )
    assert data["files"] == [{"type": "certificate", "uuid": fields["file_uuid"]}]
    assert not practice.simulator.journal.notifications


@pytest.mark.parametrize(
    "style",
    [
        {"finish": True},
        {"status": "issued", "issued_at": OFFICIAL},
        {"finish": True, "status": "issued", "issued_at": OFFICIAL},
    ],
)
def test_either_style_issues_and_notifies_once(style: dict[str, object]) -> None:
    practice = Practice()

    data = practice.get(f"/certificates/{practice.certificate(**{'finish': None, **style})}")[
        "data"
    ]

    assert data["status"] == "issued"
    assert data["public_verification_url"].endswith(data["uuid"][:8].upper())
    assert len(practice.simulator.journal.notifications) == 1


def test_the_official_date_is_kept_and_otherwise_it_is_now() -> None:
    practice = Practice()
    fields = practice.graduate()
    second = {**fields, "file_uuid": practice.file(PDF + b"2")}

    dated = practice.make("/certificates", **fields, finish=True, issued_at=OFFICIAL)
    undated = practice.make("/certificates", **second, finish=True)

    shown = [practice.get(f"/certificates/{one}")["data"]["issued_at"] for one in (dated, undated)]
    assert shown == ["2026-03-01T12:00:00.000000Z", "2026-01-01T00:00:00.000000Z"]


@pytest.mark.parametrize("finish", [True, False])
def test_a_file_is_used_up_by_drafts_and_issued_certificates_alike(finish: bool) -> None:  # noqa: FBT001
    practice = Practice()
    fields = practice.graduate()
    practice.make("/certificates", **fields, finish=finish)

    refused = practice.call("POST", "/certificates", fields)

    assert errors(refused).keys() == {"file_uuid"}
    assert practice.get(f"/files/{fields['file_uuid']}")["data"]["used_at"] is not None


def test_a_refused_certificate_leaves_its_file_free() -> None:
    practice = Practice()
    fields = practice.graduate()

    practice.call("POST", "/certificates", {**fields, "student_uuid": None})

    assert practice.get(f"/files/{fields['file_uuid']}")["data"]["used_at"] is None


def test_the_student_is_frozen_at_issuance() -> None:
    practice = Practice()
    fields = practice.graduate()
    uuid = practice.make("/certificates", **fields, finish=True)

    practice.call("PATCH", f"/students/{fields['student_uuid']}", {"name": "Changed"})

    assert practice.get(f"/certificates/{uuid}")["data"]["student"]["name"] == "One"
    snapshot = practice.simulator.records("certificates")[0]["snapshot"]
    assert isinstance(snapshot, dict)
    assert snapshot["name"] == "One"


def test_a_slow_issuance_freezes_the_student_when_it_happens() -> None:
    practice = Practice(issue_async_s="60")
    fields = practice.graduate()
    uuid = practice.make("/certificates", **fields, finish=True)

    practice.call("PATCH", f"/students/{fields['student_uuid']}", {"name": "Changed"})
    practice.wait(60)

    data = practice.get(f"/certificates/{uuid}")["data"]
    assert (data["status"], data["student"]["name"]) == ("issued", "Changed")
    assert len(practice.simulator.journal.notifications) == 1


@pytest.mark.parametrize(
    ("is_default", "status", "is_applied"),
    [(True, "active", True), (False, "active", False), (True, "inactive", False)],
)
def test_only_an_active_default_template_is_applied(
    is_default: bool,  # noqa: FBT001
    status: str,
    is_applied: bool,  # noqa: FBT001
) -> None:
    practice = Practice()
    fields = practice.graduate()
    template = practice.make(
        "/certificate-templates",
        name="T",
        version="1",
        path="t",
        institution_uuid=fields["institution_uuid"],
        is_default=is_default,
        status=status,
    )

    uuid = practice.make("/certificates", **fields)

    shown = practice.get(f"/certificates/{uuid}")["data"]["template"]
    assert shown == ({"uuid": template, "name": "T"} if is_applied else None)


def test_a_named_template_wins_over_the_default() -> None:
    practice = Practice()
    fields = practice.graduate()
    common = {"version": "1", "path": "t", "institution_uuid": fields["institution_uuid"]}
    practice.make("/certificate-templates", name="Default", is_default=True, **common)
    named = practice.make("/certificate-templates", name="Named", **common)

    uuid = practice.make("/certificates", **fields, template_uuid=named)

    assert practice.get(f"/certificates/{uuid}")["data"]["template"]["name"] == "Named"


def test_revocation_answers_five_fields_and_keeps_the_address() -> None:
    practice = Practice()
    uuid = practice.certificate()
    address = practice.get(f"/certificates/{uuid}")["data"]["public_verification_url"]

    response = practice.call(
        "PUT", f"/certificates/{uuid}/revoke", {"revocation_reason": "Issued in error"}
    )

    assert decoded(response)["data"] == {
        "uuid": uuid,
        "status": "revoked",
        "revoked_at": "2026-01-01T00:00:00.000000Z",
        "revocation_reason": "Issued in error",
        "public_verification_url": address,
    }


def test_a_draft_cannot_be_revoked() -> None:
    practice = Practice(double_revoke="200_unchanged")
    uuid = practice.certificate(finish=False)

    assert practice.call("PUT", f"/certificates/{uuid}/revoke").status == 422


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_certificate_is_never_changed_through_its_path(method: str) -> None:
    practice = Practice()

    assert practice.call(method, f"/certificates/{practice.certificate()}", {}).status == 405


def test_certificates_are_found_by_what_they_name() -> None:
    practice = Practice()
    fields = practice.graduate()
    uuid = practice.make("/certificates", **fields)

    for column in ("course_uuid", "student_uuid", "institution_uuid", "file_uuid"):
        rows = practice.find("/certificates", column, str(fields[column]))
        assert [row["uuid"] for row in rows] == [uuid]


@pytest.mark.parametrize(
    ("table", "field"),
    [("courses", "cohort_uuid"), ("enrollments", "enrollment_uuid")],
)
def test_inconsistent_references_are_refused_when_the_switch_says_so(
    table: str, field: str
) -> None:
    practice = Practice(reference_consistency="422")
    fields = practice.graduate()
    other = practice.course(str(fields["institution_uuid"]), "C-2")
    strangers = {
        "courses": lambda: practice.make("/cohorts", course_uuid=other, code="A"),
        "enrollments": lambda: practice.enrollment(str(fields["student_uuid"]), other),
    }

    response = practice.call("POST", "/certificates", {**fields, field: strangers[table]()})

    assert errors(response).keys() == {field}
