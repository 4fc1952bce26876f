"""What planning asks, answered from events, operations and bindings held in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger.log.event import Event
from ledger.mapping.binding import Binding
from ledger.outbox.gate import Gate
from ledger.outbox.operation import Operation
from ledger.reference import Json, LedgerId, OperationKey, Position, SourceRef
from sync.projector.known import RecordState
from sync.resources import resource

LEDGER = LedgerId("test")
SOURCE = "urn:sis:test"
WHEN = datetime(2026, 2, 1, tzinfo=UTC)


@dataclass
class FakeKnown:
    """A ledger's tables as dicts, and the answers that they give to a planner."""

    events: list[Event] = field(default_factory=list)
    records: dict[SourceRef, RecordState] = field(default_factory=dict)
    sequences: dict[tuple[SourceRef, str], int] = field(default_factory=dict)
    operations: dict[OperationKey, Operation] = field(default_factory=dict)
    gates: dict[OperationKey, list[Gate]] = field(default_factory=dict)
    bindings: dict[SourceRef, Binding] = field(default_factory=dict)

    # What planning asks.

    def record(self, reference: SourceRef) -> RecordState | None:
        return self.records.get(reference)

    def last_sequence(self, reference: SourceRef, source: str) -> int | None:
        return self.sequences.get((reference, source))

    def data(self, position: Position) -> Mapping[str, Json] | None:
        return self.events[position].data

    def content_digest(self, position: Position) -> bytes:
        return self.events[position].content_digest

    def binding(self, reference: SourceRef) -> Binding | None:
        return self.bindings.get(reference)

    def open_operations(self, reference: SourceRef) -> tuple[Operation, ...]:
        return tuple(each for each in self.every_open() if each.reference == reference)

    def operations_naming(
        self, reference: SourceRef, entity: str | None = None
    ) -> tuple[Operation, ...]:
        return tuple(
            each
            for each in self.every_open()
            if entity in {None, each.reference.entity} and reference in self._names(each)
        )

    def naming(self, reference: SourceRef, entity: str) -> tuple[SourceRef, ...]:
        return tuple(
            ref
            for ref, record in self.records.items()
            if ref.entity == entity and reference in record.references
        )

    def holders(self, natural_key: tuple[str, ...]) -> tuple[SourceRef, ...]:
        told = (each for each in self.events if each.subject is not None and each.data is not None)
        held = (
            each.subject
            for each in told
            if each.subject is not None
            and each.type.endswith(".upserted")
            and resource(each.subject.entity).claimed_key(each.subject.source_id, each.data or {})
            == natural_key
        )
        return tuple(dict.fromkeys(held))

    def followers(self, keys: Collection[OperationKey]) -> frozenset[OperationKey]:
        found: set[OperationKey] = set()
        frontier = set(keys)
        while frontier:
            direct = {
                each.key
                for each in self.every_open()
                if any(gate.operation in frontier for gate in self.gates[each.key])
            }
            frontier = direct - found
            found |= direct
        return frozenset(found)

    def every_open(self) -> list[Operation]:
        return [each for each in self.operations.values() if each.is_open]

    def _names(self, operation: Operation) -> set[SourceRef]:
        """Return what the operation's record names: wanted, told last, or sent last."""
        binding = self.bindings.get(operation.reference)
        record = self.records.get(operation.reference)
        wanted = operation.cause if operation.payload is None else operation.payload
        positions = {wanted, binding.sent if binding else None, record.stated if record else None}
        entity = resource(operation.reference.entity)
        return {
            each.ref
            for position in positions - {None}
            if position is not None and self.events[position].subject == operation.reference
            for each in entity.references(self.data(position) or {})
        }
