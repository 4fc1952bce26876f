import base64
import hashlib

import pytest

from sync.resources.definition import Fault
from sync.sources.document import DocumentPath, parse_document
from sync.sources.item import Document

PDF = b"%PDF-1.7 a small one"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_content_becomes_a_document_named_by_its_digest() -> None:
    document = parse_document({"content_base64": encoded(PDF), "path": None}, bytes_max=100)

    assert document == Document(hashlib.sha256(PDF).hexdigest(), PDF)
    assert "PDF" not in repr(document)


def test_a_digest_is_kept_in_lower_case() -> None:
    assert parse_document({"sha256": "AB" * 32}, bytes_max=100) == Document("ab" * 32)


def test_a_relative_path_is_kept() -> None:
    assert parse_document({"path": "a/b.pdf"}, bytes_max=100) == DocumentPath("a/b.pdf")


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        ("x.pdf", "data.document", "document"),
        ({}, "data.document", "document"),
        ({"path": "x", "sha256": "y"}, "data.document", "document"),
        ({"url": "x"}, "data.document", "document"),
        ({"path": ""}, "data.document.path", "type"),
        ({"path": 4}, "data.document.path", "type"),
        ({"path": "/etc/passwd"}, "data.document.path", "document_path"),
        ({"path": "C:\\x.pdf"}, "data.document.path", "document_path"),
        ({"path": "\\\\host\\x.pdf"}, "data.document.path", "document_path"),
        ({"path": "a\0b"}, "data.document.path", "document_path"),
        ({"sha256": "abc"}, "data.document.sha256", "format"),
        ({"content_base64": "@@@@"}, "data.document.content_base64", "format"),
        ({"content_base64": "JVBERi0"}, "data.document.content_base64", "format"),
        ({"content_base64": encoded(b"GIF89a")}, "data.document", "document_not_pdf"),
        ({"content_base64": encoded(PDF + b"." * 81)}, "data.document", "document_too_large"),
        ({"content_base64": encoded(PDF + b"." * 999)}, "data.document", "document_too_large"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused(value: object, field: str, code: str) -> None:
    fault = parse_document(value, bytes_max=100)

    assert isinstance(fault, Fault)
    assert (fault.field, fault.code) == (field, code)


def test_a_document_of_exactly_the_limit_is_taken() -> None:
    content = PDF + b"." * (100 - len(PDF))

    assert isinstance(parse_document({"content_base64": encoded(content)}, bytes_max=100), Document)
