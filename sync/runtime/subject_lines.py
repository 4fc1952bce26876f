"""Which refused lines are about a student, told from what they hold.

A line that names a known type is about the student if its subject or its data say so. What cannot
be understood is about the student as soon as it holds the id as a word of its own: better one
refused line too many is lost than one of an erased person kept.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.log.event import Event
from ledger.reference import SourceRef
from sync.resources import EVENT_TYPES, Resource
from sync.runtime.quarantine_keeper import raw_of


@dataclass(frozen=True, slots=True)
class Lines:
    """Knows the lines about one student."""

    student_id: str
    records: frozenset[SourceRef]
    """Every record that is the student's."""
    document_digest: Callable[[str], bytes] = field(repr=False)
    """Turns a document's SHA-256 into the name under which it is kept."""

    def find(self, event: Event) -> tuple[bytes, ...] | None:
        """Return the documents that a refused line names, `None` where another is meant."""
        if event.private is None:
            return None
        raw = raw_of(event.private)
        value = _parsed(raw)
        if not isinstance(value, dict):
            return () if self._is_word_of(raw.decode(errors="replace")) else None
        known = EVENT_TYPES.get(str(value.get("type")))
        is_about = self._holds(value) if known is None else self._is_about(known.resource, value)
        if not is_about:
            return None
        stored = event.private.get("document")
        named = {*_documents(value), *([str(stored)] if stored else [])}
        return tuple(map(self.document_digest, sorted(named)))

    def _is_about(self, resource: Resource, value: Mapping[str, Any]) -> bool:
        if resource.person_field is None:
            return False
        subject, data = value.get("subject"), value.get("data")
        if SourceRef(resource.entity, str(subject)) in self.records:
            return True
        named = data.get(resource.person_field) if isinstance(data, dict) else None
        return self.student_id == (named if resource.person_field else subject)

    def _holds(self, value: object) -> bool:
        return self.student_id in _texts(value)

    def _is_word_of(self, text: str) -> bool:
        return re.search(rf"(?<![\w-]){re.escape(self.student_id)}(?![\w-])", text) is not None


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)
        case _:
            return


def _documents(value: Mapping[str, Any]) -> Iterator[str]:
    """Return the SHA-256 of what a refused request for a certificate names, where it tells."""
    data = value.get("data")
    document = data.get("document") if isinstance(data, dict) else None
    if not isinstance(document, dict):
        return
    digest, content = document.get("sha256"), document.get("content_base64")
    if isinstance(digest, str) and re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        yield digest.lower()
    if isinstance(content, str):
        try:
            yield sha256(base64.b64decode(content, validate=True)).hexdigest()
        except (binascii.Error, ValueError):
            return
