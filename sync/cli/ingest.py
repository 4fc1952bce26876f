"""`ingest`: bring source events into the ledger, from files, packages or standard input."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import click

from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, warn, with_output
from sync.cli.progress import metering
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.sources import event_reader
from sync.sources.event_reader import STANDARD_INPUT
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest as bring_in
from sync.sources.item import Item
from sync.sources.oneroster_dates import DateOrder
from sync.sources.oneroster_reader import read_oneroster
from sync.telemetry import Announce
from sync.telemetry.signals import IngestFinished, IngestStarted

NAME_CHARACTERS_MAX = 200


@click.command()
@click.argument("files", metavar="FILE... | -", nargs=-1, required=True)
@click.option(
    "--format",
    "input_format",
    type=click.Choice(["events", "oneroster"]),
    default="events",
    show_default=True,
    help="Lines of events, or OneRoster folders and zip archives.",
)
@click.option("--source", help="The source to name in events made from OneRoster.")
@click.option("--country", help="The institutions' country, which OneRoster does not tell.")
@click.option(
    "--date-order",
    type=click.Choice([each.value for each in DateOrder]),
    help="What comes first in a date such as 1/05/2023.",
)
@with_output()
@click.pass_obj
def ingest(
    shell: Shell,
    *,
    files: tuple[str, ...],
    input_format: str,
    output: Output,
    source: str | None,
    country: str | None,
    date_order: str | None,
) -> Exit:
    """Append events to the ledger; what was taken before is not taken again.

    What cannot be taken goes to quarantine with every reason, and the rest goes on.
    """
    if input_format == "events" and (source or country or date_order):
        message = "--source, --country and --date-order are for --format oneroster"
        raise click.UsageError(message)
    settings = shell.settings(country=country, date_order=date_order)
    report = interrupt.run(
        _ingest(
            settings, files, input_format=input_format, source=source, announce=shell.announce()
        )
    )
    output.one(_counts(report), _text(report))
    if not report.quarantined:
        return Exit.DONE
    warn("some lines were refused: `dokstamp-ledger quarantine list` tells why")
    return Exit.NEEDS_A_PERSON


async def _ingest(
    settings: Settings,
    files: Sequence[str],
    *,
    input_format: str,
    source: str | None,
    announce: Announce,
) -> IngestReport:
    async with open_ledger(settings) as ledger:
        if input_format == "events":
            items = _events(settings, files)
        else:
            items = _oneroster(settings, files, source=source)
        name = ", ".join(Path(file).name for file in files)[:NAME_CHARACTERS_MAX]
        announce(IngestStarted(name))
        with metering() as meter:
            report = await bring_in(
                items,
                LedgerIngest(ledger),
                name=name,
                announce=lambda report: meter.show("events read", done=report.lines),
            )
        announce(
            IngestFinished(
                name,
                lines=report.lines,
                taken=report.taken,
                duplicate=report.duplicate,
                quarantined=report.quarantined,
            )
        )
        return report


def _events(settings: Settings, files: Sequence[str]) -> Iterator[Item]:
    standard_input: BinaryIO | None = sys.stdin.buffer if STANDARD_INPUT in files else None
    return event_reader.read_events(files, standard_input=standard_input, rules=settings.intake())


def _oneroster(settings: Settings, files: Sequence[str], *, source: str | None) -> Iterator[Item]:
    options = replace(settings.oneroster(), source=source)
    readings = [
        read_oneroster(Path(file), options=options, rules=settings.intake()) for file in files
    ]
    for reading in readings:
        for note in reading.notes:
            warn(f"note: {note}")
    return chain.from_iterable(reading.items for reading in readings)


def _counts(report: IngestReport) -> dict[str, Any]:
    return {
        "lines": report.lines,
        "taken": report.taken,
        "duplicate": report.duplicate,
        "quarantined": report.quarantined,
        "reasons": report.reasons,
    }


def _text(report: IngestReport) -> str:
    counts = (
        f"{report.lines} events: {report.taken} taken, {report.duplicate} known already, "
        f"{report.quarantined} in quarantine"
    )
    reasons = [f"  {count} x {reason}" for reason, count in report.reasons.items()]
    skipped = [f"  {count} rows not used: {reason}" for reason, count in report.skipped.items()]
    return "\n".join([counts, *reasons, *skipped])
