"""Indexes that find what is asked for among any number of rows of its kind."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "main_0004"
down_revision = "main_0003"

_LONGER = {
    "references_to": ("record_references", ["to_entity", "to_source_id", "entity", "source_id"]),
    "natural_keys_digest": ("natural_keys", ["digest", "entity", "source_id"]),
}
_OPEN = {
    "operations_open": ["entity", "source_id", "cause"],
    "operations_lane": ["lane", "state", "priority", "cause"],
}


def upgrade(op: Operations) -> None:
    """Let two indexes go on to the row's own name, and find what is open by record or lane."""
    for name, (table, columns) in _LONGER.items():
        op.drop_index(name, table)
        op.create_index(name, table, ["ledger", "generation", *columns])
    is_open = sa.text("ended IS NULL")
    for name, columns in _OPEN.items():
        op.create_index(
            name,
            "operations",
            ["ledger", "generation", *columns],
            sqlite_where=is_open,
            postgresql_where=is_open,
        )
    # What is in doubt is found by its state, among what is due.
    op.drop_index("operations_in_doubt", "operations")
    op.execute(
        "DELETE FROM operation_references WHERE EXISTS (SELECT 1 FROM operations AS o"
        " WHERE o.ledger = operation_references.ledger"
        " AND o.generation = operation_references.generation"
        " AND o.key = operation_references.operation AND o.ended IS NOT NULL)"
    )
