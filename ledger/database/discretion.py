"""Errors of a PostgreSQL server without the values that it repeats in them.

`hide_parameters` keeps a statement's parameters out of errors; the server's own words are another
matter: `Key (name)=(Ada) already exists`, `invalid input syntax for type integer: "Ada"`.
"""

from typing import Final

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import StatementError

_TELLING: Final = frozenset({"message", "detail", "hint", "context", "internal_query"})
_NAMES: Final = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
_CHAIN_MAX: Final = 10


def say_less(context: ExceptionContext) -> None:
    """Leave of an error, and of what caused it, only the kind and the names in the schema."""
    error: BaseException | None = context.sqlalchemy_exception or context.original_exception
    said = _said(context.original_exception)
    for _ in range(_CHAIN_MAX):
        if error is None:
            return
        if isinstance(error, StatementError):
            error.params = None
        else:
            vars(error).update(dict.fromkeys(_TELLING & vars(error).keys()))
        error.args = (said, *error.args[1:])
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__


def _said(error: BaseException) -> str:
    found = error.__cause__ or error
    values = {name: getattr(found, name, None) for name in _NAMES}
    names = [f"{name} {value}" for name, value in values.items() if value]
    return ", ".join([type(found).__name__, *names])
