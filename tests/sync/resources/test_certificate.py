"""Documents, revocations, and the texts that the public reads."""

from typing import Any

import pytest

from sync.resources import REVOCATION_TEXTS, check

BASE: dict[str, Any] = {"institution_id": "I", "course_id": "C", "student_id": "S"}
DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        ({"path": "diplomas/1.pdf"}, {"path": "diplomas/1.pdf"}),
        ({"content_base64": "JVBERi0="}, {"content_base64": "JVBERi0="}),
        ({"sha256": DIGEST.upper()}, {"sha256": DIGEST}),
        ({"sha256": DIGEST, "path": None}, {"sha256": DIGEST}),
    ],
)
def test_a_document_is_named_in_one_of_three_ways(document: object, kept: object) -> None:
    checked = check("certificate.requested", "Z", {**BASE, "document": document})

    assert checked.data == {**BASE, "document": kept}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (None, ("data.document", "required")),
        ("diploma.pdf", ("data.document", "type")),
        ({}, ("data.document", "document")),
        ({"path": "a.pdf", "sha256": DIGEST}, ("data.document", "document")),
        ({"url": "https://example.edu/a.pdf"}, ("data.document", "document")),
        ({"path": " "}, ("data.document.path", "path")),
        ({"path": "a\x00.pdf"}, ("data.document.path", "path")),
        ({"path": 7}, ("data.document.path", "path")),
        ({"content_base64": "JVBERi0"}, ("data.document.content_base64", "content_base64")),
        ({"content_base64": "JVBE\nRi0="}, ("data.document.content_base64", "content_base64")),
        ({"content_base64": "é"}, ("data.document.content_base64", "content_base64")),
        ({"content_base64": ""}, ("data.document.content_base64", "content_base64")),
        ({"sha256": DIGEST[1:]}, ("data.document.sha256", "sha256")),
        ({"sha256": "g" * 64}, ("data.document.sha256", "sha256")),
    ],
)
def test_any_other_document_is_refused(document: object, found: tuple[str, str]) -> None:
    faults = check("certificate.requested", "Z", {**BASE, "document": document}).faults

    assert [(fault.field, fault.code) for fault in faults] == [found]


@pytest.mark.parametrize("template", ["", "  ", 7])
def test_a_template_is_an_opaque_name(template: object) -> None:
    data = {**BASE, "document": {"sha256": DIGEST}, "template_uuid": template}

    faults = check("certificate.requested", "Z", data).faults

    assert [fault.field for fault in faults] == ["data.template_uuid"]


def test_trap_23_a_revocation_gives_a_code_and_the_public_a_neutral_text() -> None:
    codes = (
        "issued_in_error",
        "requirements_not_met",
        "data_correction",
        "superseded",
        "withdrawn",
    )

    assert tuple(REVOCATION_TEXTS) == codes
    for code in codes:
        assert check("certificate.revoked", "Z", {"reason_code": code}).is_accepted
    free = check("certificate.revoked", "Z", {"reason_code": "he cheated", "note": "see file"})
    assert [fault.exact_field for fault in free.faults] == ["data.note", "data.reason_code"]
