"""`outbox`: look at operations, and decide about those that wait for a person."""

import click

from ledger.outbox.operation import State
from ledger.reference import OperationKey
from sync.cli import interrupt
from sync.cli.output import Output, warn, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.shell import Shell
from sync.cli.signature import with_signature
from sync.resources import RESOURCES
from sync.runtime.assembly import open_ledger
from sync.runtime.outbox_admin import (
    Cursor,
    Selection,
    Signature,
    Verb,
    decide,
    outbox_page,
    outbox_show,
)
from sync.runtime.page import Answer, Page
from sync.runtime.settings import Settings

COLUMNS = ("operation", "entity", "source_id", "kind", "state", "attempts", "waits_for", "reason")
DEEDS = {"approve": "approved", "retry": "to be tried again", "discard": "discarded"}


@click.group()
def outbox() -> None:
    """Operations: what DokStamp still has to be told, and what became of the rest."""


@outbox.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice([each.value for each in State]),
    multiple=True,
    help="Only these; can be given several times.",
)
@click.option("--entity", type=click.Choice(sorted(RESOURCES)))
@limit_option
@with_output(lines=True)
@click.pass_obj
def list_operations(
    shell: Shell,
    *,
    states: tuple[str, ...],
    entity: str | None,
    rows_max: int | None,
    output: Output,
) -> None:
    """List operations in the order of their causes, with what each waits for."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: Cursor | None, limit: int) -> Page[Cursor]:
                wanted = [State(each) for each in states]
                return await outbox_page(
                    ledger, states=wanted, entity=entity, after=after, limit=limit
                )

            rows = rows_of(fetch, rows_max=rows_max, rows_unasked=output.rows_max)
            await output.many(rows, COLUMNS)

    interrupt.run(work(shell.settings()))


@outbox.command()
@click.argument("operation")
@with_output()
@click.pass_obj
def show(shell: Shell, *, operation: str, output: Output) -> None:
    """Tell what an operation is for, what it waits for, and what can be done."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await outbox_show(ledger, OperationKey(operation))

    output.one(interrupt.run(work(shell.settings())), output.described)


def _selection(
    operations: tuple[str, ...], *, entity: str | None, code: str | None, is_all: bool
) -> Selection:
    """Return which operations are meant; refuses to guess when nothing or too much was said."""
    is_open = is_all or entity is not None or code is not None
    if bool(operations) == is_open:
        message = "name operations, or say which with --entity, --code or --all"
        raise click.UsageError(message)
    keys = tuple(OperationKey(each) for each in operations)
    return Selection(keys, entity=entity, reason=code)


def _decision(verb: Verb, *, summary: str) -> click.Command:
    @click.command(verb, help=summary)
    @click.argument("operations", metavar="[OPERATION]...", nargs=-1)
    @click.option("--all", "is_all", is_flag=True, help="All that can be decided so.")
    @click.option("--entity", type=click.Choice(sorted(RESOURCES)), help="All of this entity.")
    @click.option("--code", help="All with this reason code, such as mass_change.")
    @click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
    @with_signature
    @with_output()
    @click.pass_obj
    def command(
        shell: Shell,
        *,
        operations: tuple[str, ...],
        is_all: bool,
        entity: str | None,
        code: str | None,
        is_yes: bool,
        signature: Signature,
        output: Output,
    ) -> None:
        selection = _selection(operations, entity=entity, code=code, is_all=is_all)
        if verb == "discard" or not selection.keys:
            shell.confirm(_question(verb, selection), is_yes=is_yes)
        done = interrupt.run(_decide(shell.settings(), verb, selection, signature=signature))
        output.one({"operations": done}, "\n".join(f"{key} {DEEDS[verb]}" for key in done))
        if not done:
            warn(f"there is nothing to {verb}: see `dokstamp-ledger outbox list`")

    return command


def _question(verb: Verb, selection: Selection) -> str:
    chosen = len(selection.keys) or "all fitting"
    return f"{verb.capitalize()} {chosen} operations?"


outbox.add_command(_decision("approve", summary="Let operations go on that were held."))
outbox.add_command(_decision("retry", summary="Try held or refused operations again, as they are."))
outbox.add_command(_decision("discard", summary="Give operations up of which nothing was sent."))


async def _decide(
    settings: Settings, verb: Verb, selection: Selection, *, signature: Signature
) -> tuple[OperationKey, ...]:
    async with open_ledger(settings) as ledger:
        return await decide(ledger, verb, selection, signature=signature)
