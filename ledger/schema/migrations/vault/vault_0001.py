"""The first tables of the vault: wrapped keys and sealed documents."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "vault_0001"
down_revision = None

# The same order as SQLite's, so that pages and comparisons go alike on both.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Make the tables."""
    op.create_table(
        "person_keys",
        sa.Column("ledger", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", _TEXT, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "documents",
        sa.Column("ledger", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256_keyed", sa.LargeBinary, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("person", _TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "document_chunks",
        sa.Column("ledger", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["ledger", "document"],
            ["documents.ledger", "documents.sha256_keyed"],
            name="document_chunks_document",
        ),
    )
