"""What the hosts of a tenant know together of its rate, and how each sees the service."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "main_0003"
down_revision = "main_0002"


def upgrade(op: Operations) -> None:
    """Make both tables; a host that finds them empty begins with the whole rate."""
    op.create_table(
        "paces",
        _number("ledger", key=True),
        _number("slot"),
        _seconds("given"),
        _seconds("given_next"),
        _seconds("share"),
        _seconds("told_per_second", null=True),
        _seconds("told_at_seconds"),
        _seconds("paused_until_seconds"),
        _seconds("probe_after_seconds"),
    )
    op.create_table(
        "pace_hosts",
        _number("ledger", key=True),
        _text("host", key=True),
        _seconds("seen_seconds"),
        _seconds("wanted"),
        _text("circuit"),
        _text("outage", null=True),
    )


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _seconds(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=null)


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    # The same order as SQLite's, so that pages and comparisons go alike on both.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, primary_key=key, nullable=null)
