"""What is kept of a refused line, under a key that the same line always has."""

import hashlib
from dataclasses import dataclass, field

from sync.resources.definition import Fault
from sync.sources.item import Checked, Item, Refused


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A refused line, whole; the ledger seals `raw` and shows the rest."""

    key: str
    """The same for the same event, or for the same line where it names none."""
    source: str = field(repr=False)
    """The event's source, or the name of the file while the source is unknown."""
    line: int
    id: str = field(repr=False)
    type: str = field(repr=False)
    subject: str = field(repr=False)
    reasons: tuple[Fault, ...]
    raw: bytes = field(repr=False)
    document: str = field(default="", repr=False)
    """The SHA-256 of the document that came with it, stored before the event was refused."""


def entry(item: Item, refused: Refused) -> QuarantineEntry:
    """Return what quarantine keeps of a refused line."""
    raw = refused.raw or item.raw
    return QuarantineEntry(
        key=_key(refused, raw),
        source=refused.source or item.origin,
        line=item.line,
        id=refused.id,
        type=refused.type,
        subject=refused.subject,
        reasons=refused.reasons,
        raw=raw,
        document=_document(item),
    )


def event_key(source: str, event_id: str) -> str:
    """Return the key under which every refused line of an event is kept."""
    return hashlib.sha256(f"event\0{source}\0{event_id}".encode()).hexdigest()


def _document(item: Item) -> str:
    document = item.outcome.document if isinstance(item.outcome, Checked) else None
    return "" if document is None or document.content is None else document.sha256


def _key(refused: Refused, raw: bytes) -> str:
    if refused.source and refused.id:
        return event_key(refused.source, refused.id)
    return hashlib.sha256(b"line\0" + raw).hexdigest()
