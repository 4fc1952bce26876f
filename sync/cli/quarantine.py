"""`quarantine`: look at what was refused, and let it in once it is right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from ledger.reference import Position
from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, Row, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.shell import Shell, who
from sync.runtime.assembly import open_ledger
from sync.runtime.page import Page
from sync.runtime.quarantine_admin import (
    quarantine_page,
    quarantine_release,
    quarantine_show,
    require_releasable,
)
from sync.runtime.settings import Settings

COLUMNS = ("id", "source", "line", "type", "subject", "reasons", "count")


@click.group()
def quarantine() -> None:
    """Events that were refused, with every reason."""


@quarantine.command("list")
@limit_option
@with_output(lines=True)
@click.pass_obj
def list_refused(shell: Shell, *, rows_max: int | None, output: Output) -> None:
    """List what is in quarantine, oldest first."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: Position | None, limit: int) -> Page[Position]:
                return await quarantine_page(
                    ledger, after=-1 if after is None else after, limit=limit
                )

            rows = rows_of(fetch, rows_max=rows_max, rows_unasked=output.rows_max)
            await output.many(rows, COLUMNS)

    interrupt.run(work(shell.settings()))


@quarantine.command()
@click.argument("identifier", metavar="ID")
@with_output()
@click.pass_obj
def show(shell: Shell, *, identifier: str, output: Output) -> None:
    """Show one refused event whole, with what it held."""

    async def work(settings: Settings) -> Row:
        async with open_ledger(settings) as ledger:
            return await quarantine_show(ledger, identifier)

    output.one(interrupt.run(work(shell.settings())), output.described)


@quarantine.command()
@click.argument("identifiers", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the documents lie that the events name by path.",
)
@click.option(
    "--readmit", is_flag=True, help="Let persons in again who were erased, with this event on."
)
@with_output()
@click.pass_obj
def release(
    shell: Shell,
    *,
    identifiers: tuple[str, ...],
    folder: Path | None,
    readmit: bool,
    output: Output,
) -> Exit:
    """Check refused events again, and append those that are acceptable by now.

    Each is told by itself; with an unknown ID among several, nothing is released at all.
    """
    terms = _Terms(folder, readmit=readmit)
    released = interrupt.run(_release(shell.settings(), identifiers, terms))
    output.one({"items": released}, "\n".join(map(_told, released)))
    return Exit.DONE if all(each["released"] for each in released) else Exit.NEEDS_A_PERSON


@dataclass(frozen=True, slots=True)
class _Terms:
    folder: Path | None
    readmit: bool = field(kw_only=True)


async def _release(settings: Settings, identifiers: Sequence[str], terms: _Terms) -> list[Row]:
    rules, actor = settings.intake(), who() or None
    async with open_ledger(settings) as ledger:
        await require_releasable(ledger, identifiers)
        return [
            await quarantine_release(
                ledger,
                each,
                rules=rules,
                folder=terms.folder,
                actor=actor,
                readmit=terms.readmit,
            )
            for each in identifiers
        ]


def _told(row: Row) -> str:
    if row["released"]:
        return f"{row['id']} released"
    reasons = "; ".join(f"{each['field']}: {each['message']}" for each in row["reasons"])
    return f"{row['id']} refused again: {reasons}"
