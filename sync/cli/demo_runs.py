"""What the demo does with its ledger: bringing events in, and runs of `sync` that meet trouble."""

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sync.cli.demo_stage import Stage, sync_process
from sync.cli.progress import Meter
from sync.cli.sample_university import Event
from sync.runtime.assembly import make_ledger
from sync.runtime.ingest_ledger import LedgerIngest
from sync.sources.event_reader import read_events
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest

KILLED_AT: Final = 0.2
"""The share of all records that stands in DokStamp when the process is killed."""
OUTAGE_AT: Final = 0.5
OUTAGE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended."""

    code: int
    records: int
    """How many records stood in DokStamp then."""
    report: dict[str, Any]
    """What it printed; empty when it was killed."""
    error: str


async def take_in(stage: Stage, events: Sequence[Event], *, meter: Meter) -> IngestReport:
    """Make the ledger where there is none, and bring events in as a file."""
    file = stage.folder / f"events-{len(events)}.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    async with make_ledger(stage.settings) as ledger:
        return await ingest(
            read_events([str(file)], rules=stage.settings.intake()),
            LedgerIngest(ledger),
            name=file.name,
            announce=lambda report: meter.show("events read", done=report.lines, total=len(events)),
        )


async def sync_and_kill(stage: Stage, *, meter: Meter) -> Ending:
    """Start `sync` and kill it in the middle of its work, without a chance to tidy up."""
    async with sync_process(stage) as process:
        ended = asyncio.create_task(process.communicate())
        await _watch(stage, ended, share=KILLED_AT, meter=meter)
        if process.returncode is None:
            process.kill()
        return await _ending(stage, process, ended)


async def sync_through_outage(stage: Stage, *, meter: Meter) -> Ending:
    """Start `sync` again, let DokStamp vanish for a while, and wait until everything is done."""
    async with sync_process(stage) as process:
        ended = asyncio.create_task(process.communicate())
        await _watch(stage, ended, share=OUTAGE_AT, meter=meter)
        stage.simulator.start_outage("cut")
        await asyncio.wait({ended}, timeout=OUTAGE_SECONDS)
        stage.simulator.end_outage()
        await _watch(stage, ended, meter=meter)
        return await _ending(stage, process, ended)


async def _watch(
    stage: Stage,
    ended: asyncio.Task[tuple[bytes, bytes]],
    *,
    meter: Meter,
    share: float | None = None,
) -> None:
    """Return when that share of all records stands in DokStamp, or the process has ended."""
    total = stage.total
    while not ended.done() and (share is None or stage.records < share * total):
        meter.show("records in DokStamp", done=stage.records, total=total)
        await asyncio.wait({ended}, timeout=LOOK_SECONDS)


async def _ending(
    stage: Stage, process: Process, ended: asyncio.Task[tuple[bytes, bytes]]
) -> Ending:
    printed, error = await ended
    assert process.returncode is not None
    report: dict[str, Any] = json.loads(printed) if printed.strip() else {}
    return Ending(process.returncode, stage.records, report, error.decode(errors="replace"))
