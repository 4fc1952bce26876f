"""A binding: a source record and the remote record that stands for it."""

from dataclasses import dataclass
from enum import StrEnum

from ledger.reference import Position, SourceRef, TargetId


class BindingState(StrEnum):
    """How a bound record stands in the remote system."""

    LIVE = "live"
    RETIRED = "retired"
    REVOKED = "revoked"
    MISSING = "missing"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Binding:
    """The link between a source record and its remote record, and what the latter was last told."""

    reference: SourceRef
    target: TargetId
    state: BindingState
    position: Position
    """The outcome event that made or last changed this link."""
    sent: Position | None
    """The source event whose state the remote record was last brought to; `None` when unknown."""
    is_complete: bool = False
    """Whether the state last sent was a completed one (enrollments)."""

    @property
    def stands(self) -> bool:
        """Whether other records can still name the target."""
        return self.state in {BindingState.LIVE, BindingState.RETIRED}

    @property
    def holds_target(self) -> bool:
        """Whether the target belongs to this record and to no other."""
        return self.state is not BindingState.RELEASED
