"""Tiles of the tree for proofs, and the persons who are held, being erased, or erased."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "main_0002"
down_revision = "main_0001"


def upgrade(op: Operations) -> None:
    """Make the tables, and find a person's events by an index of their own."""
    op.create_table(
        "tiles",
        _number("ledger", key=True),
        _number("level", key=True),
        _number("number", key=True),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "subjects",
        _number("ledger", key=True),
        _number("generation", key=True),
        _text("person", key=True),
        _text("state"),
        _number("position"),
    )
    is_named = sa.text("person <> ''")
    op.create_index(
        "events_person",
        "events",
        ["ledger", "person", "position"],
        sqlite_where=is_named,
        postgresql_where=is_named,
    )


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    # The same order as SQLite's, so that pages and comparisons go alike on both.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, primary_key=key, nullable=False)
