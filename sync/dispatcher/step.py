"""The steps of a conversation with DokStamp, what it works on, and how it ends.

A procedure is a generator of steps. It is sent an `Answer` for a `Call`, the holders for a
`WhoHolds`, and `None` for a `Progress`, and returns one `Settlement` for each of its operations.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from ledger.reference import Json, OperationKey, SourceRef, TargetId
from sync.dokstamp.answer import Answer
from sync.dokstamp.request import Request
from sync.resources.definition import Kind
from sync.resources.former import Former


@dataclass(frozen=True, slots=True)
class Work:
    """One operation with everything a procedure may know about it."""

    operation: OperationKey
    kind: Kind
    reference: SourceRef
    wanted: Mapping[str, Json] | None = field(default=None, repr=False)
    """The record's state at the operation's cause; `None` for a removal."""
    sent: Mapping[str, Json] | None = field(default=None, repr=False)
    """The state DokStamp was last brought to; `None` when that is unknown."""
    stated: Mapping[str, Json] | None = field(default=None, repr=False)
    """The record's last state, which tells where it is when nobody knows what was sent."""
    is_retired: bool = False
    """Whether DokStamp's record was retired by us."""
    is_certified: bool = False
    """Whether a certificate that the ledger has the uuid of names this enrollment."""
    target: TargetId | None = None
    targets: Mapping[SourceRef, TargetId] = field(default_factory=dict)
    """The uuids of every record that `wanted` (or `sent`, for a removal) names."""
    progress: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """Facts that earlier steps of this operation put on record."""
    possibly_sent: bool = False
    """Whether an earlier unsafe request of it has no known answer: find out first."""
    attempts: int = 0
    today: date | None = None
    document: bytes | None = field(default=None, repr=False)
    """The bytes to upload, for an issue whose file is not on record yet."""
    names: Mapping[SourceRef, Mapping[str, Json]] = field(default_factory=dict, repr=False)
    """Wanted states of records it names, where a rule needs to look at them."""
    formerly: tuple[Former, ...] = ()
    """What it may be found by, of what was told before and never sent."""
    approved: frozenset[str] = frozenset()
    """The reasons for which it was held when a person had it go on (`outbox approve`)."""


@dataclass(frozen=True, slots=True)
class Call:
    """Send this request and hand back its answer."""

    request: Request
    operations: tuple[OperationKey, ...] = ()
    """The operations that the request is made for; all of the conversation when empty."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Put facts on record, durably, before the next step."""

    operation: OperationKey
    facts: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """Merged over the facts on record; private ones (`file`) are sealed under the person's key."""
    bind: TargetId | None = None
    """A uuid that is now known to stand for the record."""


@dataclass(frozen=True, slots=True)
class WhoHolds:
    """Tell which source records these targets are bound to."""

    targets: tuple[TargetId, ...]


Step = Call | Progress | WhoHolds
Reply = Answer | Mapping[TargetId, SourceRef] | None


class Outcome(StrEnum):
    """How an operation ended for now."""

    DONE = "done"
    RETRY = "retry"
    """Nothing changed remotely by this try; try again after `retry_seconds` or a backoff."""
    UNCERTAIN = "uncertain"
    """Something may have changed: wait the settle window, then find out."""
    HELD = "held"
    """A person must decide."""
    DEAD = "dead"
    """Refused for its content; a corrected event heals it."""


class After(StrEnum):
    """How the record stands in DokStamp once its operation is done."""

    LIVE = "live"
    RETIRED = "retired"
    REVOKED = "revoked"
    MISSING = "missing"
    """It was there once and is not any more: nothing is made in its place by itself."""
    RELEASED = "released"
    """It was deleted by us: the record may be made anew should it come back."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one operation of a conversation ended for now."""

    operation: OperationKey
    outcome: Outcome
    reason: str = ""
    """A code from `sync.dispatcher.reasons`, which says in words what to do."""
    target: TargetId | None = None
    after: After = After.UNCHANGED
    retry_seconds: float | None = None
    """When to try again, if the answer or the procedure knows better than the backoff."""
    counts_as_failure: bool = True
    """Whether this try counts against the operation (an outage or a throttle does not)."""
    in_doubt: bool = False
    """Whether an unsafe request still has no known outcome, although a person must decide first.

    It goes without saying for `UNCERTAIN`, and is never so for `DONE` and `RETRY`.
    """
    fields: tuple[str, ...] = field(default=(), repr=False)
    """What DokStamp named in its refusal: hidden, for it may not be a field of the request."""
    facts: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """Facts worth keeping in the audit trail, such as a verification URL; sealed there."""


Conversation = Generator[Step, Reply, tuple[Settlement, ...]]
