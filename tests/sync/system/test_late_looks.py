"""Effects that come after every settle window: found by one more look, and held, never mended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.outbox import store as outbox_store
from ledger.outbox.operation import RECHECK, State
from sync.projector.rebuild_worker import rebuild
from sync.runtime.decisions import Selection, decide
from sync.runtime.status import status
from sync.runtime.subject_admin import subject_erase
from sync.runtime.sync_run import SyncReport
from sync.simulator import Fault
from tests.sync.system.practice import Practice, practising
from tests.sync.system.university import FIRST_TERM, Told

SETTLE = 3_000
"""A window that no run waits for: the clock leaps over it."""
LATE = 5 * SETTLE
"""Seconds after which a lost request takes effect: long after it was made up for."""
TERMS: dict[str, Any] = {"settle_seconds": SETTLE, "request_timeout_seconds": 600}
RUNS_MAX = 12
ORDER = (
    *("institution", "organization", "course", "module", "module_group", "course_module"),
    *("cohort", "student", "enrollment", "certificate"),
)
TWICE: dict[str, str] = {
    "institution": "/institutions",
    "organization": "/organizations",
    "course": "/courses",
    "module_group": "/courses/*/modules/groups",
    "enrollment": "/enrollments",
}
"""What DokStamp itself does not keep from being there twice."""
ONCE: dict[str, str] = {
    "module": "/modules",
    "course_module": "/courses/*/attach/modules",
    "cohort": "/cohorts",
    "student": "/students",
    "certificate": "/certificates",
}
HELD = "held second_record"


def lost(path: str) -> Fault:
    return Fault(kind="late", method="POST", path=path, nth=1, seconds=LATE)


def through(entity: str) -> list[Told]:
    """Return what the first term tells of an entity and of everything before it."""
    known = ORDER[: ORDER.index(entity) + 1]
    return [each for each in FIRST_TERM if each[0].partition(".")[0] in known]


async def told(practice: Practice, events: list[Told]) -> SyncReport:
    """Bring events in and synchronise, over every settle window."""
    report = await practice.tell(events)
    for _ in range(RUNS_MAX):
        if report.exit != 75:
            break
        practice.clock.leap(SETTLE + 1)
        report = await practice.sync()
    return report


@dataclass(frozen=True)
class Look:
    subject: str
    state: State


async def looks(practice: Practice) -> list[Look]:
    """Return the looks that have not come to their end."""
    found = await practice.ledger.read(
        lambda c: outbox_store.read_page(c, practice.ledger.scope, limit=1000)
    )
    return [
        Look(each.reference.source_id, each.state)
        for each in found
        if each.kind == RECHECK and each.is_open
    ]


def remove_second(practice: Practice) -> None:
    """Delete the course that came late, as somebody does in the dashboard."""
    table = practice.simulator.world.store.table("courses")
    newest = max(table.everything(), key=lambda record: record.created_at)
    table.delete(newest, now=practice.clock.now())


async def rebuilt(practice: Practice) -> object:
    return (await rebuild(practice.ledger, check=True)).first_difference


async def test_one_run_leaves_a_late_look_for_later(home: Path) -> None:
    async with practising(home, faults=[lost("/institutions")], **TERMS) as practice:
        first = await told(practice, through("institution"))
        counted = await status(practice.ledger)
        second = await practice.sync()

        assert (first.exit, first.late_looks, first.waiting, counted["late_looks"]) == (0, 1, 0, 1)
        assert (second.exit, second.late_looks, second.calls) == (0, 1, {})


async def test_second_records_made_very_late_are_held(home: Path) -> None:
    faults = [lost(path) for path in TWICE.values()]
    async with practising(home, faults=faults, **TERMS) as practice:
        await told(practice, through("enrollment"))
        practice.clock.leap(11 * SETTLE)
        report = await practice.sync()
        held = await practice.unsettled()
        written = len(practice.simulator.journal.writes)
        again = await practice.sync()

        assert (report.exit, report.held, report.late_looks) == (3, 5, 0)
        assert set(held.values()) == {HELD}
        assert {name.rpartition(" ")[2] for name in held} == {"recheck"}
        assert await rebuilt(practice) is None
        assert (again.calls, len(practice.simulator.journal.writes)) == ({}, written)


async def test_what_cannot_be_there_twice_is_looked_at_in_silence(home: Path) -> None:
    faults = [lost(path) for path in ONCE.values()]
    async with practising(home, faults=faults, **TERMS) as practice:
        await told(practice, [*FIRST_TERM])
        practice.clock.leap(11 * SETTLE)
        report = await practice.sync()

        assert (report.exit, report.late_looks, await practice.unsettled()) == (0, 0, {})
        assert await practice.faults() == []
        assert (await practice.sync()).calls == {}


async def test_a_look_outlives_a_rebuild_and_the_removal_of_its_record(home: Path) -> None:
    async with practising(home, faults=[lost("/courses")], **TERMS) as practice:
        await told(practice, through("course"))
        [course] = [each.subject for each in await looks(practice)]
        await rebuild(practice.ledger, check=False)
        removed = await told(practice, [("course.removed", course, None)])
        practice.clock.leap(11 * SETTLE)
        report = await practice.sync()

        assert (removed.exit, removed.late_looks) == (0, 1)
        assert (report.exit, await practice.unsettled()) == (3, {f"{course} recheck": HELD})
        assert await rebuilt(practice) is None


async def test_a_look_goes_with_the_person_it_is_about(home: Path) -> None:
    async with practising(home, faults=[lost("/students")], **TERMS) as practice:
        await told(practice, through("student"))
        [student] = [each.subject for each in await looks(practice)]
        erased = await subject_erase(practice.ledger, student)
        report = await practice.sync()

        assert erased.is_finished
        assert (report.exit, report.late_looks, await looks(practice)) == (0, 0, [])
        assert await rebuilt(practice) is None


async def test_who_removes_the_second_record_and_says_retry_is_done(home: Path) -> None:
    async with practising(home, faults=[lost("/courses")], **TERMS) as practice:
        await told(practice, through("course"))
        practice.clock.leap(11 * SETTLE)
        await practice.sync()
        remove_second(practice)
        await decide(practice.ledger, "retry", Selection(reason="second_record"))
        report = await practice.sync()

        assert (report.exit, report.late_looks, await practice.unsettled()) == (0, 0, {})
        assert await practice.faults() == []


async def test_a_look_outlives_an_older_ledger_and_its_rebuild(home: Path) -> None:
    async with practising(home, faults=[lost("/courses")], **TERMS) as practice:
        await told(practice, through("course"))
        await practice.ledger.transact(
            lambda step: step.record("operator.accepted_older", public={"unchanging": []})
        )
        same = await rebuilt(practice)
        practice.clock.leap(11 * SETTLE)
        report = await practice.sync()

        assert (same, await rebuilt(practice)) == (None, None)
        assert (report.exit, report.late_looks) == (3, 0)
        assert set((await practice.unsettled()).values()) == {HELD}
