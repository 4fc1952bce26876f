"""The bytes of an event that the tree commits to, and the event that they describe.

An envelope is canonical JSON of everything about an event but its position and its private part;
of the latter it holds two hashes. Whoever holds the envelope can check the leaf, whoever also holds
the sealed part can check that it is undamaged, and whoever is shown salt and payload can check
those.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from ledger.clock import from_microseconds
from ledger.errors import IntegrityError
from ledger.log.canonical import canonical_bytes
from ledger.log.event import ENVELOPE_FORMAT, Event, NewEvent
from ledger.log.merkle import leaf_hash
from ledger.reference import Json, LedgerId, Position, SourceRef

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A private part as it is stored, and the commitment to what is in it."""

    sealed: bytes = field(repr=False)
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event ready to be given a position: everything that can be computed beforehand."""

    source: str
    id: str
    type: str
    subject: SourceRef | None
    recorded_at: datetime
    person: str
    envelope: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)
    content_digest: bytes = field(repr=False)
    leaf: bytes
    is_outcome: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """An event's row, its private part still sealed."""

    position: Position
    source: str
    id: str
    type: str
    subject: SourceRef | None
    person: str
    recorded_at_microseconds: int
    envelope: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)
    content_digest: bytes = field(repr=False)
    leaf: bytes
    is_outcome: bool


def outcome_source(ledger_id: LedgerId) -> str:
    """Return the `source` under which a ledger writes its own events; nobody else may use it."""
    return f"urn:dokstamp-ledger:{ledger_id}"


def format_time(moment: datetime) -> str:
    """Return a moment as envelopes and JSON answers write it, in UTC with microseconds."""
    return moment.strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """Return the moment that `format_time` wrote."""
    return datetime.fromisoformat(text)


def prepare(
    event: NewEvent,
    *,
    ledger_id: LedgerId,
    recorded_at: datetime,
    private: SealedPart | None,
    content_digest: bytes,
    is_outcome: bool,
) -> Prepared:
    """Return an event with its envelope and leaf; raises `EventError` for what JSON cannot hold."""
    fields = _envelope(event, ledger_id, recorded_at=recorded_at, private=private)
    envelope = canonical_bytes({**fields, "content_digest": content_digest.hex()})
    return Prepared(
        source=event.source,
        id=event.id,
        type=event.type,
        subject=event.subject,
        recorded_at=recorded_at,
        person=event.person,
        envelope=envelope,
        sealed=private.sealed if private else None,
        content_digest=content_digest,
        leaf=leaf_hash(envelope),
        is_outcome=is_outcome,
    )


def _envelope(
    event: NewEvent, ledger_id: LedgerId, *, recorded_at: datetime, private: SealedPart | None
) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "format": ENVELOPE_FORMAT,
        "ledger": ledger_id,
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "entity": event.subject.entity if event.subject else None,
        "subject": event.subject.source_id if event.subject else None,
        "time": format_time(event.time) if event.time else None,
        "recorded_at": format_time(recorded_at),
        "sequence": event.sequence,
        "traceparent": event.traceparent,
        "public": dict(event.public) or None,
        "person": event.person or None,
        "payload_hash": private.commitment.hex() if private else None,
        "sealed_hash": sha256(private.sealed).hexdigest() if private else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def commits_to(stored: Stored, commitment: bytes) -> bool:
    """Tell whether a stored event's envelope holds this commitment to its private part."""
    # Not decoded: in canonical JSON a quote within a text is escaped, so this is a field's.
    return b'"payload_hash":"%s"' % commitment.hex().encode() in stored.envelope


def decode(stored: Stored) -> dict[str, Any]:
    """Return a stored event's envelope as it was hashed."""
    try:
        envelope: dict[str, Any] = json.loads(stored.envelope)
    except ValueError as error:
        message = f"event {stored.position} cannot be read: run `audit verify`, restore a backup"
        raise IntegrityError(message, position=stored.position) from error
    return envelope


def public_part(prepared: Prepared) -> dict[str, Any]:
    """Return the public part of an event that was prepared, as it will be read back."""
    public: dict[str, Any] = json.loads(prepared.envelope).get("public", {})
    return public


def opened(stored: Stored, *, private: dict[str, Json] | None) -> Event:
    """Return a stored event, with its private part if that could be opened."""
    envelope = decode(stored)
    return Event(
        position=stored.position,
        source=stored.source,
        id=stored.id,
        type=stored.type,
        subject=stored.subject,
        time=parse_time(envelope["time"]) if "time" in envelope else None,
        recorded_at=parse_time(envelope["recorded_at"]),
        public=envelope.get("public", {}),
        private=private,
        person=stored.person,
        sequence=envelope.get("sequence"),
        traceparent=envelope.get("traceparent"),
        content_digest=stored.content_digest,
        is_erased=stored.sealed is not None and private is None,
    )


def fault(stored: Stored) -> str | None:
    """Return what is wrong with a stored event, or `None` when every byte agrees with its leaf."""
    if leaf_hash(stored.envelope) != stored.leaf:
        return "the envelope does not match its leaf"
    envelope = decode(stored)
    columns = _columns(stored)
    for name, value in columns.items():
        if envelope.get(name) != value:
            return f"the column {name} does not match the envelope"
    if stored.is_outcome != (stored.source == outcome_source(envelope["ledger"])):
        return "the column is_outcome does not match the source"
    return None


def _columns(stored: Stored) -> dict[str, Json]:
    recorded_at = from_microseconds(stored.recorded_at_microseconds)
    return {
        "source": stored.source,
        "id": stored.id,
        "type": stored.type,
        "entity": stored.subject.entity if stored.subject else None,
        "subject": stored.subject.source_id if stored.subject else None,
        "person": stored.person or None,
        "recorded_at": format_time(recorded_at),
        "content_digest": stored.content_digest.hex(),
        "sealed_hash": sha256(stored.sealed).hexdigest() if stored.sealed is not None else None,
    }
