"""`document add`: hand documents over before the events that name them."""

from collections.abc import Sequence
from pathlib import Path

import click

from sync.cli import interrupt
from sync.cli.exits import decisive
from sync.cli.output import Output, warn, with_output
from sync.cli.shell import Shell
from sync.errors import InputError, UnreadableError
from sync.resources.definition import Fault
from sync.runtime.assembly import open_ledger
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources.document import document_of

Added = dict[str, str]


@click.group()
def document() -> None:
    """Documents, kept sealed in the ledger."""


@document.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@with_output()
@click.pass_obj
def add(shell: Shell, *, files: tuple[str, ...], output: Output) -> None:
    """Store PDF documents and print the SHA-256 by which events name them."""
    added = interrupt.run(_add(shell.settings(), files))
    lines = [f"{each['sha256']}  {each['file']}" for each in added]
    output.one({"documents": added}, "\n".join(lines))
    warn(
        "until an event names it, a document belongs to nobody: no erasure takes it along, and no "
        "`subject export` shows it"
    )


async def _add(settings: Settings, files: Sequence[str]) -> list[Added]:
    async with open_ledger(settings) as ledger:
        # Looked at first and read again to store, so that it is all or nothing in little memory.
        _refuse(_faults(files, bytes_max=settings.upload_bytes_max))
        intake = LedgerIngest(ledger)
        return [
            {
                "file": file,
                "sha256": await intake.add_document(_read(file, settings.upload_bytes_max)),
            }
            for file in files
        ]


def _faults(files: Sequence[str], *, bytes_max: int) -> list[InputError]:
    faults = list[InputError]()
    for file in files:
        try:
            _read(file, bytes_max)
        except InputError as error:
            faults.append(error)
    return faults


def _refuse(faults: list[InputError]) -> None:
    """Raise all faults as one error, of the kind of the gravest."""
    if faults:
        gravest = decisive(ExceptionGroup("", faults))
        raise type(gravest)("\n".join(map(str, faults)))


def _read(file: str, bytes_max: int) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(bytes_max + 1)
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): nothing was stored"
        raise UnreadableError(message) from error
    found = document_of(content, bytes_max=bytes_max)
    if isinstance(found, Fault):
        message = f"{file}: {found.message}; nothing was stored"
        raise InputError(message)
    return content
