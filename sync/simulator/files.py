"""Files: upload with deduplication by content, metadata, public download."""

import hashlib
import re

from sync.simulator.call import Call
from sync.simulator.crud import remove, update
from sync.simulator.entity import Entity, Field
from sync.simulator.institutions import deleted_at
from sync.simulator.message import JsonObject, SimulatedResponse
from sync.simulator.multipart import Part, read_parts
from sync.simulator.refusal import Errors, RefusedError, invalid
from sync.simulator.tables import Record, stamp

_FIELD_NAME = re.compile(r"files\[\d*\]")
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}


def _present_upload(record: Record) -> JsonObject:
    values = record.values
    return {
        "uuid": record.uuid,
        "original_name": values.get("original_name"),
        "mime_type": values.get("mime_type"),
        "size": values.get("size"),
        "used_at": values.get("used_at"),
    }


def _present(_call: Call, record: Record) -> JsonObject:
    return {
        **_present_upload(record),
        "extension": record.values.get("extension"),
        "file": f"https://storage.dokstamp.eu/{record.uuid}",
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


FILE = Entity(
    table="files",
    fields=(Field(name="original_name", required=True),),
    present=_present,
    columns=("mime_type", "extension", "size", "used_at"),
    indexed=("sha256",),
)


def upload(call: Call) -> SimulatedResponse:
    """Store the files of a form; content that is already there comes back as it is."""
    parts = [
        part
        for part in read_parts(call.request)
        if _FIELD_NAME.fullmatch(part.name) and part.filename
    ]
    if not parts:
        raise invalid({"files": ["The files field is required."]})
    errors: Errors = {}
    for index, part in enumerate(parts):
        if _mime_type(part.content) is None:
            errors[f"files.{index}"] = [f"The files.{index} field must be a file of type: pdf."]
    if errors:
        raise invalid(errors)
    records = [_existing(call, part) or _make(call, part) for part in parts]
    return call.success(201, {"data": [_present_upload(record) for record in records]})


def download(call: Call) -> SimulatedResponse:
    """Return the bytes of a file to anyone who knows its uuid."""
    record = call.store.table("files").get(call.parameters["uuid"])
    if record is None or record.deleted_at is not None:
        raise RefusedError(404)
    content = call.store.contents[record.text("sha256")]
    headers = {"Content-Type": record.text("mime_type") or "application/octet-stream"}
    return SimulatedResponse(200, headers=headers, body=content)


def update_file(call: Call) -> SimulatedResponse:
    """Change the name of a file."""
    return update(call, FILE, call.named("files"))


def destroy_file(call: Call) -> SimulatedResponse:
    """Delete a file softly, even one in use."""
    remove(call, "files", call.named("files"))
    return call.success(204, {"message": "Deleted."})


def _existing(call: Call, part: Part) -> Record | None:
    if call.switches.dedup_scope == "none":
        return None
    sha256 = hashlib.sha256(part.content).hexdigest()
    found = list(call.store.table("files").find(call.tenant, "sha256", sha256))
    live = [record for record in found if record.deleted_at is None]
    if live:
        return live[0]
    return found[0] if found and call.switches.dedup_of_deleted == "hidden" else None


def _make(call: Call, part: Part) -> Record:
    sha256 = hashlib.sha256(part.content).hexdigest()
    call.store.contents[sha256] = part.content
    _, dot, extension = part.filename.rpartition(".")
    values: JsonObject = {
        "original_name": part.filename,
        "mime_type": _mime_type(part.content),
        "extension": extension.lower() if dot else "",
        "size": len(part.content),
        "used_at": None,
        "sha256": sha256,
    }
    record = call.store.make("files", call.tenant, values=values, now=call.now, rng=call.rng)
    call.note("created", record, "files")
    return record


def _mime_type(content: bytes) -> str | None:
    for signature, mime_type in _SIGNATURES.items():
        if content.startswith(signature):
            return mime_type
    return None
