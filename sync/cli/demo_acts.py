"""The acts of the demo: each does one thing, shows what came of it, and says what should hold."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sync.cli import demo_text
from sync.cli.demo_runs import sync_and_kill, sync_through_outage, take_in
from sync.cli.demo_stage import Stage
from sync.cli.demo_truth import look
from sync.cli.output import plain
from sync.cli.progress import Meter
from sync.cli.sample_university import SOURCE, Event
from sync.projector.rebuild_worker import rebuild
from sync.runtime.assembly import open_ledger
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.sync_run import Exit, run_sync

COURSE: Final = "C-4"
"""The course that is removed."""
KILLED: Final = -9
READING: Final = "GET"


@dataclass(frozen=True, slots=True)
class Shown:
    """What an act shows: to programs, to people, and whether it is as it should be."""

    facts: dict[str, Any]
    text: str
    claims: dict[str, bool] = field(default_factory=dict)
    """Sentences that should hold, and whether they do."""


Act = Callable[[Stage, Meter], Awaitable[Shown]]


async def bring_in(stage: Stage, meter: Meter) -> Shown:
    """Make a ledger and take the sample university in."""
    report = await take_in(stage, stage.events, meter=meter)
    counts = asdict(report)
    facts = {name: counts[name] for name in ("lines", "taken", "duplicate", "quarantined")}
    claims = {"every event is taken": report.quarantined == 0}
    return Shown({"ingest": facts}, demo_text.brought_in(facts), claims)


async def be_killed(stage: Stage, meter: Meter) -> Shown:
    """Synchronise until somebody pulls the plug."""
    ending = await sync_and_kill(stage, meter=meter)
    facts = {"exit": ending.code, "records": ending.records}
    claims = {f"sync is killed half way {ending.error}".strip(): ending.code == KILLED}
    return Shown({"killed": facts}, demo_text.killed(facts), claims)


async def ride_out(stage: Stage, meter: Meter) -> Shown:
    """Synchronise the rest, through an outage."""
    ending = await sync_through_outage(stage, meter=meter)
    cut = stage.cut_by_outage
    claims = {
        "the outage cuts requests off": cut > 0,
        f"sync finishes the work {ending.error}".strip(): ending.code == Exit.DONE,
    }
    facts = {"outage": {"requests": cut}, "sync": ending.report}
    return Shown(facts, demo_text.rode_out(cut, ending.report), claims)


async def count(stage: Stage, _: Meter) -> Shown:
    """Count what stands in DokStamp now."""
    found = look(stage.simulator, stage.events)
    claims = {"every record stands there once": found.counts == found.wanted}
    text = demo_text.counted(found.counts, found.wanted)
    return Shown({"records": dict(found.counts)}, text, claims)


async def change(stage: Stage, meter: Meter) -> Shown:
    """Remove a course, revoke a certificate."""
    await take_in(stage, _changes(stage), meter=meter)
    async with open_ledger(stage.settings) as ledger:
        report = await run_sync(ledger, stage.settings)
    archived = _having(stage, "courses", "archived")
    revoked = _having(stage, "certificates", "revoked")
    facts = {"archived": archived, "revoked": revoked, "calls": dict(report.calls)}
    claims = {"one course is archived, one certificate revoked": archived == revoked == 1}
    return Shown({"changes": facts}, demo_text.changed(COURSE, _diplomas(stage)[1], facts), claims)


async def repeat(stage: Stage, _: Meter) -> Shown:
    """Synchronise again, though there is nothing to do."""
    async with open_ledger(stage.settings) as ledger:
        report = await run_sync(ledger, stage.settings)
    writes = sum(calls for method, calls in report.calls.items() if method != READING)
    claims = {"a second sync sends no write": writes == 0 and report.exit is Exit.DONE}
    return Shown({"second_sync": report.to_json()}, demo_text.repeated(writes), claims)


async def examine(stage: Stage, _: Meter) -> Shown:
    """Tell the story of a diploma, and check the log and the tables."""
    diploma = _diplomas(stage)[0]
    async with open_ledger(stage.settings) as ledger:
        timeline = await AuditDesk(ledger).timeline("certificate", diploma)
        verified = plain((await AuditDesk(ledger).verify()).to_json())
        rebuilt = plain((await rebuild(ledger, check=True)).to_json())
    facts = {"timeline": timeline, "verify": verified, "rebuild": rebuilt}
    claims = {
        "the story of a diploma ends with its address": "http" in str(timeline[-1]["summary"]),
        "the log is whole": verified["first_bad_position"] is None,
        "a rebuild finds no difference": rebuilt["first_difference"] is None,
    }
    return Shown(facts, demo_text.examined(diploma, facts), claims)


async def judge(stage: Stage, _: Meter) -> Shown:
    """Ask the practice DokStamp's own journal."""
    found = look(stage.simulator, [*stage.events, *_changes(stage)])
    facts = {"duplicates": found.duplicates, "lost": found.lost, "faults": dict(found.faults)}
    claims = {
        "nothing is double": found.duplicates == 0,
        "nothing is lost": found.lost == 0,
        "DokStamp has nothing against its caller": not found.faults,
    }
    return Shown(facts, demo_text.judged(facts), claims)


ACTS: Final[tuple[Act, ...]] = (
    bring_in, be_killed, ride_out, count, change, repeat, examine, judge,
)  # fmt: skip


def _diplomas(stage: Stage) -> list[str]:
    return sorted({x["subject"] for x in stage.events if x["type"] == "certificate.requested"})


def _changes(stage: Stage) -> list[Event]:
    told: tuple[tuple[str, str, Event], ...] = (
        ("course.removed", COURSE, {}),
        ("certificate.revoked", _diplomas(stage)[1], {"data": {"reason_code": "data_correction"}}),
    )
    fixed = {"specversion": "1.0", "source": SOURCE}
    return [
        {**fixed, "id": f"change-{number}", "type": event_type, "subject": subject, **data}
        for number, (event_type, subject, data) in enumerate(told, start=1)
    ]


def _having(stage: Stage, table: str, status: str) -> int:
    return sum(row["status"] == status for row in stage.simulator.records(table))
