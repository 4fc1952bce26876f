"""A plan: what one batch of events makes of the outbox, as one logged value.

The projector decides it; folding it is the same code live and in a rebuild. It names source ids,
kinds and positions only, so that nothing personal is in it.
"""

from dataclasses import dataclass

from ledger.outbox.gate import Gate
from ledger.outbox.operation import Priority
from ledger.outbox.record_store import Named
from ledger.reference import OperationKey, Position, SourceRef


@dataclass(frozen=True, slots=True)
class Intent:
    """One new operation of a plan."""

    key: OperationKey
    cause: Position
    reference: SourceRef
    kind: str
    gates: tuple[Gate, ...] = ()
    priority: int = Priority.REST
    payload: Position | None = None
    """The event whose state is wanted, where it is not the cause's own."""
    place: Position | None = None
    """Where it stands among others, if before its cause: where what it supersedes stood."""
    held: str | None = None
    """A reason code when the operation starts out held for a person."""
    concerns: tuple[SourceRef, ...] = ()
    """The other records that the hold is about, named for the person who decides."""
    finished: str | None = None
    """A reason code when there is nothing to call: recorded, and done at once."""
    completes: bool = False


@dataclass(frozen=True, slots=True)
class Superseding:
    """An operation that was never sent gives way; gates on it pass to its successor."""

    old: OperationKey
    new: OperationKey


@dataclass(frozen=True, slots=True)
class Hold:
    """An operation planned earlier must wait for a person now (a cycle, a guarded batch)."""

    key: OperationKey
    reason: str
    """A reason code; on an operation that is held already it takes the place of the old one."""
    concerns: tuple[SourceRef, ...] = ()
    """The other records that the hold is about, named for the person who decides."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stretch of the log makes of the outbox."""

    through: Position
    """The last position that this plan takes account of."""
    intents: tuple[Intent, ...] = ()
    supersedings: tuple[Superseding, ...] = ()
    holds: tuple[Hold, ...] = ()
    parked: tuple[tuple[Position, str], ...] = ()
    """Events that could not be handled, with a reason code: their record stops, nothing else."""
    late: tuple[Position, ...] = ()
    """Events whose `sequence` came too late: recorded, not followed."""
    named: tuple[Named, ...] = ()
    """What the event's state names, where the event belongs to a person and may be erased."""
