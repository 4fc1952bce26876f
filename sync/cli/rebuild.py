"""`rebuild`: fold the log again, and compare or swap."""

from contextlib import AsyncExitStack

import click

from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, Row, with_output
from sync.cli.shell import Shell
from sync.projector.rebuild_worker import RebuildReport
from sync.projector.rebuild_worker import rebuild as fold_again
from sync.runtime.assembly import dispatching_alone, open_ledger
from sync.runtime.settings import Settings


@click.command()
@click.option("--check", "is_check", is_flag=True, help="Compare only; change nothing.")
@with_output()
@click.pass_obj
def rebuild(shell: Shell, *, is_check: bool, output: Output) -> Exit:
    """Fold the log again; without --check, the new tables take the place of the old ones."""
    report = interrupt.run(_rebuild(shell.settings(), is_check=is_check))
    output.one(report, _text)
    return Exit.DIFFERENT if is_check and report.first_difference else Exit.DONE


async def _rebuild(settings: Settings, *, is_check: bool) -> RebuildReport:
    async with AsyncExitStack() as held:
        ledger = await held.enter_async_context(open_ledger(settings))
        if not is_check:
            # Who dispatches reads tables that would be put away under its hands.
            await held.enter_async_context(dispatching_alone(ledger))
        return await fold_again(ledger, check=is_check)


def _text(report: Row) -> str:
    looked = f"{report['size']} events folded, {report['compared']} rows compared"
    difference = report["first_difference"]
    return f"{looked}: " + (f"first difference: {difference}" if difference else "no difference")
