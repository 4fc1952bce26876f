"""An event: what is offered, what is stored, and the bytes that the tree commits to.

A *source event* comes from outside; an *outcome event* is written by this system. Both have a
public part, which is hashed and stored as it is, and may have a private part, which is stored
sealed and is hashed twice: `SHA-256(salt ‖ payload)`, so that one payload can be disclosed and
checked without a key, and `SHA-256(sealed)`, so that damage is found even after the key is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ledger.reference import Json, Position, SourceRef

ENVELOPE_FORMAT = 1
NOBODY = ""
"""The person under whose key a private part is sealed that belongs to no person."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is offered to the log."""

    source: str
    id: str
    type: str
    subject: SourceRef | None = None
    time: datetime | None = None
    public: Mapping[str, Json] = field(default_factory=dict)
    private: Mapping[str, Json] | None = field(default=None, repr=False)
    """Sealed under `person`'s key: `{"data": …, "actor": …, "reason": …}`, each part optional."""
    person: str = NOBODY
    inherits_person: bool = False
    """Whether it belongs to the person of its record's earlier events, naming none itself."""
    sequence: int | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the log holds it, its private part opened where its key still exists."""

    position: Position
    source: str
    id: str
    type: str
    subject: SourceRef | None
    time: datetime | None
    recorded_at: datetime
    public: Mapping[str, Json]
    private: Mapping[str, Json] | None = field(repr=False)
    """`None` when there never was one, or when its person was erased (`is_erased`)."""
    person: str
    sequence: int | None
    traceparent: str | None
    content_digest: bytes = field(repr=False)
    """Keyed digest of type, subject and `data`: equal for equal content, whoever sent it."""
    is_erased: bool = False

    @property
    def data(self) -> Mapping[str, Json] | None:
        """The record's new state as the source gave it; `None` for removals and erased persons."""
        value = (self.private or {}).get("data")
        return value if isinstance(value, dict) else None
