"""Certificates: issued once for a document, revoked for a reason, never changed (API 11.11)."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ledger.reference import Json
from sync.resources.definition import Agreement, Resource
from sync.resources.fields import Field
from sync.resources.times import Moment
from sync.resources.values import Choice, Fault, Form, Link, Opaque, holds_unsafe_characters

REVOCATION_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "issued_in_error": "This certificate was issued in error.",
        "requirements_not_met": "The requirements for this certificate were not met.",
        "data_correction": "This certificate was withdrawn to correct its data.",
        "superseded": "This certificate was replaced by a newer one.",
        "withdrawn": "This certificate was withdrawn by the issuing institution.",
    }
)
"""What the public reads for each reason, unless the operator configures another neutral text."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Document(Form):
    """A document as an event names it: by path, by content, or by the digest of stored bytes."""

    def read(self, value: object) -> Json | Fault:
        """Return the one naming that was given."""
        if not isinstance(value, Mapping):
            return Fault("", "type", "must be an object with path, content_base64 or sha256")
        given = {name: part for name, part in value.items() if part is not None}
        if len(given) != 1 or not given.keys() <= _PARTS.keys():
            return Fault("", "document", "must hold exactly one of path, content_base64, sha256")
        [(name, part)] = given.items()
        check, message = _PARTS[name]
        if not isinstance(part, str) or not check(part):
            return Fault(name, name, message)
        return {name: part.lower() if name == "sha256" else part}


def _is_path(text: str) -> bool:
    return bool(text.strip()) and not holds_unsafe_characters(text)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _is_sha256(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


_PARTS = {
    "path": (_is_path, "must be a path relative to the file that holds the event"),
    "content_base64": (_is_base64, "must be the document's bytes in base64"),
    "sha256": (_is_sha256, "must be the 64 hexadecimal digits of the document's SHA-256"),
}

REVOCATION = (Field("reason_code", Choice(tuple(REVOCATION_TEXTS)), is_required=True),)
"""The fields of `certificate.revoked`."""

CERTIFICATE = Resource(
    entity="certificate",
    path="/certificates",
    fields=(
        Field("institution_id", Link("institution"), is_required=True, is_parent=True),
        Field("course_id", Link("course"), is_required=True, is_parent=True),
        Field("student_id", Link("student"), is_required=True, is_parent=True),
        Field("document", Document(), is_required=True, is_sent=False),
        Field("cohort_id", Link("cohort")),
        Field("enrollment_id", Link("enrollment")),
        Field("template_uuid", Opaque()),
        Field("issued_at", Moment()),
    ),
    # Nothing finds a certificate but the file it was made with.
    keys=(),
    lane_key=("certificate", "student_id"),
    person_field="student_id",
    filtered=("course_id", "student_id"),
    agreements=(
        Agreement("course_id", "institution_id"),
        Agreement("cohort_id", "course_id"),
        Agreement("enrollment_id", "student_id"),
        Agreement("enrollment_id", "course_id"),
    ),
)
