"""How far each reader of the log has come."""

from sqlalchemy import Connection, and_, bindparam, select

from ledger.reference import Position, Scope
from ledger.schema.statements import folded_row, parameters, within
from ledger.schema.tables import checkpoints

BEFORE_ALL: Position = -1
"""The checkpoint of a reader that has read nothing."""

_MINE = and_(within(checkpoints), checkpoints.c.name == bindparam("reader"))
_READ = select(checkpoints.c.position).where(_MINE)
_MOVE = checkpoints.update().where(_MINE)


def read(connection: Connection, scope: Scope, *, name: str) -> Position:
    """Return the last position that a reader took account of."""
    position = connection.execute(_READ, parameters(scope, reader=name)).scalar_one_or_none()
    return BEFORE_ALL if position is None else int(position)


def write(connection: Connection, scope: Scope, *, name: str, position: Position) -> None:
    """Remember the last position that a reader took account of."""
    moved = connection.execute(_MOVE, parameters(scope, reader=name, position=position))
    if moved.rowcount == 0:
        connection.execute(checkpoints.insert(), folded_row(scope, name=name, position=position))
