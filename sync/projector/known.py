"""What planning may ask of the ledger, answered inside the write transaction.

One plan asks the same more than once: an implementation should remember answers for its duration.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from ledger.mapping.binding import Binding
from ledger.outbox.operation import Operation
from ledger.reference import Json, OperationKey, Position, SourceRef


@dataclass(frozen=True, slots=True)
class RecordState:
    """Where a record stands according to the events taken so far."""

    stated: Position | None
    """The event that last told its state (upserted, requested); `None` if none ever did."""
    removed: Position | None
    """The event that removed or revoked it; `None` once a later event told its state again.

    Removed twice, it is gone since the first time. A revocation is never taken back: a request
    that follows it leaves this as it is.
    """
    references: tuple[SourceRef, ...] = ()
    """Every record that the last state names."""


class Known(Protocol):
    """The ledger as it stands after every earlier event was planned and folded."""

    def record(self, reference: SourceRef) -> RecordState | None:
        """Return where a record stands; `None` if no event about it was ever taken."""

    def last_sequence(self, reference: SourceRef, source: str) -> int | None:
        """Return the highest `sequence` taken from this source for this record."""

    def data(self, position: Position) -> Mapping[str, Json] | None:
        """Return the opened data of a source event; `None` if it has none or it was erased."""

    def content_digest(self, position: Position) -> bytes:
        """Return the keyed digest of a source event's content."""

    def binding(self, reference: SourceRef) -> Binding | None:
        """Return the record's current binding."""

    def open_operations(self, reference: SourceRef) -> tuple[Operation, ...]:
        """Return the record's operations that are not final, oldest first."""

    def operations_naming(
        self, reference: SourceRef, entity: str | None = None
    ) -> tuple[Operation, ...]:
        """Return open operations (of one entity) on records that name this one, oldest first.

        A record names another by the state the operation wants, by its last state, or by the
        state last sent: an attachment on its way elsewhere still names the module it leaves.
        """

    def naming(self, reference: SourceRef, entity: str) -> tuple[SourceRef, ...]:
        """Return the entity's records whose last state names this one."""

    def holders(self, natural_key: tuple[str, ...]) -> tuple[SourceRef, ...]:
        """Return every record that has or had, wants or wanted this key; the planner sifts them."""

    def followers(self, keys: Collection[OperationKey]) -> frozenset[OperationKey]:
        """Return the open operations that wait for these, directly or through others.

        Only gates of the kind `after` are followed.
        """
