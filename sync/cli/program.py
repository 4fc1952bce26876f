"""The program: finds the verb, runs it, and turns every ending into an exit code."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click

from sync.cli.exits import Exit
from sync.cli.tell import hush, tell

PROGRAM: Final = "dokstamp-ledger"
VERBS: Final = MappingProxyType(
    {
        "init": "Make the ledger and its key file, or migrate them.",
        "ingest": "Append source events from files, packages or standard input.",
        "document": "Hand over documents before the events that name them.",
        "sync": "Bring DokStamp up to date, as far as that goes now.",
        "run": "Keep DokStamp up to date until told to stop.",
        "status": "Show what is known, owed, waiting, held and refused.",
        "outbox": "Look at operations, and decide about those that wait for a person.",
        "mapping": "Look up which DokStamp record stands for which source record.",
        "audit": "Tell what happened to a record, and check the log.",
        "quarantine": "Look at events that were refused, and let them in.",
        "key": "Put another master key in the place of the one in use.",
        "subject": "Erase a student, export what is held, hold and release.",
        "backup": "Write a backup while the ledger is at work.",
        "restore": "Put a backup in the ledger's place, or accept an older ledger.",
        "copy": "Copy the ledger to another place, on a server or in a file.",
        "rebuild": "Fold the log again, and compare or swap.",
        "config": "Show every setting with its origin.",
        "simulator": "Serve a practice DokStamp on this machine.",
        "demo": "Synchronise a sample university with a practice DokStamp.",
    }
)
"""Every verb; its module is `sync.cli.<verb>` and is imported only when it is asked for."""


class _Verbs(click.Group):
    """A group whose verbs are imported late, so that one costs no other."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"sync.cli.{name}"), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Settings file to read."
)
@click.option("--database", help="Where the ledger is: a file, or sqlite+aiosqlite:///FILE.")
@click.option("--log-format", type=click.Choice(["auto", "human", "json"]), default="auto")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="warning"
)
@click.option("--debug", "is_debug", is_flag=True, help="Log everything; show tracebacks.")
@click.option("--yes", "is_yes", is_flag=True, help="Answer every question with yes.")
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def cli(
    context: click.Context,
    *,
    config_file: Path | None,
    database: str | None,
    log_format: Any,  # noqa: ANN401 - one of the choices above
    log_level: str,
    is_debug: bool,
    is_yes: bool,
) -> None:
    """Keep DokStamp in step with an academic system, through a ledger that loses nothing."""
    from sync.cli.log_setup import configure_logging  # noqa: PLC0415 - not needed for --help
    from sync.cli.shell import Shell  # noqa: PLC0415

    configure_logging(log_format, "debug" if is_debug else log_level)
    given = {} if database is None else {"ledger_database": database}
    context.obj = Shell(config_file, given, is_yes=is_yes)


def run_words(words: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing it raises passes."""
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; the work itself is done or resumable.
        hush()
        return Exit.DONE
    except BaseException as error:  # noqa: BLE001 - told to the person, by its code
        return tell(error, words)
    return code


def _run(words: Sequence[str]) -> int:
    # Not by click's own main, which would end the program itself when a pipe breaks.
    try:
        with cli.make_context(PROGRAM, list(words)) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    return result if isinstance(result, int) else Exit.DONE
