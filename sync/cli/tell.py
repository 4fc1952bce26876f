"""Tells an error: one clear line on standard error, and JSON for programs that asked for it."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from sync.cli.exits import NAMES, Exit, decisive, exit_of
from sync.cli.output import write_json

INTERRUPTED: Final = (
    "interrupted: what was done is safe in the ledger; the same command again finishes the work"
)
_JSON: Final = frozenset({"--json", "--jsonl"})


def tell(error: BaseException, words: Sequence[str]) -> Exit:
    """Write what went wrong and what to do about it; return the code to exit with."""
    code, cause = exit_of(error), decisive(error)
    message = _message(cause, code)
    if "--debug" in words:
        # Without locals: a local may be a person's record.
        traceback.print_exception(error)
    try:
        _write(cause, code, message)
        if _JSON & set(words):
            write_json({"error": {"code": NAMES[code], "message": message}})
        sys.stdout.flush()
    except OSError:
        hush()
    return code


def hush() -> None:
    """Send what is still to be written to standard output nowhere, because nobody reads it."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        return


def _write(cause: BaseException, code: Exit, message: str) -> None:
    if isinstance(cause, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{message}\n")
        return
    label = "" if code is Exit.INTERRUPTED else "error: "
    for line in message.splitlines():
        sys.stderr.write(f"{label}{line}\n")


def _message(cause: BaseException, code: Exit) -> str:
    match cause:
        case click.UsageError():
            place = cause.ctx.command_path if cause.ctx else ""
            hint = f" (`{place} --help` tells more)" if place else ""
            return f"{cause.format_message()}{hint}"
        case click.ClickException():
            return cause.format_message()
        case OSError() if code is Exit.STORAGE:
            return _system_message(cause)
        case _ if code is Exit.INTERRUPTED:
            return INTERRUPTED
        case _ if code is Exit.UNEXPECTED:
            # The text of an error that nobody expected may hold anything, a person included.
            return (
                f"unexpected {type(cause).__name__}: this is a fault in the program; "
                "the ledger is safe. Run the command again with --debug to see where it happened"
            )
        case _:
            return str(cause)


def _system_message(error: OSError) -> str:
    where = f" at {error.filename}" if error.filename else ""
    why = error.strerror or type(error).__name__
    return f"the system refused{where}: {why}; free or mend what it names and run again"
