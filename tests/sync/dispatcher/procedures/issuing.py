"""Answers and works around one certificate."""

from typing import Any

from sync.dispatcher.step import Work
from tests.sync.dispatcher.procedures.samples import PDF, request_for_certificate, row
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    Reply,
    answered,
    lists,
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


def resumed(*, unlisted: str | None = None, possibly_sent: bool = True, **more: Any) -> Work:
    facts = {"file": "f-1", "issued_at": "2025-12-20T00:00:00Z"}
    if unlisted is not None:
        facts["unlisted"] = unlisted
    return request_for_certificate(
        possibly_sent=possibly_sent, progress=facts, document=None, **more
    )


REFUSAL = [NONE_YET, (UPLOAD, uploaded())]
