"""A student is erased from a ledger that is at work, in doubt, or long done."""

from pathlib import Path

import pytest

from ledger.mapping import store as mapping_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation, State
from ledger.reference import SourceRef
from sync.projector.rebuild_worker import rebuild
from sync.runtime.decisions import Signature
from sync.runtime.outbox_admin import outbox_show
from sync.runtime.subject_admin import subject_erase
from sync.runtime.sync_run import run_sync
from sync.simulator import Fault
from tests.places import contents_in
from tests.sync.system.practice import Practice, log_faults, practising
from tests.sync.system.university import FIRST_TERM, Told, diploma

HURRY = 60
MARK = "Zanzibarmark"
STUDENT = SourceRef("student", "S-1")
ENROLLMENT = SourceRef("enrollment", "E-1")
WHY = Signature(f"officer {MARK}", f"{MARK} asked for it")
MARKED = {
    "name": f"{MARK} Silva",
    "email": f"{MARK.lower()}@example.org",
    "date_of_birth": "2001-03-01",
    "social_name": MARK,
}
PLACE: tuple[Told, ...] = (
    ("institution.upserted", "U", {"name": "Test University", "country": "Brazil"}),
    ("course.upserted", "C-1", {"institution_id": "U", "name": "Physics", "code": "PHY"}),
)
STUDENT_TOLD: Told = ("student.upserted", "S-1", MARKED)
ENROLLMENT_TOLD: Told = (
    "enrollment.upserted",
    "E-1",
    {"student_id": "S-1", "course_id": "C-1", "enrolled_at": "2024-02-01"},
)


async def leaks(practice: Practice, *texts: bytes) -> list[str]:
    """Return the files and tables of the ledger that hold one of these texts."""
    kept = await contents_in(practice.folder)
    ours = {name: content for name, content in kept.items() if not name.startswith("events-")}
    assert len(ours) > 4
    return [name for name, content in ours.items() if any(text in content for text in texts)]


async def the_operation(practice: Practice, reference: SourceRef) -> Operation:
    scope = practice.ledger.scope
    found = await practice.ledger.read(
        lambda connection: outbox_store.of_record(connection, scope, reference=reference)
    )
    return found[-1]


async def is_bound(practice: Practice, reference: SourceRef) -> bool:
    scope = practice.ledger.scope
    found = await practice.ledger.read(
        lambda connection: mapping_store.find(connection, scope, reference=reference)
    )
    return found is not None


async def differences(practice: Practice) -> list[str]:
    report = await rebuild(practice.ledger, check=True)
    found = [] if report.first_difference is None else [str(report.first_difference)]
    return found + await log_faults(practice.ledger)


async def test_a_student_with_diplomas_is_erased_and_nobody_else_is_touched(home: Path) -> None:
    async with practising(home, speed=HURRY, request_timeout_seconds=600) as practice:
        assert (await practice.tell(FIRST_TERM)).exit == 0
        before = await differences(practice)
        erased = await subject_erase(practice.ledger, "S-1", signature=WHY)
        later = await practice.ingest([("student.upserted", "S-1", MARKED)])
        again = await practice.sync()

        assert erased.is_finished
        assert (
            await leaks(practice, b"Person Number 1", b"person1+sis", diploma(1), MARK.encode())
            == []
        )
        assert (before, await differences(practice)) == ([], [])
        assert later.reasons == {"person_erased": 1}
        assert again.calls == {}
        report = await practice.tell([("student.upserted", "S-2", {**MARKED, "name": "Two B"})])
        assert (report.done, report.uncertain) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "state", "bound"),
    [("cut_after", State.DONE, True), ("cut_before", State.DISCARDED, False)],
)
async def test_what_may_have_been_sent_is_found_out_and_nothing_more_is_sent(
    home: Path, kind: str, state: State, *, bound: bool
) -> None:
    async with practising(home, speed=HURRY, request_timeout_seconds=600) as practice:
        await practice.tell(PLACE)
        practice.simulator.set_faults(Fault(kind=kind, method="POST", path="*/students", times=1))
        await practice.ingest([STUDENT_TOLD])
        await run_sync(practice.ledger, practice.settings, patience_seconds=0)
        in_doubt = await the_operation(practice, STUDENT)
        begun = await subject_erase(practice.ledger, "S-1", signature=WHY)
        between = await differences(practice)
        report = await practice.sync()

        assert in_doubt.possibly_sent
        assert (begun.is_finished, begun.waits_for) == (False, (in_doubt.key,))
        assert set(report.calls) == {"GET"}
        assert (await the_operation(practice, STUDENT)).state is state
        assert await is_bound(practice, STUDENT) is bound
        assert (between, await differences(practice)) == ([], [])
        assert (await subject_erase(practice.ledger, "S-1", signature=WHY)).is_finished
        assert await leaks(practice, MARK.encode(), MARK.lower().encode()) == []


async def test_what_was_never_sent_is_given_up_and_who_waited_is_told_why(home: Path) -> None:
    async with practising(home, speed=HURRY, request_timeout_seconds=600) as practice:
        await practice.tell(PLACE)
        removal: Told = ("course.removed", "C-1", None)
        practice.simulator.set_faults(
            Fault(kind="error_before", method="any", path="*/students*", status=503)
        )
        await practice.ingest([STUDENT_TOLD, ENROLLMENT_TOLD, removal])
        await run_sync(practice.ledger, practice.settings, patience_seconds=0)
        await subject_erase(practice.ledger, "S-1", signature=WHY)
        enrollment = await the_operation(practice, ENROLLMENT)
        retirement = await the_operation(practice, SourceRef("course", "C-1"))
        shown = await outbox_show(practice.ledger, retirement.key)

        assert (enrollment.state, enrollment.reason) == (State.DISCARDED, "person_erased")
        assert (retirement.state, retirement.reason) == (State.HELD, "names_erased")
        assert "outbox approve" in str(shown["explanation"])
        assert shown["concerns"] == [{"entity": "enrollment", "source_id": "E-1"}]
        assert await differences(practice) == []
