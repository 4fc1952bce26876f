"""Events that correct others, batches that look wrong, and lines that are not taken."""

from pathlib import Path

import pytest

from sync.simulator import Fault
from tests.sync.system.scenario_events import (
    attachment,
    course,
    event,
    institution,
    module,
    organization,
    removed,
    student,
)
from tests.sync.system.scenario_stage import Event, Scene, staged

FLOOR = 3


async def test_a_correction_takes_the_place_of_what_waits(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(institution(), course(organization_id="O-9"))
        healed = await scene.tell(course())

        assert (code, healed, scene.calls) == (3, 0, ["POST /courses"])
        assert await scene.faults() == []


@pytest.mark.parametrize("status", [422, 400])
async def test_what_was_refused_is_healed_by_a_correction(status: int, home: Path) -> None:
    refusing = Fault(kind="error_before", method="POST", path="/courses", times=1, status=status)
    async with staged(home, faults=[refusing]) as scene:
        code = await scene.tell(institution(), course())
        same = await scene.tell(course())
        refused = scene.calls
        healed = await scene.tell(course(name="Corrected"))

        assert (code, same, refused) == (3, 3, [])
        assert (healed, scene.row("courses")["name"]) == (0, "Corrected")
        assert await scene.faults() == []


async def test_what_was_refused_is_sent_again_when_a_person_says_so(home: Path) -> None:
    refusing = Fault(kind="error_before", method="POST", path="/courses", times=1, status=422)
    async with staged(home, faults=[refusing]) as scene:
        code = await scene.tell(institution(), course())
        await scene.decide("retry", "C-1")
        run = await scene.sync()

        assert (code, run.exit, scene.calls) == (3, 0, ["POST /courses"])
        assert scene.row("courses")["name"] == "Law"


async def test_what_was_discarded_is_sent_with_the_next_event(home: Path) -> None:
    refusing = Fault(kind="error_before", method="PATCH", path="/courses/*", times=1, status=422)
    async with staged(home, faults=[refusing]) as scene:
        await scene.tell(institution(), course())
        code = await scene.tell(course(name="Refused"))
        await scene.decide("discard", "C-1")
        quiet = await scene.sync()
        healed = await scene.tell(course(name="Refused", area="Law"))

        assert (code, quiet.exit, healed) == (3, 0, 0)
        assert scene.writes == [("courses", "updated", ("area", "name"))]
        assert await scene.faults() == []


async def modules(scene: Scene, count: int) -> None:
    """Make so many modules."""
    await scene.tell(institution(), *(module(f"M-{number}") for number in range(count)))


def removals(count: int) -> list[Event]:
    return [removed("module", f"M-{number}") for number in range(count)]


async def test_a_run_that_removes_too_much_is_held_as_one_batch(home: Path) -> None:
    async with staged(home, mass_change_floor=FLOOR) as scene:
        await modules(scene, 10)

        code = await scene.tell(*removals(5), organization())
        held = await scene.open()
        sent = scene.calls
        let_go = await scene.decide("approve", reason="mass_change")
        run = await scene.sync()

        assert (code, set(held.values())) == (3, {"held mass_change"})
        assert (len(held), let_go) == (5, 5)
        assert sent == ["POST /organizations"]
        assert (run.exit, scene.calls) == (0, ["PATCH /modules/*"] * 5)
        assert len(scene.rows("modules", is_active=False)) == 5
        assert await scene.faults() == []


async def test_a_batch_that_was_a_mistake_is_given_up(home: Path) -> None:
    async with staged(home, mass_change_floor=FLOOR) as scene:
        await modules(scene, 10)
        await scene.tell(*removals(5))

        await scene.decide("discard", reason="mass_change")
        run = await scene.sync()
        back = await scene.tell(*(module(f"M-{number}") for number in range(5)))

        assert (run.exit, back, scene.calls) == (0, 0, [])
        assert len(scene.rows("modules", is_active=True)) == 10
        assert await scene.faults() == []


@pytest.mark.parametrize("count", [2, FLOOR])
async def test_a_run_that_removes_little_is_followed(count: int, home: Path) -> None:
    async with staged(home, mass_change_floor=FLOOR) as scene:
        await modules(scene, 5)

        code = await scene.tell(*removals(count))

        assert (code, len(scene.rows("modules", is_active=False))) == (0, count)
        assert await scene.faults() == []


async def test_many_changes_at_once_are_held_too(home: Path) -> None:
    async with staged(home, mass_change_floor=FLOOR) as scene:
        await modules(scene, 10)

        code = await scene.tell(*(module(f"M-{number}", credits=9) for number in range(6)))
        sent = scene.calls
        await scene.decide("approve", reason="mass_change")
        run = await scene.sync()

        assert (code, sent, run.exit) == (3, [], 0)
        assert len(scene.rows("modules", credits=9)) == 6
        assert await scene.faults() == []


async def test_the_guard_holds_what_follows_from_a_removal_as_well(home: Path) -> None:
    async with staged(home, mass_change_floor=FLOOR) as scene:
        await modules(scene, 5)
        await scene.tell(course(), *(attachment(f"A-{n}", module_id=f"M-{n}") for n in range(5)))

        code = await scene.tell(*removals(4))

        assert (code, scene.calls) == (3, [])
        assert set((await scene.open()).values()) == {"held mass_change"}
        assert len(scene.rows("attachments")) == 5
        assert await scene.faults() == []


async def test_a_record_that_comes_and_goes_before_a_sync_leaves_no_trace(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(student(), removed("student", "S-1"), student(name="Back"))

        assert (code, scene.calls) == (0, ["POST /students"])
        assert scene.row("students")["name"] == "Back"
        assert await scene.faults() == []


async def test_the_same_event_again_is_a_duplicate(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student(attributes={"id": "once"}))

        same = await scene.ingest(student(attributes={"id": "once", "actor": "somebody"}))
        other = await scene.ingest(student(name="Other", attributes={"id": "once"}))
        await scene.sync()

        assert (same.taken, same.duplicate, other.quarantined) == (0, 1, 1)
        assert scene.calls == []
        assert await scene.faults() == []


async def test_a_bad_line_is_kept_with_every_reason_and_the_rest_goes_on(home: Path) -> None:
    async with staged(home) as scene:
        bad = event("student.upserted", "S-2", {"name": "", "emial": "x", "date_of_birth": "1"})

        report = await scene.ingest(student(), bad, institution())
        run = await scene.sync()

        assert (report.taken, report.quarantined) == (2, 1)
        assert len(report.reasons) > 1
        assert (run.exit, run.done) == (3, 2)
        assert await scene.faults() == []
