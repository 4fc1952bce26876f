"""The secrets of a ledger: what its digests are keyed with, and what its heads are signed with."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "vault_0002"
down_revision = "vault_0001"


def upgrade(op: Operations) -> None:
    """Make the table."""
    # The same order as SQLite's, so that pages and comparisons go alike on both.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "secrets",
        sa.Column("ledger", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", text, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
