"""The three ways in which an event names its PDF, and what its bytes must be."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.resources.definition import Fault
from sync.sources.item import Document

FIELD: Final = "data.document"
PDF_START: Final = b"%PDF-"
PATH_MAX: Final = 1024
_FORMS: Final = ("path", "content_base64", "sha256")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class DocumentPath:
    """A file beside the one that holds the event."""

    path: str


def requested(data: object) -> object:
    """Return the document as the event's data names it, or None without one."""
    return data.get("document") if isinstance(data, Mapping) else None


def parse_document(value: object, *, bytes_max: int) -> DocumentPath | Document | Fault:
    """Return where the bytes are, or the bytes themselves, or why neither can be told."""
    given = (
        [(form, part) for form, part in value.items() if part is not None]
        if isinstance(value, Mapping)
        else []
    )
    if len(given) != 1 or given[0][0] not in _FORMS:
        return fault("document", "must hold exactly one of path, content_base64 and sha256")
    form, content = given[0]
    if type(content) is not str or not content:
        return Fault(f"{FIELD}.{form}", "type", "must be text that is not empty")
    if form == "path":
        return _path(content)
    if form == "sha256":
        return _digest(content)
    return _content(content, bytes_max=bytes_max)


def document_of(content: bytes, *, bytes_max: int) -> Document | Fault:
    """Return the document that the bytes are, or why they are none."""
    if not content.startswith(PDF_START):
        return fault("document_not_pdf", "the document is not a PDF: it must start with %PDF-")
    if len(content) > bytes_max:
        return too_large(bytes_max)
    return Document(hashlib.sha256(content).hexdigest(), content)


def too_large(bytes_max: int) -> Fault:
    """Return the fault of a document beyond the limit."""
    message = f"the document has more than {bytes_max} bytes; make it smaller or raise the limit"
    return fault("document_too_large", message)


def fault(code: str, message: str) -> Fault:
    """Return a fault of the document as a whole."""
    return Fault(FIELD, code, message)


def _path(text: str) -> DocumentPath | Fault:
    is_absolute = text.startswith(("/", "\\")) or _DRIVE.match(text)
    if is_absolute or "\0" in text or len(text) > PATH_MAX:
        message = "must be relative to the file that holds the event"
        return Fault(f"{FIELD}.path", "document_path", message)
    return DocumentPath(text)


def _digest(text: str) -> Document | Fault:
    if not _SHA256.fullmatch(text):
        return Fault(f"{FIELD}.sha256", "format", "must be 64 hexadecimal digits")
    return Document(text.lower())


def _content(text: str, *, bytes_max: int) -> Document | Fault:
    if len(text) > (bytes_max + 2) // 3 * 4:
        return too_large(bytes_max)
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        message = "must be standard base64 with padding and without line breaks"
        return Fault(f"{FIELD}.content_base64", "format", message)
    return document_of(content, bytes_max=bytes_max)
