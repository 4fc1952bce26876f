"""`mapping`: which DokStamp record stands for which source record, both ways."""

from collections.abc import AsyncIterator

import click

from ledger.ledger import Ledger
from ledger.reference import SourceRef, TargetId
from sync.cli import interrupt
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.shell import Shell
from sync.cli.signature import with_decision
from sync.resources import RESOURCES
from sync.runtime import mapping_admin
from sync.runtime.assembly import open_ledger
from sync.runtime.decisions import Signature
from sync.runtime.page import Answer, Page
from sync.runtime.settings import Settings

COLUMNS = ("entity", "source_id", "target_id", "state", "position")
ENTITIES = click.Choice(sorted(RESOURCES))


@click.group()
def mapping() -> None:
    """Which DokStamp record stands for which source record."""


@mapping.command("list")
@click.option("--entity", type=ENTITIES)
@limit_option
@with_output(lines=True)
@click.pass_obj
def list_bindings(
    shell: Shell, *, entity: str | None, rows_max: int | None, output: Output
) -> None:
    """List source ids with the uuids that stand for them."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: SourceRef | None, limit: int) -> Page[SourceRef]:
                return await mapping_admin.mapping_page(
                    ledger, entity=entity, after=after, limit=limit
                )

            rows = rows_of(fetch, rows_max=rows_max, rows_unasked=output.rows_max)
            await output.many(rows, COLUMNS)

    interrupt.run(work(shell.settings()))


@mapping.command()
@click.argument("entity", type=ENTITIES, required=False)
@click.argument("source_id", metavar="[ID]", required=False)
@click.option("--target", metavar="UUID", help="Look the other way: from DokStamp's uuid.")
@with_output(lines=True)
@click.pass_obj
def find(
    shell: Shell, *, entity: str | None, source_id: str | None, target: str | None, output: Output
) -> None:
    """Find what stands for a source record, or what a uuid stands for."""
    reference = SourceRef(entity, source_id) if entity and source_id else None
    if (reference is None) == (target is None):
        message = "give an entity and its id, or --target and a uuid"
        raise click.UsageError(message)
    interrupt.run(_find(shell.settings(), reference, target=target, output=output))


async def _find(
    settings: Settings, reference: SourceRef | None, *, target: str | None, output: Output
) -> None:
    async with open_ledger(settings) as ledger:
        await output.many(_found(ledger, reference, target=target), COLUMNS)


async def _found(
    ledger: Ledger, reference: SourceRef | None, *, target: str | None
) -> AsyncIterator[Row]:
    found = await mapping_admin.mapping_find(
        ledger, reference=reference, target=TargetId(target) if target else None
    )
    for each in found:
        yield each
    if not found:
        warn(f"nothing is bound to {target or reference}")


@mapping.command()
@click.argument("entity", type=ENTITIES)
@click.argument("source_id", metavar="ID")
@click.argument("target", metavar="UUID")
@click.option("--instead-of", metavar="UUID", help="The uuid it is bound to now, if to any.")
@with_decision
@with_output()
@click.pass_obj
def bind(
    shell: Shell,
    *,
    entity: str,
    source_id: str,
    target: str,
    instead_of: str | None,
    signature: Signature,
    output: Output,
) -> None:
    """Say by hand which DokStamp record stands for a source record."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await mapping_admin.bind(
                ledger,
                SourceRef(entity, source_id),
                TargetId(target),
                instead_of=TargetId(instead_of) if instead_of else None,
                signature=signature,
            )

    output.one(interrupt.run(work(shell.settings())), output.described)


@mapping.command()
@click.argument("entity", type=ENTITIES)
@click.argument("source_id", metavar="ID")
@click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
@with_decision
@with_output()
@click.pass_obj
def release(
    shell: Shell,
    *,
    entity: str,
    source_id: str,
    is_yes: bool,
    signature: Signature,
    output: Output,
) -> None:
    """Let go of a uuid; the record is looked for, or made anew, when it is wanted next."""
    reference = SourceRef(entity, source_id)
    shell.confirm(f"Release {reference}?", is_yes=is_yes)

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await mapping_admin.release(ledger, reference, signature=signature)

    output.one(interrupt.run(work(shell.settings())), output.described)
