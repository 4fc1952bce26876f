"""`demo`: a sample university, a practice DokStamp, and the trouble that may come between."""

import time
from pathlib import Path
from typing import Any

import click

from sync.cli import demo_text, interrupt
from sync.cli.demo_acts import ACTS, Act, Shown
from sync.cli.demo_stage import Stage, set_stage
from sync.cli.exits import Exit
from sync.cli.output import Output, say, with_output
from sync.cli.progress import metering


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the ledger here; without it a temporary folder is used and taken away.",
)
@with_output()
def demo(*, directory: Path | None, output: Output) -> Exit:
    """Synchronise a sample university with a practice DokStamp, through every trouble.

    Nothing leaves this machine, and no setting is needed or read.
    """
    return interrupt.run(_play(directory, output))


async def _play(directory: Path | None, output: Output) -> Exit:
    began = time.monotonic()
    facts: dict[str, Any] = {}
    missed: list[str] = []
    async with set_stage(directory) as stage:
        _tell(output, demo_text.opening(stage))
        for act in ACTS:
            shown = await _show(act, stage)
            _tell(output, shown.text)
            facts |= shown.facts
            missed += [sentence for sentence, holds in shown.claims.items() if not holds]
    code = Exit.DIFFERENT if missed else Exit.DONE
    seconds = round(time.monotonic() - began, 1)
    facts |= {"missed": missed, "seconds": seconds, "exit": int(code)}
    output.one(facts, demo_text.closing(missed, seconds))
    return code


async def _show(act: Act, stage: Stage) -> Shown:
    with metering() as meter:
        return await act(stage, meter)


def _tell(output: Output, text: str) -> None:
    if not output.is_json:
        say(text)
        output.flush()
