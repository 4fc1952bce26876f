"""Bindings in SQL: unique both ways, with every change on record."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, text
from sqlalchemy.exc import IntegrityError as RowExistsError

from ledger.errors import ConflictError
from ledger.mapping.binding import Binding, BindingState
from ledger.reference import Position, Scope, SourceRef, TargetId
from ledger.schema.statements import (
    about,
    folded_row,
    one_of,
    one_of_pairs,
    pages,
    pairs,
    parameters,
    within,
)
from ledger.schema.tables import HELD, binding_history, bindings

KEYS_MAX = 400
_IS_HELD = text(HELD)

_FIND = select(bindings).where(about(bindings))
_FIND_ALL = select(bindings).where(
    within(bindings), one_of_pairs(bindings.c.entity, bindings.c.source_id)
)
_HOLDERS = select(bindings).where(
    within(bindings),
    _IS_HELD,
    bindings.c.entity == bindparam("asked_entity"),
    bindings.c.target_key.in_(one_of("keys")),
)
_CHANGE = bindings.update().where(about(bindings))
_FORGET_SENT = (
    bindings.update()
    .where(within(bindings), _IS_HELD, bindings.c.entity.not_in(one_of("entities")))
    .values(sent=None)
)
_INSERT = bindings.insert()
_REMEMBER = binding_history.insert()
_OF_TARGET = (
    select(binding_history)
    .where(within(binding_history), binding_history.c.target_key == bindparam("of_target"))
    .order_by(binding_history.c.position.desc())
)
_IN_ORDER = (
    select(bindings).where(within(bindings)).order_by(bindings.c.entity, bindings.c.source_id)
)
_COUNT_BY_ENTITY = (
    select(bindings.c.entity, func.count())
    .where(within(bindings), _IS_HELD)
    .group_by(bindings.c.entity)
    .order_by(bindings.c.entity)
)


def find(connection: Connection, scope: Scope, *, reference: SourceRef) -> Binding | None:
    """Return a record's binding."""
    row = connection.execute(_FIND, parameters(scope, reference)).one_or_none()
    return None if row is None else _as_binding(row)


def find_all(
    connection: Connection, scope: Scope, *, references: Iterable[SourceRef]
) -> dict[SourceRef, Binding]:
    """Return the bindings of several records."""
    wanted = [(each.entity, each.source_id) for each in dict.fromkeys(references)]
    found: dict[SourceRef, Binding] = {}
    for page in pages(wanted, KEYS_MAX):
        asked = parameters(scope, **pairs(page))
        bound = (_as_binding(row) for row in connection.execute(_FIND_ALL, asked))
        found |= {binding.reference: binding for binding in bound}
    return found


def holders(
    connection: Connection, scope: Scope, *, entity: str, targets: Iterable[TargetId]
) -> dict[TargetId, SourceRef]:
    """Return which source records hold these targets."""
    asked = tuple(targets)
    by_key: dict[str, SourceRef] = {}
    for keys in pages(sorted({target.casefold() for target in asked}), KEYS_MAX):
        page = parameters(scope, asked_entity=entity, keys=keys)
        for row in connection.execute(_HOLDERS, page):
            by_key[row.target_key] = SourceRef(row.entity, row.source_id)
    return {target: by_key[target.casefold()] for target in asked if target.casefold() in by_key}


def write(connection: Connection, scope: Scope, *, binding: Binding) -> None:
    """Make a binding the current one; raises `ConflictError` if another record holds its target."""
    reference = binding.reference
    values: dict[str, object] = {
        "target_id": binding.target,
        "target_key": binding.target.casefold(),
        "state": binding.state.value,
        "position": binding.position,
    }
    row = {**values, "sent": binding.sent, "is_complete": binding.is_complete}
    try:
        changed = connection.execute(_CHANGE, parameters(scope, reference, **row))
        if changed.rowcount == 0:
            connection.execute(_INSERT, folded_row(scope, reference, **row))
    except RowExistsError as error:
        message = (
            f"the target of {reference} is bound to another record: "
            "look with `mapping find`, then `mapping release` the wrong one"
        )
        raise ConflictError(message) from error
    connection.execute(_REMEMBER, folded_row(scope, reference, **values))


def forget_sent(connection: Connection, scope: Scope, *, but: Iterable[str]) -> None:
    """Count it as unknown what every target was last told, but those of these entities."""
    connection.execute(_FORGET_SENT, parameters(scope, entities=list(but)))


def of_target(connection: Connection, scope: Scope, *, target: TargetId) -> list[Binding]:
    """Return every binding, past and present, that a target had, newest first."""
    rows = connection.execute(_OF_TARGET, parameters(scope, of_target=target.casefold()))
    return [_as_history(row) for row in rows]


def read_page(
    connection: Connection,
    scope: Scope,
    *,
    entity: str | None = None,
    after: SourceRef | None = None,
    limit: int,
) -> list[Binding]:
    """Return up to `limit` bindings by entity and source id, after a record."""
    statement = _IN_ORDER.limit(limit)
    if entity is not None:
        statement = statement.where(bindings.c.entity == entity)
    if after is not None:
        statement = statement.where(
            (bindings.c.entity > after.entity)
            | and_(bindings.c.entity == after.entity, bindings.c.source_id > after.source_id)
        )
    return [_as_binding(row) for row in connection.execute(statement, parameters(scope))]


def count_by_entity(connection: Connection, scope: Scope) -> dict[str, int]:
    """Return how many records of each entity are bound."""
    rows = connection.execute(_COUNT_BY_ENTITY, parameters(scope))
    return {row[0]: row[1] for row in rows}


def _as_binding(row: Row[Any]) -> Binding:
    return Binding(
        reference=SourceRef(row.entity, row.source_id),
        target=TargetId(row.target_id),
        state=BindingState(row.state),
        position=row.position,
        sent=row.sent,
        is_complete=bool(row.is_complete),
    )


def _as_history(row: Row[Any]) -> Binding:
    return Binding(
        reference=SourceRef(row.entity, row.source_id),
        target=TargetId(row.target_id),
        state=BindingState(row.state),
        position=Position(row.position),
        sent=None,
    )
