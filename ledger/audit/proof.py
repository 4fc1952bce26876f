"""Proof bundles: what happened to one record, to be checked by whoever has no access to the ledger.

A bundle is one JSON object that needs nothing else: the key, a checkpoint signed with it, and each
event with its bytes and its path to the checkpoint's root. It proves that these events stand in the
log at these positions, not that there are no others: only who keeps the whole log can tell that.
"""

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.errors import EventError
from ledger.log.envelope import Stored
from ledger.reference import Json, Position, SourceRef

FORMAT: Final = "dokstamp-ledger proof 1"
BUNDLE_BYTES_MAX: Final = 400_000
ERASED: Final = "[erased]"
LEFT_OUT: Final = frozenset({"operations.planned", "operations.claimed"})
"""Kinds of events that tell of many records at once; a bundle is about one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The private part of an event, and the salt that its hash was made with."""

    salt: bytes = field(repr=False)
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """One event with its path to the root."""

    stored: Stored
    path: tuple[bytes, ...]
    opened: Opened | None = None
    """Its private part, where that is to be shown."""
    is_erased: bool = False
    """Whether there was a private part that nobody can open any more."""

    def to_json(self) -> dict[str, Json]:
        """Return the event as a bundle holds it."""
        found: dict[str, Json] = {
            "position": self.stored.position,
            "envelope": self.stored.envelope.decode(),
            "proof": [_base64(item) for item in self.path],
        }
        if self.stored.sealed is not None:
            found["sealed"] = _base64(self.stored.sealed)
        if self.opened is not None:
            payload = self.opened.payload.decode()
            found["disclosed"] = {"salt": _base64(self.opened.salt), "payload": payload}
        elif self.is_erased:
            found["disclosed"] = ERASED
        return found


def belongs(stored: Stored, reference: SourceRef, *, operations: Collection[str]) -> bool:
    """Tell whether an event is about this record alone, or about these operations on it."""
    if stored.type in LEFT_OUT:
        return False
    if stored.subject is not None:
        return stored.subject == reference
    named = _public(stored).get("operations")
    return isinstance(named, list) and bool(named) and set(named) <= set(operations)


def operations_of(stored: Sequence[Stored], reference: SourceRef) -> set[str]:
    """Return the operations that events about the record itself name as theirs."""
    named = (_public(each).get("operation") for each in stored if each.subject == reference)
    return {key for key in named if isinstance(key, str)}


def bundle(
    reference: SourceRef, *, key: str, checkpoint: str, events: Sequence[Proven]
) -> dict[str, Json]:
    """Return the bundle; raises `EventError` for a story that is longer than one may be."""
    found: dict[str, Json] = {
        "format": FORMAT,
        "key": key,
        "checkpoint": checkpoint,
        "record": {"entity": reference.entity, "source_id": reference.source_id},
        "events": [each.to_json() for each in events],
    }
    length = len(encode(found))
    if length > BUNDLE_BYTES_MAX:
        raise too_long(reference, count=len(events), last=_fitting(events, length))
    return found


def encode(found: dict[str, Json]) -> bytes:
    """Return a bundle as it is written to a file."""
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def too_long(reference: SourceRef, *, count: int, last: Position) -> EventError:
    """Return the error for a story that does not fit into one bundle."""
    return EventError(
        f"the story of {reference} has {count} events here, more than one bundle of "
        f"{BUNDLE_BYTES_MAX:,} bytes holds: prove it in parts, the first with --through {last} "
        f"and the next with --after {last}"
    )


def _fitting(events: Sequence[Proven], length: int) -> Position:
    """Return a position up to which the events fit, with some room to spare."""
    count = max(1, len(events) * BUNDLE_BYTES_MAX // length * 3 // 4)
    return events[count - 1].stored.position


def _public(stored: Stored) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(stored.envelope).get("public", {})
    return public


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
