"""What a reader yields: an event that may be offered to the ledger, or a refusal."""

from dataclasses import dataclass, field

from ledger.log.event import NewEvent
from sync.resources.definition import Fault


@dataclass(frozen=True, slots=True)
class Document:
    """The PDF that a certificate asks for: its name, and its bytes unless the ledger has them."""

    sha256: str
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """An event without faults; `document` must be in the ledger before it is appended."""

    event: NewEvent
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be taken, whole, with every reason; unknown or unsafe attributes are empty."""

    reasons: tuple[Fault, ...]
    id: str = field(default="", repr=False)
    source: str = field(default="", repr=False)
    type: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is no event and need not be one; the reason is counted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the input and what became of it."""

    line: int
    outcome: Checked | Refused | Skipped
    raw: bytes = field(default=b"", repr=False)
    """The line as it was read: quarantine keeps it if the ledger refuses the event."""
    origin: str = ""
    """The name of the file that holds the line."""

    @property
    def weight_bytes(self) -> int:
        """How much memory the item holds, for bounding batches."""
        document = self.outcome.document if isinstance(self.outcome, Checked) else None
        return len(self.raw) + len(document.content or b"" if document else b"")
