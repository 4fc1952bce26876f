"""What the drivers say, and what it means to the person who runs the ledger."""

import sqlite3
from typing import Final, NoReturn

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ledger.errors import IntegrityError, LedgerBusyError, LedgerError, StorageError

Meaning = tuple[str, type[LedgerError], str]

_SQLITE: Final[tuple[Meaning, ...]] = (
    ("disk is full", StorageError, "the disk is full: free space and start again; nothing is lost"),
    (
        "readonly database",
        StorageError,
        "the ledger's database is read-only: make the file and its folder writable",
    ),
    (
        "unable to open",
        StorageError,
        "the ledger's database cannot be opened: check that its folder exists and is writable",
    ),
    ("disk i/o error", StorageError, "the disk failed while writing: check it and start again"),
    ("is locked", LedgerBusyError, "another process is writing to the ledger: try again later"),
    (
        "malformed",
        IntegrityError,
        "the database file is damaged: restore a backup, then run `audit verify`",
    ),
    (
        "not a database",
        IntegrityError,
        "the file is not a ledger's database: check the setting LEDGER_DATABASE",
    ),
)

_UNREACHABLE: Final = (
    "the database server cannot be reached or is going down: nothing is lost, try again later"
)
_SETTING: Final = "check the setting LEDGER_DATABASE"
# By the beginning of the server's five-letter code; a longer one stands before its class.
_POSTGRESQL: Final[tuple[Meaning, ...]] = (
    ("08", LedgerBusyError, _UNREACHABLE),
    ("57P0", LedgerBusyError, _UNREACHABLE),
    (
        "0A000",
        LedgerBusyError,
        "another host is migrating, or the server lacks a feature: try again, check its version",
    ),
    ("25P03", LedgerBusyError, "a transaction stood still for too long: try again later"),
    ("40", LedgerBusyError, "other hosts kept getting in the way: try again later"),
    ("55P03", LedgerBusyError, "another host is writing to the ledger: try again later"),
    ("57014", LedgerBusyError, "the database server took too long: try again later"),
    ("53300", LedgerBusyError, "the database server has no connection left: try again later"),
    (
        "53100",
        StorageError,
        "the database server's disk is full: free space and start again; nothing is lost",
    ),
    (
        "53",
        StorageError,
        "the database server is short of what it needs: look at its log and start again",
    ),
    (
        "25006",
        StorageError,
        f"the database is read-only: connect to the server that takes writes, {_SETTING}",
    ),
    ("28", StorageError, f"the database server refused the user or password: {_SETTING}"),
    ("3D000", StorageError, f"there is no such database on the server: create it, or {_SETTING}"),
    ("42501", StorageError, "the database user may not do this: grant it the ledger's schemas"),
    ("58", StorageError, "the database server's disk failed: check it and start again"),
    (
        "XX00",
        IntegrityError,
        "the database is damaged: restore a backup, then run `audit verify`",
    ),
)
# A step's own doing: what it broke, gave or asked wrongly, or what a trigger refused it.
_FAULTS_OF_A_STEP: Final = ("22", "23", "42", "P0")
# The last: a plan from before another host's migration, forgotten with this very error.
_AGAIN: Final = frozenset({"40001", "40P01", "0A000"})


def translated(error: Exception) -> Exception:
    """Return the ledger's own error for what a database driver raised, or the same one."""
    code = sqlstate(error)
    if code is not None:
        return _first(_POSTGRESQL, error, said=code, is_beginning=True)
    if isinstance(error, DBAPIError | sqlite3.Error) and not _is_of_server(error):
        said = str(getattr(error, "orig", None) or error).lower()
        return _first(_SQLITE, error, said=said, is_beginning=False)
    if isinstance(error, PoolTimeoutError):
        return LedgerBusyError("too much is being read and written at once: try again later")
    # An address that does not answer, or a connection that is gone.
    if isinstance(error, OSError | TimeoutError | InterfaceError | DBAPIError):
        return LedgerBusyError(_UNREACHABLE)
    return error


def raise_translated(error: Exception) -> NoReturn:
    """Raise the ledger's own error for what a driver raised."""
    meaning = translated(error)
    if meaning is error:
        # As its own cause it would lead whoever follows causes round in a circle.
        raise error
    raise meaning from error


def is_refusal(error: DBAPIError) -> bool:
    """Tell whether the database itself refused, so that nothing of a transaction can stand.

    Otherwise one step broke a rule of the tables, and the rest can go on without it.
    """
    if not _is_of_server(error):
        return isinstance(error, OperationalError)
    code = sqlstate(error)
    return code is None or not code.startswith(_FAULTS_OF_A_STEP)


def is_for_again(error: Exception) -> bool:
    """Tell whether a transaction was rolled back only because of what others did meanwhile."""
    return sqlstate(error) in _AGAIN


def sqlstate(error: Exception) -> str | None:
    """Return the code that a PostgreSQL server gives with an error, if it comes from one."""
    original = getattr(error, "orig", error)
    # The adapter's own words for a plan that is out of date hold no code; what caused them does.
    codes = (getattr(each, "sqlstate", None) for each in (original, original.__cause__))
    return next((code for code in codes if isinstance(code, str)), None)


def _is_of_server(error: Exception) -> bool:
    # The adapter's errors know of codes, also where the connection broke and there is none.
    return hasattr(getattr(error, "orig", None), "sqlstate")


def _first(
    meanings: tuple[Meaning, ...], error: Exception, *, said: str, is_beginning: bool
) -> Exception:
    for words, kind, message in meanings:
        if said.startswith(words) if is_beginning else words in said:
            return kind(message)
    return error
