"""Bindings in SQL: unique both ways, with every change on record."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, select
from sqlalchemy.exc import IntegrityError as RowExistsError

from ledger.errors import ConflictError
from ledger.mapping.binding import Binding, BindingState
from ledger.reference import Position, Scope, SourceRef, TargetId
from ledger.schema.tables import binding_history, bindings

KEYS_MAX = 400


def find(connection: Connection, scope: Scope, *, reference: SourceRef) -> Binding | None:
    """Return a record's binding."""
    row = connection.execute(
        select(bindings).where(_within(bindings, scope), _of(bindings, reference))
    ).one_or_none()
    return None if row is None else _as_binding(row)


def find_all(
    connection: Connection, scope: Scope, *, references: Iterable[SourceRef]
) -> dict[SourceRef, Binding]:
    """Return the bindings of several records."""
    found = {ref: find(connection, scope, reference=ref) for ref in dict.fromkeys(references)}
    return {reference: binding for reference, binding in found.items() if binding is not None}


def holders(
    connection: Connection, scope: Scope, *, entity: str, targets: Iterable[TargetId]
) -> dict[TargetId, SourceRef]:
    """Return which source records hold these targets."""
    asked = tuple(targets)
    wanted = sorted({target.casefold() for target in asked})
    by_key: dict[str, SourceRef] = {}
    for start in range(0, len(wanted), KEYS_MAX):
        statement = select(bindings).where(
            _within(bindings, scope),
            bindings.c.entity == entity,
            bindings.c.state != BindingState.RELEASED.value,
            bindings.c.target_key.in_(wanted[start : start + KEYS_MAX]),
        )
        for row in connection.execute(statement):
            by_key[row.target_key] = SourceRef(row.entity, row.source_id)
    return {target: by_key[target.casefold()] for target in asked if target.casefold() in by_key}


def write(connection: Connection, scope: Scope, *, binding: Binding) -> None:
    """Make a binding the current one; raises `ConflictError` if another record holds its target."""
    values = {
        "target_id": binding.target,
        "target_key": binding.target.casefold(),
        "state": binding.state.value,
        "position": binding.position,
    }
    told = {"sent": binding.sent, "is_complete": binding.is_complete}
    key = _row(scope, binding.reference)
    try:
        changed = connection.execute(
            bindings.update()
            .where(_within(bindings, scope), _of(bindings, binding.reference))
            .values(**values, **told)
        )
        if changed.rowcount == 0:
            connection.execute(bindings.insert(), {**key, **values, **told})
    except RowExistsError as error:
        message = (
            f"the target of {binding.reference} is bound to another record: "
            "look with `mapping find`, then `mapping release` the wrong one"
        )
        raise ConflictError(message) from error
    connection.execute(binding_history.insert(), {**key, **values})


def of_target(connection: Connection, scope: Scope, *, target: TargetId) -> list[Binding]:
    """Return every binding, past and present, that a target had, newest first."""
    statement = (
        select(binding_history)
        .where(_within(binding_history, scope), binding_history.c.target_key == target.casefold())
        .order_by(binding_history.c.position.desc())
    )
    return [_as_history(row) for row in connection.execute(statement)]


def read_page(
    connection: Connection,
    scope: Scope,
    *,
    entity: str | None = None,
    after: SourceRef | None = None,
    limit: int,
) -> list[Binding]:
    """Return up to `limit` bindings by entity and source id, after a record."""
    statement = (
        select(bindings)
        .where(_within(bindings, scope))
        .order_by(bindings.c.entity, bindings.c.source_id)
        .limit(limit)
    )
    if entity is not None:
        statement = statement.where(bindings.c.entity == entity)
    if after is not None:
        statement = statement.where(
            (bindings.c.entity > after.entity)
            | and_(bindings.c.entity == after.entity, bindings.c.source_id > after.source_id)
        )
    return [_as_binding(row) for row in connection.execute(statement)]


def count_by_entity(connection: Connection, scope: Scope) -> dict[str, int]:
    """Return how many records of each entity are bound."""
    rows = connection.execute(
        select(bindings.c.entity, func.count())
        .where(_within(bindings, scope), bindings.c.state != BindingState.RELEASED.value)
        .group_by(bindings.c.entity)
        .order_by(bindings.c.entity)
    )
    return {row[0]: row[1] for row in rows}


def _within(table: Table, scope: Scope) -> ColumnElement[bool]:
    return and_(table.c.ledger == scope.ledger, table.c.generation == scope.generation)


def _of(table: Table, reference: SourceRef) -> ColumnElement[bool]:
    return and_(table.c.entity == reference.entity, table.c.source_id == reference.source_id)


def _row(scope: Scope, reference: SourceRef) -> dict[str, object]:
    return {
        "ledger": scope.ledger,
        "generation": scope.generation,
        "entity": reference.entity,
        "source_id": reference.source_id,
    }


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
