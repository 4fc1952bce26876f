"""What the tables hold about a conversation's operations, read in one snapshot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import record_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation
from ledger.outbox.record_store import Record
from ledger.reference import OperationKey, Position, Scope, SourceRef
from sync.resources import Kind, resource

NAMEABLE = frozenset({BindingState.LIVE, BindingState.RETIRED, BindingState.REVOKED})
"""States of a binding in which its record is in DokStamp, and others may name its uuid."""

TOLD_BEFORE_MAX: Final = 1000
"""More than a source tells of one student before anything is sent, were it each night for years."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Records with their bindings, and the events that gave states or tell of operations."""

    looked_up: frozenset[SourceRef]
    records: Mapping[SourceRef, Record]
    bindings: Mapping[SourceRef, Binding]
    told_of: Mapping[OperationKey, tuple[Position, ...]]
    stored: Sequence[Stored] = field(repr=False)
    told_before: Mapping[SourceRef, tuple[Stored, ...]] = field(default_factory=dict, repr=False)
    """What was told earlier of persons that were never sent, newest first."""
    certified: frozenset[SourceRef] = frozenset()
    """The enrollments that a certificate names which is or was in DokStamp, as the ledger knows."""

    def stated(self, reference: SourceRef) -> Position | None:
        """Return the event that last gave a record's state."""
        record = self.records.get(reference)
        return None if record is None else record.state_position

    def sent(self, reference: SourceRef) -> Position | None:
        """Return the event whose state was last sent for a record."""
        binding = self.bindings.get(reference)
        return None if binding is None else binding.sent


def take(connection: Connection, scope: Scope, operations: Sequence[Operation]) -> Snapshot:
    """Return everything about these operations, and about what their records name."""
    keys = [each.key for each in operations]
    named = outbox_store.named_records(connection, scope, keys=keys)
    told_of: dict[OperationKey, tuple[Position, ...]] = dict.fromkeys(keys, ())
    for position, key in sorted(outbox_store.events_of(connection, scope, keys=keys).items()):
        told_of[key] += (position,)
    snapshot = _look_up(
        connection,
        scope,
        references=named | {each.reference for each in operations},
        told_of=told_of,
        positions={wanted_by(each) for each in operations},
    )
    own = {each.reference for each in operations if each.reference in snapshot.bindings}
    certified = (each for each in own if _is_certified(connection, scope, each))
    before = {
        each.reference: _told_before(connection, scope, each)
        for each in operations
        if _may_be_known_otherwise(each, snapshot)
    }
    return replace(snapshot, certified=frozenset(certified), told_before=before)


def _may_be_known_otherwise(operation: Operation, snapshot: Snapshot) -> bool:
    binding = snapshot.bindings.get(operation.reference)
    # What a person released is looked for from the start, as if it had never been bound.
    is_new = binding is None or binding.state is BindingState.RELEASED
    is_person = resource(operation.reference.entity).is_person
    return is_new and is_person and operation.kind == Kind.UPSERT


def _told_before(connection: Connection, scope: Scope, operation: Operation) -> tuple[Stored, ...]:
    found = log_store.read_told_before(
        connection,
        scope.ledger,
        reference=operation.reference,
        before=wanted_by(operation),
        limit=TOLD_BEFORE_MAX,
    )
    return tuple(found)


def _is_certified(connection: Connection, scope: Scope, reference: SourceRef) -> bool:
    if reference.entity != "enrollment":
        return False
    named_by = record_store.naming(connection, scope, reference=reference, entity="certificate")
    bindings = mapping_store.find_all(connection, scope, references=named_by)
    return any(each.state in NAMEABLE for each in bindings.values())


def take_others(
    connection: Connection, scope: Scope, references: Collection[SourceRef]
) -> Snapshot:
    """Return what is known of records that no operation tells of."""
    return _look_up(connection, scope, references=references, told_of={}, positions=set())


def wanted_by(operation: Operation) -> Position:
    """Return the event whose state an operation wants."""
    return operation.cause if operation.payload is None else operation.payload


def _look_up(
    connection: Connection,
    scope: Scope,
    *,
    references: Collection[SourceRef],
    told_of: Mapping[OperationKey, tuple[Position, ...]],
    positions: set[Position],
) -> Snapshot:
    records = record_store.find_all(connection, scope, references=references)
    bindings = mapping_store.find_all(connection, scope, references=references)
    stated = {each.state_position for each in records.values()}
    sent = {each.sent for each in bindings.values()}
    told = {position for each in told_of.values() for position in each}
    wanted = {position for position in stated | sent if position is not None}
    stored = log_store.read_at(connection, scope.ledger, positions=positions | told | wanted)
    return Snapshot(frozenset(references), records, bindings, told_of, stored)
