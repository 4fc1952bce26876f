"""How far each reader of the log has come."""

from sqlalchemy import Connection, select

from ledger.reference import Position, Scope
from ledger.schema.tables import checkpoints

BEFORE_ALL: Position = -1
"""The checkpoint of a reader that has read nothing."""


def read(connection: Connection, scope: Scope, *, name: str) -> Position:
    """Return the last position that a reader took account of."""
    row = connection.execute(
        select(checkpoints.c.position).where(
            checkpoints.c.ledger == scope.ledger,
            checkpoints.c.generation == scope.generation,
            checkpoints.c.name == name,
        )
    ).one_or_none()
    return BEFORE_ALL if row is None else int(row.position)


def write(connection: Connection, scope: Scope, *, name: str, position: Position) -> None:
    """Remember the last position that a reader took account of."""
    changed = connection.execute(
        checkpoints.update()
        .where(
            checkpoints.c.ledger == scope.ledger,
            checkpoints.c.generation == scope.generation,
            checkpoints.c.name == name,
        )
        .values(position=position)
    )
    if changed.rowcount == 0:
        row = {"ledger": scope.ledger, "generation": scope.generation}
        connection.execute(checkpoints.insert(), {**row, "name": name, "position": position})
