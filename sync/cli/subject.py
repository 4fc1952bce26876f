"""`subject`: what a person in charge may do about a student's data."""

from pathlib import Path

import click

from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, warn, with_output
from sync.cli.shell import Shell
from sync.cli.signature import with_signature
from sync.runtime.assembly import open_ledger
from sync.runtime.decisions import Signature
from sync.runtime.page import Answer
from sync.runtime.settings import Settings
from sync.runtime.subject_admin import Erased, subject_erase, subject_hold, subject_release
from sync.runtime.subject_export import subject_export

STUDENT = click.argument("student_id", metavar="STUDENT_ID")


@click.group()
def subject() -> None:
    """A student's rights: erase, export, and legal holds."""


@subject.command()
@STUDENT
@click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
@with_signature
@with_output()
@click.pass_obj
def erase(
    shell: Shell, *, student_id: str, is_yes: bool, signature: Signature, output: Output
) -> Exit:
    """Erase everything personal about a student, for ever; DokStamp's own records stay.

    A document that was handed over by `document add` and that no event has named yet belongs to
    nobody: it stays, and is no part of an export either.
    """
    _require_reason(signature)
    shell.confirm(f"Erase student {student_id} for ever?", is_yes=is_yes)
    erased = interrupt.run(_erase(shell.settings(), student_id, signature))
    how = "erased" if erased.is_finished else "is being erased"
    output.one(erased.to_json(), f"{erased.person} {how}")
    if erased.is_finished:
        return Exit.DONE
    if not erased.waits_for:
        warn("the files could not be cleared while another process reads them: run it again")
        return Exit.LATER
    warn(
        f"{len(erased.waits_for)} operations may have reached DokStamp and are found out first: "
        "`dokstamp-ledger sync` or `run` does that and finishes the erasure by itself"
    )
    return Exit.NEEDS_A_PERSON


@subject.command()
@STUDENT
@with_signature
@with_output()
@click.pass_obj
def hold(shell: Shell, *, student_id: str, signature: Signature, output: Output) -> None:
    """Put a student under a legal hold: nothing of theirs is erased until it is released."""
    _require_reason(signature)

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await subject_hold(ledger, student_id, signature=signature)

    output.one(interrupt.run(work(shell.settings())), output.described)


@subject.command()
@STUDENT
@with_signature
@with_output()
@click.pass_obj
def release(shell: Shell, *, student_id: str, signature: Signature, output: Output) -> None:
    """Release a student's legal hold."""
    _require_reason(signature)

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await subject_release(ledger, student_id, signature=signature)

    output.one(interrupt.run(work(shell.settings())), output.described)


@subject.command()
@STUDENT
@click.option(
    "--documents",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="A folder to write the documents into.",
)
@with_output()
@click.pass_obj
def export(shell: Shell, *, student_id: str, documents: Path | None, output: Output) -> None:
    """Show everything that is held about a student."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await subject_export(ledger, student_id, documents=documents)

    output.one(interrupt.run(work(shell.settings())), output.described)


async def _erase(settings: Settings, student_id: str, signature: Signature) -> Erased:
    async with open_ledger(settings) as ledger:
        return await subject_erase(ledger, student_id, signature=signature)


def _require_reason(signature: Signature) -> None:
    if not signature.reason:
        message = "say why with --reason; it is sealed, and goes with the rest when the person does"
        raise click.UsageError(message)
