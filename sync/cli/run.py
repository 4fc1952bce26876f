"""`run`: the same as `sync`, for ever."""

import math

import click

from sync.cli import interrupt
from sync.cli.output import Output, warn, with_output
from sync.cli.shell import Shell
from sync.cli.steady import be_steady
from sync.runtime.assembly import open_ledger, start_engine
from sync.runtime.settings import Settings
from sync.telemetry import Announce

POLL_SECONDS = 1.0


@click.command()
@with_output()
@click.pass_obj
def run(shell: Shell, *, output: Output) -> None:  # noqa: ARG001 - it ends with an error only
    """Keep DokStamp up to date until told to stop; what is under way is finished first."""
    interrupt.run(_run(shell.settings(), shell.announce()))


async def _run(settings: Settings, announce: Announce) -> None:
    async with (
        open_ledger(settings) as ledger,
        start_engine(ledger, settings, announce=announce) as engine,
    ):
        be_steady()
        warn("at work; Ctrl-C or SIGTERM stops cleanly")
        while True:
            heard = ledger.bell.rings
            # Returns when all is done, and raises what a person must mend.
            await engine.idle(math.inf)
            await ledger.bell.wait(heard, seconds_max=POLL_SECONDS)
