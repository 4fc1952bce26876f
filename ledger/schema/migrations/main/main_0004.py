"""Indexes that find a row among any number of its kind, and why a tenant was stopped."""

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
    # Made anew, for it is of the moment: a host that finds it empty begins with the whole rate.
    op.drop_table("paces")
    op.create_table(
        "paces",
        sa.Column("ledger", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("slot", sa.BigInteger, nullable=False),
        *(_seconds(name) for name in ("given", "given_next", "share")),
        sa.Column("told_per_second", sa.Float, nullable=True),
        *(_seconds(f"{name}_seconds") for name in ("told_at", "paused_until", "probe_after")),
        # The same order as SQLite's, so that pages and comparisons go alike on both.
        sa.Column("stopped", sa.Text().with_variant(sa.Text(collation="C"), "postgresql")),
    )
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


def _seconds(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False)
