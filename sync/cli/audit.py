"""`audit`: what happened to a record, whom a uuid stands for, whether the log is whole."""

from typing import Any

import click

from ledger.audit.verification import Verification
from ledger.reference import Position, SourceRef
from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, Row, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.progress import metering
from sync.cli.shell import Shell
from sync.errors import InputError
from sync.resources import RESOURCES
from sync.runtime.assembly import open_ledger
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.page import Answer, Page
from sync.runtime.settings import Settings


@click.group()
def audit() -> None:
    """The story of a record, and the proof that the log is whole."""


@audit.command()
@click.argument("entity", type=click.Choice(sorted(RESOURCES)))
@click.argument("source_id", metavar="ID")
@limit_option
@with_output(lines=True)
@click.pass_obj
def timeline(
    shell: Shell, *, entity: str, source_id: str, rows_max: int | None, output: Output
) -> None:
    """Tell everything that happened to a source record, in the order of the log."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: Position | None, limit: int) -> Page[Position]:
                start = -1 if after is None else after
                return await AuditDesk(ledger).timeline_page(
                    SourceRef(entity, source_id), after=start, limit=limit
                )

            await output.told(rows_of(fetch, rows_max=rows_max), _entry)

    interrupt.run(work(shell.settings()))


@audit.command()
@click.argument("uuid")
@with_output()
@click.pass_obj
def target(shell: Shell, *, uuid: str, output: Output) -> None:
    """Tell which source records a DokStamp uuid stands or stood for, each with its story."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await AuditDesk(ledger).target(uuid)

    found = interrupt.run(work(shell.settings()))
    if not found["records"]:
        message = f"no source record ever stood behind {uuid}: see `mapping list`"
        raise InputError(message)
    output.one(found, _records)


@audit.command()
@with_output()
@click.pass_obj
def verify(shell: Shell, *, output: Output) -> Exit:
    """Compute the log's root again from every stored byte, and compare."""
    found = interrupt.run(_verify(shell.settings()))
    output.one(found, _verdict(found))
    return Exit.DONE if found.first_bad_position is None else Exit.INTEGRITY


async def _verify(settings: Settings) -> Verification:
    async with open_ledger(settings) as ledger:
        with metering() as meter:
            return await AuditDesk(ledger).verify(
                announce=lambda done, total: meter.show("events checked", done=done, total=total)
            )


def _verdict(found: Verification) -> str:
    if found.first_bad_position is None:
        return f"whole: {found.checked} events checked, root {found.root}"
    return (
        f"broken at position {found.first_bad_position} of {found.size}: {found.what}; "
        "restore the ledger from a backup and compare"
    )


def _entry(row: Row) -> str:
    lines = [f"{row['position']:>8}  {row['time']}  {row['summary']}"]
    lines += [f"{'':>10}{_exchange(each)}" for each in row["exchanges"]]
    return "\n".join(lines)


def _exchange(each: dict[str, Any]) -> str:
    status = each["status"] or "no answer"
    return f"{each['started_at']}  {each['method']} {each['path']}: {status}, {each['seconds']} s"


def _records(found: Row) -> str:
    parts = list[str]()
    for record in found["records"]:
        parts.append(f"{record['entity']} {record['source_id']} ({record['state']})")
        parts += map(_entry, record["timeline"])
    return "\n".join(parts)
