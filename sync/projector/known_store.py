"""What planning may ask, answered from the ledger's tables inside the write transaction."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from ledger.log import store as log_store
from ledger.log.event import Event
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding
from ledger.outbox import record_store, waiting_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation
from ledger.reference import Json, OperationKey, Position, Scope, SourceRef
from ledger.sealing import Sealer
from ledger.subjects.subject_store import Doorkeeper
from sync.projector.describe import Digest, key_digest
from sync.projector.known import RecordState


class Reading:
    """Source events opened for one batch, each read once."""

    def __init__(
        self, connection: Connection, scope: Scope, *, sealer: Sealer, digest: Digest
    ) -> None:
        self.connection = connection
        self.scope = scope
        self.digest = digest
        self._sealer = sealer
        self._doorkeeper = Doorkeeper()
        self._events: dict[Position, Event] = {}
        self._digests: dict[Position, bytes] = {}

    def remember(self, event: Event) -> None:
        """Keep an event that is opened already."""
        self._events[event.position] = event
        self._digests[event.position] = event.content_digest

    def is_erased(self, event: Event) -> bool:
        """Tell whether an event's person is erased, or being erased."""
        persons = [event.person] if event.person else []
        return bool(self._doorkeeper.closed(self.connection, self.scope, persons=persons))

    def event(self, position: Position) -> Event:
        """Return the event at a position, opened where its key still exists."""
        if position not in self._events:
            stored = log_store.read_at(self.connection, self.scope.ledger, positions=[position])
            self.remember(self._sealer.open_now(stored)[0])
        return self._events[position]

    def content_digest(self, position: Position) -> bytes:
        """Return the keyed digest of what the event at a position tells; nothing is opened."""
        if position not in self._digests:
            self._digests[position] = log_store.content_digest_at(
                self.connection, self.scope.ledger, position=position
            )
        return self._digests[position]


class KnownStore:
    """The ledger as one plan sees it; what is asked twice is looked up once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._connection = reading.connection
        self._scope = reading.scope
        self._records: dict[SourceRef, RecordState | None] = {}
        self._bindings: dict[SourceRef, Binding | None] = {}
        self._open: dict[SourceRef, tuple[Operation, ...]] = {}

    def record(self, reference: SourceRef) -> RecordState | None:
        """Return where a record stands; `None` if no event about it was followed."""
        if reference not in self._records:
            self._records[reference] = self._look_up(reference)
        return self._records[reference]

    def last_sequence(self, reference: SourceRef, source: str) -> int | None:
        """Return the highest `sequence` taken from this source for this record."""
        return record_store.last_sequence(
            self._connection, self._scope, reference=reference, source=source
        )

    def data(self, position: Position) -> Mapping[str, Json] | None:
        """Return the opened data of a source event; `None` if it has none or it was erased."""
        return self._reading.event(position).data

    def content_digest(self, position: Position) -> bytes:
        """Return the keyed digest of a source event's content."""
        return self._reading.content_digest(position)

    def binding(self, reference: SourceRef) -> Binding | None:
        """Return the record's current binding."""
        if reference not in self._bindings:
            self._bindings[reference] = mapping_store.find(
                self._connection, self._scope, reference=reference
            )
        return self._bindings[reference]

    def open_operations(self, reference: SourceRef) -> tuple[Operation, ...]:
        """Return the record's operations that are not final, oldest first."""
        if reference not in self._open:
            self._open[reference] = outbox_store.open_of_record(
                self._connection, self._scope, reference=reference
            )
        return self._open[reference]

    def operations_naming(
        self, reference: SourceRef, entity: str | None = None
    ) -> tuple[Operation, ...]:
        """Return open operations (of one entity) on records that name this one, oldest first."""
        return outbox_store.open_naming(
            self._connection, self._scope, reference=reference, entity=entity
        )

    def naming(self, reference: SourceRef, entity: str) -> tuple[SourceRef, ...]:
        """Return the entity's records whose last state names this one."""
        return record_store.naming(
            self._connection, self._scope, reference=reference, entity=entity
        )

    def holders(self, natural_key: tuple[str, ...]) -> tuple[SourceRef, ...]:
        """Return every record that has or had, wants or wanted this key."""
        digest = key_digest(natural_key, digest=self._reading.digest)
        return record_store.holders(
            self._connection, self._scope, digest=digest, entity=natural_key[0]
        )

    def followers(self, keys: Collection[OperationKey]) -> frozenset[OperationKey]:
        """Return the open operations that wait for these, directly or through others."""
        return waiting_store.followers(self._connection, self._scope, keys=keys)

    def _look_up(self, reference: SourceRef) -> RecordState | None:
        found = record_store.find(self._connection, self._scope, reference=reference)
        if found is None or found.last_position is None:
            return None
        named = record_store.references_of(self._connection, self._scope, reference=reference)
        return RecordState(
            stated=found.state_position,
            removed=found.removed_position,
            references=tuple(each.reference for each in named),
        )
