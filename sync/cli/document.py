"""`document add`: hand documents over before the events that name them."""

from collections.abc import Sequence
from pathlib import Path

import click

from sync.cli import interrupt
from sync.cli.output import Output, with_output
from sync.cli.shell import Shell
from sync.errors import InputError
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
    added, faults = interrupt.run(_add(shell.settings(), files))
    output.one(
        {"documents": added}, "\n".join(f"{each['sha256']}  {each['file']}" for each in added)
    )
    if faults:
        raise InputError("\n".join(faults))


async def _add(settings: Settings, files: Sequence[str]) -> tuple[list[Added], list[str]]:
    """Store what can be stored; tell of the rest together."""
    added, faults = list[Added](), list[str]()
    async with open_ledger(settings) as ledger:
        intake = LedgerIngest(ledger)
        for file in files:
            content = _read(file, bytes_max=settings.upload_bytes_max)
            if isinstance(content, Fault):
                faults.append(f"{file}: {content.message}")
            else:
                added.append({"file": file, "sha256": await intake.add_document(content)})
    return added, faults


def _read(file: str, *, bytes_max: int) -> bytes | Fault:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(bytes_max + 1)
    except OSError as error:
        return Fault("", "unreadable", f"cannot be read ({error.strerror})")
    found = document_of(content, bytes_max=bytes_max)
    return found if isinstance(found, Fault) else content
