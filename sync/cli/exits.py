"""What the command line exits with: one table from errors and results to codes."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import click

from ledger import errors as ledger_errors
from sync import errors as sync_errors


class Exit(IntEnum):
    """The exit codes that scripts may rely on."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    NEEDS_A_PERSON = 3
    """Finished, but events are in quarantine or operations need a person."""
    DIFFERENT = 4
    """A check found differences."""
    CONFIGURATION = 5
    INTEGRITY = 6
    MIGRATION = 7
    """The ledger has to be made or migrated: `init` does both."""
    STORAGE = 74
    LATER = 75
    """DokStamp is unreachable or another process holds what is needed."""
    INTERRUPTED = 130


PRECEDENCE: Final = (
    Exit.INTEGRITY,
    Exit.MIGRATION,
    Exit.CONFIGURATION,
    Exit.STORAGE,
    Exit.LATER,
    Exit.INTERRUPTED,
    Exit.UNEXPECTED,
    Exit.USAGE,
    Exit.DIFFERENT,
    Exit.NEEDS_A_PERSON,
    Exit.DONE,
)
"""Which code wins when several apply; the first one does."""


class InterruptedWorkError(Exception):
    """Somebody asked the program to stop, and it did so cleanly."""


# The first class that fits decides, so the narrower ones stand first.
BY_ERROR: Final[tuple[tuple[type[BaseException], Exit], ...]] = (
    (ledger_errors.IntegrityError, Exit.INTEGRITY),
    (ledger_errors.SchemaError, Exit.MIGRATION),
    (ledger_errors.MasterKeyError, Exit.CONFIGURATION),
    (ledger_errors.LedgerBelongsElsewhereError, Exit.CONFIGURATION),
    (ledger_errors.StorageError, Exit.STORAGE),
    (ledger_errors.LedgerBusyError, Exit.LATER),
    (ledger_errors.EventError, Exit.NEEDS_A_PERSON),
    (sync_errors.ConfigurationError, Exit.CONFIGURATION),
    (sync_errors.UnreachableError, Exit.LATER),
    (sync_errors.UnreadableError, Exit.STORAGE),
    (sync_errors.InputError, Exit.USAGE),
    (click.exceptions.Abort, Exit.INTERRUPTED),
    (click.exceptions.ClickException, Exit.USAGE),
    (InterruptedWorkError, Exit.INTERRUPTED),
    (KeyboardInterrupt, Exit.INTERRUPTED),
    (asyncio.CancelledError, Exit.INTERRUPTED),
    (OSError, Exit.STORAGE),
)

NAMES: Final[Mapping[Exit, str]] = MappingProxyType(
    {
        Exit.UNEXPECTED: "unexpected",
        Exit.USAGE: "usage",
        Exit.NEEDS_A_PERSON: "needs_a_person",
        Exit.DIFFERENT: "different",
        Exit.CONFIGURATION: "configuration",
        Exit.INTEGRITY: "integrity",
        Exit.MIGRATION: "migration_needed",
        Exit.STORAGE: "storage",
        Exit.LATER: "try_later",
        Exit.INTERRUPTED: "interrupted",
    }
)
"""The codes of errors as words, for programs that read the JSON."""


def worst(exits: Iterable[Exit]) -> Exit:
    """Return the code that wins when all of these apply; done when none does."""
    return min(exits, key=PRECEDENCE.index, default=Exit.DONE)


def exit_of(error: BaseException) -> Exit:
    """Return the code for an error, or the winning one for a group of them."""
    return worst(_one(each) for each in leaves(error))


def decisive(error: BaseException) -> BaseException:
    """Return the error of a group that decides the code, which is the one to tell about."""
    return min(leaves(error), key=lambda each: PRECEDENCE.index(_one(each)))


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Return the errors inside a group, groups inside it included."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def _one(error: BaseException) -> Exit:
    fitting = (code for kind, code in BY_ERROR if isinstance(error, kind))
    return next(fitting, Exit.UNEXPECTED)
