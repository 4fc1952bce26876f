"""The kinds of columns that the tables of a ledger are made of."""

from sqlalchemy import BigInteger, Boolean, Column, Float, LargeBinary, Text, text

# The same order as SQLite's, so that pages and comparisons go alike on both.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    """Return a column of whole numbers."""
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def words(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    """Return a column of text, sorted alike on every database."""
    return Column(name, _TEXT, primary_key=key, nullable=null)


def raw(name: str, *, key: bool = False, null: bool = False) -> Column[bytes]:
    """Return a column of bytes."""
    return Column(name, LargeBinary, primary_key=key, nullable=null)


def seconds(name: str, *, null: bool = False) -> Column[float]:
    """Return a column of seconds."""
    return Column(name, Float, nullable=null)


def flag(name: str) -> Column[bool]:
    """Return a column that is true or false, false at first."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))
