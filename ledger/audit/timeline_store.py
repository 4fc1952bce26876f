"""Which events tell of a record: those about it, and those about the operations on it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, union

from ledger.audit.timeline import Told
from ledger.clock import from_microseconds
from ledger.log import store as log_store
from ledger.log.envelope import Stored, decode
from ledger.log.event import Event
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding
from ledger.reference import OperationKey, Position, Scope, SourceRef, TargetId
from ledger.schema.tables import events, operation_events, operations
from ledger.subjects import subject_store
from ledger.subjects.subject_store import Standing

_KEEPS_FACTS: Final = "operation.settled"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a record's story."""

    events: tuple[Told, ...]
    sealed: tuple[Stored, ...] = field(repr=False)
    """Those of the events whose private part belongs to the story."""
    operations: frozenset[OperationKey]
    """The operations of the record that the stretch tells of."""

    def with_facts(self, opened: Iterable[Event]) -> tuple[Told, ...]:
        """Return the events, those that were sealed as far as they could be opened."""
        known = {event.position: event for event in opened}
        return tuple(
            _with_facts(told, known[told.position]) if told.position in known else told
            for told in self.events
        )


def read_chapter(
    connection: Connection, scope: Scope, *, reference: SourceRef, after: Position, limit: int
) -> Chapter:
    """Return up to `limit` events that tell of a record after a position."""
    positions = _positions(connection, scope, reference=reference, after=after, limit=limit)
    links = _links(connection, scope, reference=reference, positions=positions)
    stored = log_store.read_at(connection, scope.ledger, positions=positions)
    persons = {event.person for event in stored if event.person}
    erased = _erased(connection, scope, persons)
    told = tuple(_told(event, links.get(event.position, []), erased=erased) for event in stored)
    sealed = tuple(each for each in stored if each.type == _KEEPS_FACTS and each.sealed is not None)
    return Chapter(told, sealed, frozenset(key for keys in links.values() for key in keys))


def stands_for(connection: Connection, scope: Scope, *, target: TargetId) -> list[Binding]:
    """Return the last word on each record that a target stands or stood for, newest first."""
    last: dict[SourceRef, Binding] = {}
    for binding in mapping_store.of_target(connection, scope, target=target):
        last.setdefault(binding.reference, binding)
    return list(last.values())


def _erased(connection: Connection, scope: Scope, persons: Collection[str]) -> frozenset[str]:
    found = subject_store.find(connection, scope, persons=persons)
    return frozenset(name for name, each in found.items() if each.standing is Standing.ERASED)


def _positions(
    connection: Connection, scope: Scope, *, reference: SourceRef, after: Position, limit: int
) -> list[Position]:
    about = select(events.c.position).where(
        events.c.ledger == scope.ledger,
        events.c.entity == reference.entity,
        events.c.source_id == reference.source_id,
        events.c.position > after,
    )
    of_operations = (
        select(operation_events.c.position)
        .join(operations, _same_operation())
        .where(*_on(scope, reference), operation_events.c.position > after)
    )
    both = union(about, of_operations).subquery()
    statement = select(both.c.position).order_by(both.c.position).limit(limit)
    return list(connection.execute(statement).scalars())


def _links(
    connection: Connection, scope: Scope, *, reference: SourceRef, positions: Sequence[Position]
) -> dict[Position, list[OperationKey]]:
    if not positions:
        return {}
    statement = (
        select(operation_events.c.position, operations.c.key)
        .join(operations, _same_operation())
        .where(
            *_on(scope, reference),
            operation_events.c.position.between(positions[0], positions[-1]),
        )
        # Of several the newest is the one that the event is about: it made the others give way.
        .order_by(operations.c.cause.desc(), operations.c.key)
    )
    found: dict[Position, list[OperationKey]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.position, []).append(OperationKey(row.key))
    return found


def _same_operation() -> ColumnElement[bool]:
    return (
        (operations.c.ledger == operation_events.c.ledger)
        & (operations.c.generation == operation_events.c.generation)
        & (operations.c.key == operation_events.c.operation)
    )


def _on(scope: Scope, reference: SourceRef) -> tuple[ColumnElement[bool], ...]:
    return (
        operations.c.ledger == scope.ledger,
        operations.c.generation == scope.generation,
        operations.c.entity == reference.entity,
        operations.c.source_id == reference.source_id,
    )


def _told(stored: Stored, keys: Sequence[OperationKey], *, erased: Collection[str]) -> Told:
    return Told(
        position=stored.position,
        recorded_at=from_microseconds(stored.recorded_at_microseconds),
        type=stored.type,
        is_outcome=stored.is_outcome,
        public=decode(stored).get("public", {}),
        operation=keys[0] if keys else None,
        is_erased=stored.sealed is not None and stored.person in erased,
    )


def _with_facts(told: Told, event: Event) -> Told:
    facts = (event.private or {}).get("facts")
    is_erased = told.is_erased or event.is_erased
    return replace(told, facts=facts if isinstance(facts, dict) else {}, is_erased=is_erased)
