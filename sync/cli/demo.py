"""`demo`: a sample university, a practice DokStamp, and the trouble that may come between."""

import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import click

from sync.cli import demo_text, interrupt
from sync.cli.demo_acts import ACTS, Act, Shown
from sync.cli.demo_stage import Stage, set_stage
from sync.cli.exits import Exit
from sync.cli.output import Output, say, with_output
from sync.cli.progress import metering
from sync.cli.sample_university import Event, sample_university


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the ledger here; without it a temporary folder is used and taken away.",
)
@click.option("--students", "students_max", type=click.IntRange(min=20), hidden=True)
@with_output()
def demo(*, directory: Path | None, students_max: int | None, output: Output) -> Exit:
    """Synchronise a sample university with a practice DokStamp, through every trouble.

    Nothing leaves this machine, and no setting is needed or read.
    """
    events = sample_university(Random(1))  # noqa: S311 - a sample must repeat itself
    chosen = [event for event in events if _is_of_first(students_max, event)]
    return interrupt.run(_play(chosen, directory, output))


async def _play(events: Sequence[Event], directory: Path | None, output: Output) -> Exit:
    began = time.monotonic()
    facts: dict[str, Any] = {}
    missed: list[str] = []
    async with set_stage(events, directory=directory) as stage:
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


def _is_of_first(students_max: int | None, event: Event) -> bool:
    """Tell whether an event concerns nobody, or one of the first students."""
    is_student = event["type"].startswith("student.")
    student = event["subject"] if is_student else event["data"].get("student_id")
    return not (student and students_max) or int(student.removeprefix("S-")) <= students_max


def _tell(output: Output, text: str) -> None:
    if not output.is_json:
        say(text)
        output.flush()
