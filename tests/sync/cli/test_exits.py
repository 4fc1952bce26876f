import asyncio

import click
import pytest

from ledger.errors import (
    ConflictError,
    IntegrityError,
    LedgerBelongsElsewhereError,
    LedgerBusyError,
    LedgerTooNewError,
    MasterKeyError,
    MigrationNeededError,
    StorageError,
)
from sync.cli.exits import (
    NAMES,
    PRECEDENCE,
    Exit,
    InterruptedWorkError,
    decisive,
    exit_of,
    worst,
)
from sync.errors import ConfigurationError, InputError, UnreachableError, UnreadableError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IntegrityError("x"), 6),
        (MigrationNeededError("x"), 7),
        (LedgerTooNewError("x"), 7),
        (MasterKeyError("x"), 5),
        (LedgerBelongsElsewhereError("x"), 5),
        (ConfigurationError("x"), 5),
        (StorageError("x"), 74),
        (UnreadableError("x"), 74),
        (OSError(28, "No space left on device"), 74),
        (LedgerBusyError("x"), 75),
        (UnreachableError("x"), 75),
        (ConflictError("x"), 3),
        (InputError("x"), 2),
        (click.UsageError("x"), 2),
        (click.exceptions.Abort(), 130),
        (InterruptedWorkError(), 130),
        (KeyboardInterrupt(), 130),
        (asyncio.CancelledError(), 130),
        (ValueError("x"), 1),
    ],
)
def test_every_error_has_its_code(error: BaseException, code: int) -> None:
    assert exit_of(error) == code


def test_when_several_apply_the_order_of_the_design_decides() -> None:
    order = [Exit(code) for code in (6, 7, 5, 74, 75, 3)]

    assert [code for code in PRECEDENCE if code in order] == order
    assert worst([Exit.DONE, Exit.NEEDS_A_PERSON, Exit.LATER]) is Exit.LATER
    assert worst([]) is Exit.DONE


def test_every_code_has_a_place_and_every_error_code_a_name() -> None:
    assert set(PRECEDENCE) == set(Exit)
    assert set(NAMES) == set(Exit) - {Exit.DONE}


def test_the_gravest_error_of_a_group_decides() -> None:
    damage = IntegrityError("damaged")
    group = BaseExceptionGroup(
        "", [LedgerBusyError("busy"), ExceptionGroup("", [damage, OSError()])]
    )

    assert exit_of(group) is Exit.INTEGRITY
    assert decisive(group) is damage
