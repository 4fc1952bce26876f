"""Reading of `multipart/form-data` bodies, and one digest for all ways to frame a body."""

import hashlib
import re
from dataclasses import dataclass, field

from sync.simulator.message import SimulatedRequest

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))', re.IGNORECASE)
_NAME = re.compile(r';\s*name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(r';\s*filename="([^"]*)"', re.IGNORECASE)
_PARTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form."""

    name: str
    filename: str = field(repr=False)
    content_type: str
    content: bytes = field(repr=False)


def read_parts(request: SimulatedRequest) -> tuple[Part, ...]:
    """Return the parts of a form; a body that is not a well-formed form has none."""
    boundary = _BOUNDARY.search(request.header("content-type"))
    if request.content_type != "multipart/form-data" or boundary is None:
        return ()
    delimiter = b"--" + (boundary[1] or boundary[2]).encode()
    # Each delimiter stands at the start of a line, so the first gets the line break it lacks.
    pieces = (b"\r\n" + request.body).split(b"\r\n" + delimiter)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--") or len(pieces) > _PARTS_MAX:
        return ()
    parts = [_read_part(piece) for piece in pieces[1:-1]]
    return tuple(part for part in parts if part is not None)


def digest(request: SimulatedRequest) -> str:
    """Return the SHA-256 of a body; a form's does not depend on its random boundary."""
    if request.content_type != "multipart/form-data":
        return hashlib.sha256(request.body).hexdigest()
    whole = hashlib.sha256()
    for part in read_parts(request):
        for piece in (part.name.encode(), part.filename.encode(), part.content):
            whole.update(hashlib.sha256(piece).digest())
    return whole.hexdigest()


def _read_part(piece: bytes) -> Part | None:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator:
        return None
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        headers[header.strip().lower()] = value.strip()
    disposition = headers.get("content-disposition", "")
    name, filename = _NAME.search(disposition), _FILENAME.search(disposition)
    return Part(
        name=name[1] if name else "",
        filename=filename[1] if filename else "",
        content_type=headers.get("content-type", ""),
        content=content,
    )
