"""Documents that lie beside the file of events: read safely, never from outside its folder."""

import os
import stat
from pathlib import Path

from sync.resources.definition import Fault
from sync.sources.document import DocumentPath, document_of, fault, too_large
from sync.sources.item import Document


def read_document(place: DocumentPath, folder: Path | None, *, bytes_max: int) -> Document | Fault:
    """Return the document at that place under the folder, or why it cannot be used."""
    if folder is None:
        message = "a path needs a file beside it; send content_base64, or add the document before"
        return fault("document_path", message)
    try:
        root = folder.resolve(strict=True)
        # Resolved first, compared then: dots and symbolic links are followed before the check.
        found = (root / place.path).resolve(strict=True)
        if not found.is_relative_to(root):
            message = "the path leads out of the folder of the file that holds the event"
            return fault("document_path", message)
        content = _bytes(found, limit=bytes_max + 1)
    except (OSError, RuntimeError, ValueError):
        # A loop of links is a RuntimeError, half a surrogate pair in the path a ValueError.
        message = "the document cannot be read; put it beside the file that holds the event"
        return fault("document_missing", message)
    if len(content) > bytes_max:
        return too_large(bytes_max)
    return document_of(content, bytes_max=bytes_max)


def _bytes(path: Path, *, limit: int) -> bytes:
    # Opened without blocking, because a pipe in place of a file would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            message = "not a regular file"
            raise OSError(message)
        return stream.read(limit)
