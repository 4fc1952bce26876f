"""What the projector knows of each record: its place in the log, its references, its keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, select

from ledger.reference import Position, Scope, SourceRef
from ledger.schema.tables import natural_keys, records, references, sequences


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A record that another one names, and in which field."""

    field: str
    reference: SourceRef


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source event says about its record, without anything personal."""

    references: tuple[Named, ...] = ()
    key_digests: tuple[bytes, ...] = field(default=(), repr=False)
    lane: str = ""
    removes: bool = False
    returns: bool = True
    """Whether a state that follows a removal takes it back; a revocation is for good."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as far as the projector has read."""

    reference: SourceRef
    owner: str
    state_position: Position | None
    """The last event that gave its state."""
    last_position: Position | None
    """The last event that was followed; `None` while none was."""
    removed_position: Position | None
    lane: str


def first_seen(
    connection: Connection, scope: Scope, *, reference: SourceRef, owner: str, position: Position
) -> None:
    """Remember which source named a record first."""
    connection.execute(
        records.insert(),
        {
            "ledger": scope.ledger,
            "generation": scope.generation,
            "entity": reference.entity,
            "source_id": reference.source_id,
            "owner": owner,
            "first_position": position,
            "lane": "",
        },
    )


def find(connection: Connection, scope: Scope, *, reference: SourceRef) -> Record | None:
    """Return what is known of a record."""
    row = connection.execute(select(records).where(_of(records, scope, reference))).one_or_none()
    return None if row is None else _as_record(row)


def follow(
    connection: Connection,
    scope: Scope,
    *,
    reference: SourceRef,
    position: Position,
    source: str,
    sequence: int | None,
    facts: Facts,
) -> None:
    """Bring a record's row to what an event says."""
    changes: dict[str, object] = {"last_position": position}
    if sequence is not None:
        _write_sequence(connection, scope, reference=reference, source=source, sequence=sequence)
    if facts.removes:
        # Removed twice, it is gone since the first time.
        changes["removed_position"] = func.coalesce(records.c.removed_position, position)
    else:
        changes |= {"state_position": position, "lane": facts.lane}
        if facts.returns:
            changes["removed_position"] = None
        _replace_references(connection, scope, reference=reference, named=facts.references)
        _add_keys(connection, scope, reference=reference, digests=facts.key_digests)
    connection.execute(records.update().where(_of(records, scope, reference)).values(**changes))


def last_sequence(
    connection: Connection, scope: Scope, *, reference: SourceRef, source: str
) -> int | None:
    """Return the highest `sequence` that was followed for a record from one source."""
    row = connection.execute(
        select(sequences.c.sequence).where(
            _of(sequences, scope, reference), sequences.c.source == source
        )
    ).one_or_none()
    return None if row is None else int(row.sequence)


def _write_sequence(
    connection: Connection, scope: Scope, *, reference: SourceRef, source: str, sequence: int
) -> None:
    mine = and_(_of(sequences, scope, reference), sequences.c.source == source)
    changed = connection.execute(sequences.update().where(mine).values(sequence=sequence))
    if changed.rowcount == 0:
        row = {**_row(scope, reference), "source": source, "sequence": sequence}
        connection.execute(sequences.insert(), row)


def _add_keys(
    connection: Connection, scope: Scope, *, reference: SourceRef, digests: Sequence[bytes]
) -> None:
    # A key that was once wanted is kept: whether it is still held is for the planner to sift.
    known = set(key_digests_of(connection, scope, reference=reference))
    rows = [
        {**_row(scope, reference), "digest": digest}
        for digest in dict.fromkeys(digests)
        if digest not in known
    ]
    if rows:
        connection.execute(natural_keys.insert(), rows)


def _replace_references(
    connection: Connection, scope: Scope, *, reference: SourceRef, named: Sequence[Named]
) -> None:
    if tuple(sorted(named)) == references_of(connection, scope, reference=reference):
        return
    connection.execute(references.delete().where(_of(references, scope, reference)))
    rows = [
        {
            **_row(scope, reference),
            "field": item.field,
            "to_entity": item.reference.entity,
            "to_source_id": item.reference.source_id,
        }
        for item in named
    ]
    if rows:
        connection.execute(references.insert(), rows)


def references_of(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Named, ...]:
    """Return every record that this one names in its last state, by field name."""
    rows = connection.execute(
        select(references).where(_of(references, scope, reference)).order_by(references.c.field)
    )
    return tuple(Named(row.field, SourceRef(row.to_entity, row.to_source_id)) for row in rows)


def naming(
    connection: Connection, scope: Scope, *, reference: SourceRef, entity: str
) -> tuple[SourceRef, ...]:
    """Return the records of one entity whose last state names this record."""
    rows = connection.execute(
        select(references.c.source_id)
        .where(
            references.c.ledger == scope.ledger,
            references.c.generation == scope.generation,
            references.c.to_entity == reference.entity,
            references.c.to_source_id == reference.source_id,
            references.c.entity == entity,
        )
        .order_by(references.c.source_id)
        .distinct()
    )
    return tuple(SourceRef(entity, row.source_id) for row in rows)


def key_digests_of(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[bytes, ...]:
    """Return the digests of the natural keys that a record has or had, wants or wanted."""
    rows = connection.execute(
        select(natural_keys.c.digest)
        .where(_of(natural_keys, scope, reference))
        .order_by(natural_keys.c.digest)
    )
    return tuple(row.digest for row in rows)


def holders(
    connection: Connection, scope: Scope, *, digest: bytes, entity: str
) -> tuple[SourceRef, ...]:
    """Return every record that has or had, wants or wanted a natural key, in a fixed order."""
    rows = connection.execute(
        select(natural_keys.c.source_id)
        .where(
            natural_keys.c.ledger == scope.ledger,
            natural_keys.c.generation == scope.generation,
            natural_keys.c.digest == digest,
            natural_keys.c.entity == entity,
        )
        .order_by(natural_keys.c.source_id)
    )
    return tuple(SourceRef(entity, row.source_id) for row in rows)


def _of(table: Table, scope: Scope, reference: SourceRef) -> ColumnElement[bool]:
    return and_(
        table.c.ledger == scope.ledger,
        table.c.generation == scope.generation,
        table.c.entity == reference.entity,
        table.c.source_id == reference.source_id,
    )


def _row(scope: Scope, reference: SourceRef) -> dict[str, object]:
    return {
        "ledger": scope.ledger,
        "generation": scope.generation,
        "entity": reference.entity,
        "source_id": reference.source_id,
    }


def _as_record(row: Row[Any]) -> Record:
    return Record(
        reference=SourceRef(row.entity, row.source_id),
        owner=row.owner,
        state_position=row.state_position,
        last_position=row.last_position,
        removed_position=row.removed_position,
        lane=row.lane,
    )
