"""What the projector knows of each record: its place in the log, its references, its keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select

from ledger.reference import Position, Scope, SourceRef
from ledger.schema.statements import (
    about,
    folded_row,
    one_of_pairs,
    pages,
    pairs,
    parameters,
    within,
)
from ledger.schema.tables import natural_keys, records, references, sequences
from ledger.schema.vault_tables import insert_or_ignore

REFERENCES_MAX = 400

_FIND = select(records).where(about(records))
_FIND_ALL = select(records).where(
    within(records), one_of_pairs(records.c.entity, records.c.source_id)
)
_FIRST_SEEN = records.insert()
_CHANGE = records.update().where(about(records))
_REMOVE = _CHANGE.values(
    # Removed twice, it is gone since the first time.
    removed_position=func.coalesce(records.c.removed_position, bindparam("removed_now"))
)

_FROM_SOURCE = and_(about(sequences), sequences.c.source == bindparam("of_source"))
_LAST_SEQUENCE = select(sequences.c.sequence).where(_FROM_SOURCE)
_MOVE_SEQUENCE = sequences.update().where(_FROM_SOURCE)
_FIRST_SEQUENCE = sequences.insert()

_REFERENCES = select(references).where(about(references)).order_by(references.c.field)
_FORGET_REFERENCES = references.delete().where(about(references))
_ADD_REFERENCES = references.insert()
_NAMING = (
    select(references.c.source_id)
    .where(
        within(references),
        references.c.to_entity == bindparam("of_entity"),
        references.c.to_source_id == bindparam("of_source_id"),
        references.c.entity == bindparam("asked_entity"),
    )
    .order_by(references.c.source_id)
    .distinct()
)

_KEY_DIGESTS = (
    select(natural_keys.c.digest).where(about(natural_keys)).order_by(natural_keys.c.digest)
)
_HOLDERS = (
    select(natural_keys.c.source_id)
    .where(
        within(natural_keys),
        natural_keys.c.digest == bindparam("of_digest"),
        natural_keys.c.entity == bindparam("asked_entity"),
    )
    .order_by(natural_keys.c.source_id)
)


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
    row = folded_row(scope, reference, owner=owner, first_position=position, lane="")
    connection.execute(_FIRST_SEEN, row)


def find(connection: Connection, scope: Scope, *, reference: SourceRef) -> Record | None:
    """Return what is known of a record."""
    row = connection.execute(_FIND, parameters(scope, reference)).one_or_none()
    return None if row is None else _as_record(row)


def find_all(
    connection: Connection, scope: Scope, *, references: Iterable[SourceRef]
) -> dict[SourceRef, Record]:
    """Return what is known of several records."""
    wanted = [(each.entity, each.source_id) for each in dict.fromkeys(references)]
    found: dict[SourceRef, Record] = {}
    for page in pages(wanted, REFERENCES_MAX):
        asked = parameters(scope, **pairs(page))
        known = (_as_record(row) for row in connection.execute(_FIND_ALL, asked))
        found |= {record.reference: record for record in known}
    return found


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
    if sequence is not None:
        _write_sequence(connection, scope, reference=reference, source=source, sequence=sequence)
    mine = parameters(scope, reference, last_position=position)
    if facts.removes:
        connection.execute(_REMOVE, {**mine, "removed_now": position})
        return
    changes: dict[str, object] = {"state_position": position, "lane": facts.lane}
    if facts.returns:
        changes["removed_position"] = None
    connection.execute(_CHANGE, mine | changes)
    _replace_references(connection, scope, reference=reference, named=facts.references)
    _add_keys(connection, scope, reference=reference, digests=facts.key_digests)


def last_sequence(
    connection: Connection, scope: Scope, *, reference: SourceRef, source: str
) -> int | None:
    """Return the highest `sequence` that was followed for a record from one source."""
    asked = parameters(scope, reference, of_source=source)
    sequence = connection.execute(_LAST_SEQUENCE, asked).scalar_one_or_none()
    return None if sequence is None else int(sequence)


def _write_sequence(
    connection: Connection, scope: Scope, *, reference: SourceRef, source: str, sequence: int
) -> None:
    mine = parameters(scope, reference, of_source=source, sequence=sequence)
    if connection.execute(_MOVE_SEQUENCE, mine).rowcount == 0:
        row = folded_row(scope, reference, source=source, sequence=sequence)
        connection.execute(_FIRST_SEQUENCE, row)


def _add_keys(
    connection: Connection, scope: Scope, *, reference: SourceRef, digests: Sequence[bytes]
) -> None:
    # A key that was once wanted is kept: whether it is still held is for the planner to sift.
    rows = [folded_row(scope, reference, digest=digest) for digest in dict.fromkeys(digests)]
    if rows:
        connection.execute(insert_or_ignore(connection, natural_keys), rows)


def _replace_references(
    connection: Connection, scope: Scope, *, reference: SourceRef, named: Sequence[Named]
) -> None:
    before = references_of(connection, scope, reference=reference)
    if tuple(sorted(named)) == before:
        return
    if before:
        connection.execute(_FORGET_REFERENCES, parameters(scope, reference))
    rows = [
        folded_row(
            scope,
            reference,
            field=item.field,
            to_entity=item.reference.entity,
            to_source_id=item.reference.source_id,
        )
        for item in named
    ]
    if rows:
        connection.execute(_ADD_REFERENCES, rows)


def references_of(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[Named, ...]:
    """Return every record that this one names in its last state, by field name."""
    rows = connection.execute(_REFERENCES, parameters(scope, reference))
    return tuple(Named(row.field, SourceRef(row.to_entity, row.to_source_id)) for row in rows)


def naming(
    connection: Connection, scope: Scope, *, reference: SourceRef, entity: str
) -> tuple[SourceRef, ...]:
    """Return the records of one entity whose last state names this record."""
    rows = connection.execute(_NAMING, parameters(scope, reference, asked_entity=entity))
    return tuple(SourceRef(entity, row.source_id) for row in rows)


def key_digests_of(
    connection: Connection, scope: Scope, *, reference: SourceRef
) -> tuple[bytes, ...]:
    """Return the digests of the natural keys that a record has or had, wants or wanted."""
    rows = connection.execute(_KEY_DIGESTS, parameters(scope, reference))
    return tuple(row.digest for row in rows)


def holders(
    connection: Connection, scope: Scope, *, digest: bytes, entity: str
) -> tuple[SourceRef, ...]:
    """Return every record that has or had, wants or wanted a natural key, in a fixed order."""
    asked = parameters(scope, of_digest=digest, asked_entity=entity)
    rows = connection.execute(_HOLDERS, asked)
    return tuple(SourceRef(entity, row.source_id) for row in rows)


def _as_record(row: Row[Any]) -> Record:
    return Record(
        reference=SourceRef(row.entity, row.source_id),
        owner=row.owner,
        state_position=row.state_position,
        last_position=row.last_position,
        removed_position=row.removed_position,
        lane=row.lane,
    )
