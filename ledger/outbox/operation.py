"""An operation, the states it can be in, and the one table of its moves."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from ledger.reference import LedgerId, OperationKey, Position, SourceRef


class State(StrEnum):
    """Where an operation stands."""

    BLOCKED = "blocked"
    READY = "ready"
    LEASED = "leased"
    UNCERTAIN = "uncertain"
    DONE = "done"
    HELD = "held"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class Move(StrEnum):
    """What happens to an operation."""

    OPEN = "open"
    CLAIM = "claim"
    FINISH = "finish"
    RETRY = "retry"
    DOUBT = "doubt"
    HOLD = "hold"
    BURY = "bury"
    SUPERSEDE = "supersede"
    DISCARD = "discard"
    APPROVE = "approve"


MOVES: dict[State, dict[Move, State]] = {
    State.BLOCKED: {
        Move.OPEN: State.READY,
        Move.HOLD: State.HELD,
        Move.SUPERSEDE: State.SUPERSEDED,
        # A removal of what was never made is done without a call.
        Move.FINISH: State.DONE,
    },
    State.READY: {
        Move.CLAIM: State.LEASED,
        Move.HOLD: State.HELD,
        Move.SUPERSEDE: State.SUPERSEDED,
    },
    State.LEASED: {
        # Claimed again by another owner after a crash: to find out first.
        Move.CLAIM: State.LEASED,
        Move.FINISH: State.DONE,
        Move.RETRY: State.READY,
        Move.DOUBT: State.UNCERTAIN,
        Move.HOLD: State.HELD,
        Move.BURY: State.DEAD,
    },
    State.UNCERTAIN: {Move.CLAIM: State.LEASED},
    State.HELD: {
        Move.APPROVE: State.BLOCKED,
        Move.SUPERSEDE: State.SUPERSEDED,
        Move.DISCARD: State.DISCARDED,
    },
    State.DEAD: {
        Move.APPROVE: State.BLOCKED,
        Move.SUPERSEDE: State.SUPERSEDED,
        Move.DISCARD: State.DISCARDED,
    },
    State.DONE: {},
    State.SUPERSEDED: {},
    State.DISCARDED: {},
}

RECHECK = "recheck"
"""The kind that only looks once more at what a doubtful request may have made; in nobody's way."""

HEALED_BY = frozenset(
    {("upsert", "upsert"), ("upsert", "retire"), ("retire", "upsert"), ("issue", "revoke")}
)
"""Which later kind takes the place of one that got stuck; nothing else may be guessed."""

FINAL = frozenset({State.DONE, State.SUPERSEDED, State.DISCARDED})
"""States that nothing leaves; every other state is *open*: something may still happen."""

POSSIBLY_SENT = frozenset({State.LEASED, State.UNCERTAIN})
"""States in which a request may be on its way; never superseded, discarded or erased away."""


class Priority:
    """Classes of work, most urgent first; each gets a fair share of the lanes."""

    REVOKE = 0
    ISSUE = 1
    REST = 2
    LOOK = 3
    """Looks that wait for their time; nobody waits for them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended effect on one record, frozen at the event that caused it."""

    key: OperationKey
    cause: Position
    reference: SourceRef
    kind: str
    state: State
    priority: int = Priority.REST
    payload: Position | None = None
    """The event whose state is wanted, where it is not the cause's own."""
    place: Position | None = None
    """Where it stands among others, if before its cause: where what it superseded stood."""
    lane: str = ""
    second_lane: str | None = None
    """The lane of the natural key that is given up, when it changes."""
    attempts: int = 0
    failures: int = 0
    not_before: float = 0.0
    """Seconds since the epoch before which nothing is tried."""
    reason: str | None = None
    possibly_sent: bool = False
    """Whether a request that can change the remote may have left without a known answer."""
    completes: bool = False
    """Whether, once done, it fulfils gates that wait for the record's completion."""
    concerns: tuple[SourceRef, ...] = ()
    """The other records that a hold is about."""
    superseded_by: OperationKey | None = None
    epoch: int = 0

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes that its conversation needs for itself."""
        return (self.lane,) if self.second_lane is None else (self.lane, self.second_lane)

    @property
    def stands_at(self) -> Position:
        """Its place in the order of the log: its cause, or where what it superseded stood."""
        return self.cause if self.place is None else self.place

    @property
    def is_open(self) -> bool:
        """Whether something may still happen to it."""
        return self.state not in FINAL


def operation_key(
    ledger_id: LedgerId, cause: Position, reference: SourceRef, *, kind: str
) -> OperationKey:
    """Return the name that the same cause gives the same effect in every replay."""
    parts = (ledger_id, str(cause), reference.entity, reference.source_id, kind)
    framed = "".join(f"{len(part.encode())}:{part}" for part in parts)
    return OperationKey(sha256(framed.encode()).hexdigest()[:32])


def after(state: State, move: Move) -> State | None:
    """Return the state that a move leads to, or `None` where the table has no such move."""
    return MOVES[state].get(move)
