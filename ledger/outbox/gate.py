"""A gate: what an operation waits for, and why it is still closed."""

from dataclasses import dataclass
from enum import StrEnum

from ledger.reference import OperationKey, SourceRef


class GateKind(StrEnum):
    """The three things that an operation can wait for."""

    BOUND = "bound"
    """A record it names is live in the remote system (design 5, gate a)."""
    AFTER = "after"
    """An earlier operation came to its end (gates b, c, d and e)."""
    COMPLETE = "complete"
    """A record it names is complete, as last sent (gate c, enrollments)."""


class Why(StrEnum):
    """Why a gate is closed; anything but `moving` counts as needing a person."""

    MOVING = "moving"
    MISSING = "missing"
    REMOVED = "removed"
    HELD = "held"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of one operation."""

    kind: GateKind
    reference: SourceRef
    """The record waited for: it is named, or worked on."""
    operation: OperationKey | None = None
    """The operation waited for (`after`)."""
