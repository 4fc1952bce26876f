"""One record that cannot go on holds up what depends on it, and nothing else."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger.mapping import store as mapping_store
from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.dispatcher.judging import FAILURES_MAX
from sync.runtime.decisions import Selection, Signature, decide
from sync.runtime.sync_run import Exit, run_sync
from sync.simulator import parse_faults
from tests.sync.system.practice import practising
from tests.sync.system.university import FIRST_TERM, Told

PATHS = {
    "institution": "/institutions",
    "organization": "/organizations",
    "course": "/courses",
    "module": "/modules",
    "module_group": "/courses/*/modules/groups",
    "cohort": "/cohorts",
    "student": "/students",
    "enrollment": "/enrollments",
    "certificate": "/certificates",
}
CATALOGUE_TYPES = {f"{entity}.upserted" for entity in ("institution", "course", "module")}
ALONE = SourceRef("course", "C-2")
SETTLE_SECONDS = 60.0
BY = Signature(actor="registrar", reason="DokStamp mended it")


def _names(told: Told) -> set[str]:
    """Return which records an event names, by their ids; ids differ in their first letter."""
    _, subject, data = told
    named = {str(value) for name, value in (data or {}).items() if name.endswith("_id")}
    return named | (set(subject.split(":")) if ":" in subject else set())


def _told(*names: str) -> list[Told]:
    return [told for told in FIRST_TERM if told[1] in names]


def _dependants(poison: str, told: Iterable[Told]) -> set[str]:
    """Return every record that names the poisoned one, directly or through others."""
    events, found = list(told), {poison}
    for _ in events:
        found |= {subject for _, subject, data in events if found & _names(("", subject, data))}
    # A certificate waits for everything that it freezes, named or not.
    courses = {
        str(data["course_id"])
        for _, name, data in events
        if name in found and data and "course_id" in data
    } | found
    students = {
        str(data["student_id"])
        for _, name, data in events
        if name in found and data and "student_id" in data
    }
    found |= {
        name for _, name, data in events
        if name.startswith("D-") and data and {data["course_id"], data["student_id"]}
        & (courses | students)
    }  # fmt: skip
    return found


@pytest.mark.one_database("What DokStamp refuses is not told apart by the ledger's database.")
@pytest.mark.parametrize("entity", PATHS)
async def test_a_poisoned_record_delays_only_its_dependants(tmp_path: Path, entity: str) -> None:
    fault = f"error_before:method=POST,path={PATHS[entity]},nth=1,status=422"
    async with practising(tmp_path, faults=parse_faults(fault)) as practice:
        await practice.tell(FIRST_TERM)
        stopped = await practice.unsettled()
        poison = [name for name, why in stopped.items() if why.startswith((State.DEAD, State.HELD))]
        late = {name.split(" ")[0] for name in stopped}

        assert len(poison) == 1
        assert late <= _dependants(poison[0].split(" ")[0], FIRST_TERM)
        await decide(practice.ledger, "retry", Selection(entity=entity), signature=BY)
        await practice.sync()
        assert await practice.unsettled() == {}


@pytest.mark.one_database("What DokStamp refuses is not told apart by the ledger's database.")
async def test_a_poisoned_attachment_delays_only_its_dependants(tmp_path: Path) -> None:
    async with practising(tmp_path) as practice:
        before = [told for told in FIRST_TERM if told[0] in CATALOGUE_TYPES]
        await practice.tell(before)
        mapped = await practice.ledger.read(
            lambda c: mapping_store.find(c, practice.ledger.scope, reference=ALONE)
        )
        assert mapped is not None
        # The only attachment of its course, so that it is refused alone.
        path = f"/courses/{mapped.target}/attach/modules"
        practice.simulator.set_faults(
            *parse_faults(f"error_before:method=POST,path={path},nth=1,status=422")
        )
        # Certificates last: one waits for what it freezes and was told of earlier.
        later = [told for told in FIRST_TERM if told not in before]
        await practice.tell(sorted(later, key=lambda told: told[0] == "certificate.requested"))
        stopped = await practice.unsettled()
        poison = [name for name, why in stopped.items() if why.startswith((State.DEAD, State.HELD))]

        assert poison == ["C-2:M-1 upsert"]
        assert {name.split(" ")[0] for name in stopped} == {"C-2:M-1", "D-3"}
        await decide(practice.ledger, "retry", Selection(entity="course_module"), signature=BY)
        await practice.sync()
        assert await practice.unsettled() == {}


async def test_a_record_that_fails_in_run_after_run_is_held_though_it_is_alone_by_then(
    home: Path,
) -> None:
    async with practising(home, settle_seconds=SETTLE_SECONDS) as practice:
        await practice.tell(_told("U", "C-2", "M-1"))
        course = await practice.ledger.read_folded(
            lambda c, scope: mapping_store.find(c, scope, reference=ALONE)
        )
        assert course is not None
        path = f"/courses/{course.target}/attach/modules"
        poison = parse_faults(f"error_before:method=POST,path={path},status=500")
        practice.simulator.set_faults(*poison)
        await practice.ingest(_told("C-2:M-1"))
        ends = []
        for run in range(FAILURES_MAX + 2):
            if run == 1:
                # The only run in which anybody else is there to be compared with.
                await practice.ingest(_told("M-2", "M-3"))
            report = await run_sync(practice.ledger, practice.settings, patience_seconds=1.0)
            ends.append(report.exit)
            practice.clock.leap(2 * SETTLE_SECONDS)
        stopped = await practice.unsettled()

        assert ends[0] is Exit.TRY_LATER
        assert ends[-1] is Exit.NEEDS_PERSON
        assert stopped["C-2:M-1 upsert"].startswith(State.HELD)
        practice.simulator.set_faults()
        await decide(practice.ledger, "retry", Selection(entity="course_module"), signature=BY)
        await practice.sync()
        assert await practice.unsettled() == {}
        assert await practice.faults() == []
