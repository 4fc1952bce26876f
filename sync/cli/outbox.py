"""`outbox`: look at operations, and decide about those that wait for a person."""

from collections.abc import Sequence
from typing import Any, Final

import click

from ledger.outbox.operation import State
from ledger.reference import OperationKey
from sync.cli import interrupt
from sync.cli.output import Output, warn, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.shell import Shell
from sync.cli.signature import with_decision
from sync.resources import RESOURCES
from sync.runtime.assembly import open_ledger
from sync.runtime.decisions import (
    LEGAL,
    Counted,
    Selection,
    Signature,
    Verb,
    count_fitting,
    decide,
)
from sync.runtime.outbox_admin import Cursor, outbox_page, outbox_show
from sync.runtime.page import Answer, Page
from sync.runtime.settings import Settings

COLUMNS = ("operation", "entity", "source_id", "kind", "state", "attempts", "waits_for", "reason")
LINES_MAX: Final = 20
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
@click.option("--code", help="Only those with this reason code.")
@limit_option
@with_output(lines=True)
@click.pass_obj
def list_operations(
    shell: Shell,
    *,
    states: tuple[str, ...],
    entity: str | None,
    code: str | None,
    rows_max: int | None,
    output: Output,
) -> None:
    """List operations in the order of their causes, with what each waits for."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: Cursor | None, limit: int) -> Page[Cursor]:
                wanted = [State(each) for each in states]
                return await outbox_page(
                    ledger, states=wanted, entity=entity, reason=code, after=after, limit=limit
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
    operations: tuple[str, ...],
    *,
    entity: str | None,
    code: str | None,
    state: str | None,
    is_all: bool,
) -> Selection:
    """Return which operations are meant; refuses to guess when nothing or too much was said."""
    is_open = is_all or not (entity is None and code is None and state is None)
    if bool(operations) == is_open:
        message = "name operations, or say which with --state, --entity, --code or --all"
        raise click.UsageError(message)
    keys = tuple(OperationKey(each) for each in operations)
    states = () if state is None else (State(state),)
    return Selection(keys, entity=entity, reason=code, states=states)


def _decision(verb: Verb, *, summary: str) -> click.Command:
    @click.command(verb, help=summary)
    @click.argument("operations", metavar="[OPERATION]...", nargs=-1)
    @click.option("--all", "is_all", is_flag=True, help="All that can be decided so.")
    @click.option("--entity", type=click.Choice(sorted(RESOURCES)), help="All of this entity.")
    @click.option("--code", help="All with this reason code, such as mass_change.")
    @click.option(
        "--state", type=click.Choice(sorted(each.value for each in LEGAL[verb])), help="All such."
    )
    @click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
    @with_decision
    @with_output()
    @click.pass_obj
    def command(
        shell: Shell,
        /,
        *,
        operations: tuple[str, ...],
        is_yes: bool,
        signature: Signature,
        output: Output,
        **which: Any,  # noqa: ANN401 - the filters, which `_selection` names
    ) -> None:
        selection = _selection(operations, **which)
        settings = shell.settings()
        counted = interrupt.run(_count(settings, verb, selection))
        if verb == "discard" or not selection.keys:
            _ask(shell, verb, counted, is_yes=is_yes)
        done = interrupt.run(_decide(settings, verb, counted, signature=signature))
        output.one({"operations": done}, _text(verb, done))
        _warn_of_rest(verb, counted=len(counted.operations), done=len(done))

    return command


def _ask(shell: Shell, verb: Verb, counted: Counted, *, is_yes: bool) -> None:
    counts = counted.by_reason()
    if counts:
        total = f"{counts.total()} operation{'s' if counts.total() > 1 else ''}"
        warn(f"{total}: {', '.join(f'{count} {what}' for what, count in counts.most_common())}")
        shell.confirm(f"{verb.capitalize()} {total}?", is_yes=is_yes)


def _warn_of_rest(verb: Verb, *, counted: int, done: int) -> None:
    if not counted:
        warn(f"there is nothing to {verb}: see `dokstamp-ledger outbox list`")
    elif done < counted:
        left = f"{counted - done} of {counted} changed meanwhile and were left alone"
        warn(f"{left}: see `dokstamp-ledger outbox list`")


def _text(verb: Verb, done: Sequence[OperationKey]) -> str:
    lines = [f"{key} {DEEDS[verb]}" for key in done[:LINES_MAX]]
    more = len(done) - len(lines)
    return "\n".join([*lines, f"and {more} more {DEEDS[verb]}"] if more else lines)


outbox.add_command(_decision("approve", summary="Let operations go on that were held."))
outbox.add_command(_decision("retry", summary="Try held or refused operations again, as they are."))
outbox.add_command(_decision("discard", summary="Give operations up of which nothing was sent."))


async def _count(settings: Settings, verb: Verb, selection: Selection) -> Counted:
    async with open_ledger(settings) as ledger:
        return await count_fitting(ledger, verb, selection)


async def _decide(
    settings: Settings, verb: Verb, counted: Counted, *, signature: Signature
) -> tuple[OperationKey, ...]:
    if not counted.operations:
        return ()
    async with open_ledger(settings) as ledger:
        return await decide(ledger, verb, counted, signature=signature)
