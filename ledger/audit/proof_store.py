"""The events of one record with their paths to the root, read in one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, union

from ledger.audit.proof import LEFT_OUT, belongs, operations_of, too_long
from ledger.audit.verification import Head
from ledger.errors import IntegrityError
from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.log.merkle import inclusion_proof, leaf_hash, verify_inclusion
from ledger.log.tile_store import TileSource
from ledger.reference import Position, Scope, SourceRef
from ledger.schema.tables import events, operation_events, operations

EVENTS_MAX: Final = 1_000
"""More than fit into one bundle, whatever they hold."""

_ABOUT = select(events.c.position).where(
    events.c.ledger == bindparam("in_ledger"),
    events.c.entity == bindparam("of_entity"),
    events.c.source_id == bindparam("of_source_id"),
    events.c.position.between(bindparam("first"), bindparam("last")),
)
_OF_OPERATIONS = (
    select(operation_events.c.position)
    .join(
        operations,
        (operations.c.ledger == operation_events.c.ledger)
        & (operations.c.generation == operation_events.c.generation)
        & (operations.c.key == operation_events.c.operation),
    )
    .join(
        events,
        (events.c.ledger == operation_events.c.ledger)
        & (events.c.position == operation_events.c.position),
    )
    .where(
        operations.c.ledger == bindparam("in_ledger"),
        operations.c.generation == bindparam("in_generation"),
        operations.c.entity == bindparam("of_entity"),
        operations.c.source_id == bindparam("of_source_id"),
        operation_events.c.position.between(bindparam("first"), bindparam("last")),
        events.c.type.not_in(LEFT_OUT),
    )
)
_STORY = union(_ABOUT, _OF_OPERATIONS).subquery()
_POSITIONS = select(_STORY.c.position).order_by(_STORY.c.position).limit(EVENTS_MAX + 1)


@dataclass(frozen=True, slots=True)
class Story:
    """A record's events and their paths, all under one tree head."""

    head: Head
    events: tuple[Stored, ...]
    paths: tuple[tuple[bytes, ...], ...]


def read_story(
    connection: Connection,
    scope: Scope,
    *,
    reference: SourceRef,
    after: Position = -1,
    through: Position | None = None,
) -> Story:
    """Return what a bundle proves of a record, between two positions of the log.

    Raises `EventError` where that is far too much and `IntegrityError` where the stored tree does
    not lead from these events to the root.
    """
    tree = log_store.read_head(connection, scope.ledger)
    head = Head(tree.size, tree.root())
    last = tree.size - 1 if through is None else min(through, tree.size - 1)
    found = _read(connection, scope, reference=reference, first=after + 1, last=last)
    named = operations_of(found, reference)
    chosen = tuple(each for each in found if belongs(each, reference, operations=named))
    source = TileSource(connection, scope.ledger)
    paths = tuple(_path(each, head, source) for each in chosen)
    return Story(head, chosen, paths)


def _read(
    connection: Connection, scope: Scope, *, reference: SourceRef, first: Position, last: Position
) -> Sequence[Stored]:
    asked = {
        "in_ledger": scope.ledger,
        "in_generation": scope.generation,
        "of_entity": reference.entity,
        "of_source_id": reference.source_id,
        "first": first,
        "last": last,
    }
    positions = connection.execute(_POSITIONS, asked).scalars().all()
    if len(positions) > EVENTS_MAX:
        raise too_long(reference, count=len(positions), last=positions[EVENTS_MAX // 10])
    return log_store.read_at(connection, scope.ledger, positions=positions)


def _path(stored: Stored, head: Head, source: TileSource) -> tuple[bytes, ...]:
    index, size = stored.position, head.size
    path = inclusion_proof(index, size, source)
    leaf = leaf_hash(stored.envelope)
    if not verify_inclusion(leaf, index=index, size=size, proof=path, root=head.root):
        message = (
            f"the stored tree does not lead from event {index} to the root: run `audit verify`, "
            "then restore a backup"
        )
        raise IntegrityError(message, position=index)
    return path
