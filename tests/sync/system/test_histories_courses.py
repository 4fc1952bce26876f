"""Institutions and courses over time: changes, removals, returns, and hands that are not ours."""

from pathlib import Path
from typing import Any

import pytest

from tests.sync.system.scenario_events import (
    attachment,
    course,
    group,
    institution,
    module,
    organization,
    removed,
    student,
)
from tests.sync.system.scenario_stage import staged

UPDATED = "updated"


async def test_a_changed_course_is_patched_with_what_changed(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(name="Law", area="Law", workload_hours=3200))

        code = await scene.tell(course(name="Laws", area="Law", workload_hours=3000))

        assert (code, scene.calls) == (0, ["PATCH /courses/*"])
        assert scene.writes == [("courses", UPDATED, ("name", "workload_hours"))]
        assert scene.row("courses")["name"] == "Laws"
        assert await scene.faults() == []


async def test_a_course_that_is_removed_is_archived_and_comes_back_active(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course())

        gone = await scene.tell(removed("course", "C-1"))
        archived = (scene.calls, scene.row("courses")["status"])
        again = await scene.tell(course())

        assert (gone, archived) == (0, (["PATCH /courses/*"], "archived"))
        assert (again, scene.calls) == (0, ["PATCH /courses/*"])
        assert scene.row("courses")["status"] == "active"
        assert await scene.faults() == []


async def test_a_course_removed_twice_is_archived_once(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), removed("course", "C-1"))

        await scene.tell(removed("course", "C-1"))

        assert scene.calls == []
        assert await scene.faults() == []


async def test_a_course_removed_before_it_was_made_is_never_made(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(
            institution(), organization("O-1"), course(), removed("course", "C-1")
        )

        assert (code, scene.rows("courses")) == (0, [])
        assert await scene.faults() == []


async def test_what_names_a_removed_record_waits_until_it_returns(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), organization(), course(organization_id="O-1"))
        await scene.tell(removed("organization", "O-1"))
        code = await scene.tell(course("C-2", organization_id="O-1"))
        waiting = await scene.open()
        back = await scene.tell(organization())

        assert (code, list(waiting)) == (3, ["C-2 upsert"])
        assert (back, len(scene.rows("courses"))) == (0, 2)
        assert await scene.faults() == []


async def test_an_institution_that_closes_becomes_inactive_and_reopens(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution())

        await scene.tell(removed("institution", "U"))
        closed = (scene.writes, scene.row("institutions")["status"])
        await scene.tell(institution())

        assert closed == ([("institutions", UPDATED, ("status",))], "inactive")
        assert scene.row("institutions")["status"] == "active"
        assert await scene.faults() == []


async def test_a_field_that_disappears_is_cleared_if_we_sent_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(description="Long", area="Law"))

        await scene.tell(course(area=None))

        assert scene.writes == [("courses", UPDATED, ("area", "description"))]
        row = scene.row("courses")
        assert (row["description"], row["area"]) == (None, None)
        assert await scene.faults() == []


async def test_a_field_we_never_sent_is_left_to_who_filled_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course())
        scene.dashboard.change(f"/courses/{scene.row('courses')['uuid']}", area="By hand")

        await scene.tell(course(name="Laws", area=None))

        assert scene.writes == [("courses", UPDATED, ("name",))]
        assert scene.row("courses")["area"] == "By hand"
        assert await scene.faults() == []


async def test_what_somebody_else_changed_is_left_alone(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(area="Law"))
        scene.dashboard.change(f"/courses/{scene.row('courses')['uuid']}", name="Ours now")

        same = await scene.tell(course(area="Law"))
        without_news = scene.calls
        await scene.tell(course(area="Laws"))

        assert (same, without_news) == (0, [])
        assert scene.writes == [("courses", UPDATED, ("area",))]
        assert scene.row("courses")["name"] == "Ours now"
        assert await scene.faults() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"area": None}, {}),
        ({"status": "active"}, {}),
        ({}, {"status": "active", "description": None}),
    ],
)
async def test_another_spelling_of_the_same_course_is_no_change(
    before: dict[str, Any], after: dict[str, Any], home: Path
) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(**before))

        code = await scene.tell(course(**after))

        assert (code, scene.calls) == (0, [])
        assert await scene.faults() == []


async def test_a_course_cannot_move_to_another_institution(home: Path) -> None:
    async with staged(home) as scene:
        other = {**institution(name="Other", tax_id="PT-8"), "subject": "V"}
        await scene.tell(institution(), other, course())

        moved = await scene.tell(course(institution_id="V"))
        held = (scene.calls, await scene.open())
        healed = await scene.tell(course(name="Laws"))

        assert (moved, held) == (3, ([], {"C-1 upsert": "held parent_changed"}))
        assert (healed, scene.row("courses")["name"]) == (0, "Laws")
        assert await scene.faults() == []


async def test_corrections_before_anything_was_sent_cost_one_call(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution())

        await scene.tell(*(course(name=f"Law {number}") for number in range(5)))

        assert scene.calls == ["POST /courses"]
        assert scene.row("courses")["name"] == "Law 4"
        assert await scene.faults() == []


async def test_a_course_deleted_by_hand_holds_what_lies_under_it_and_nobody_else(
    home: Path,
) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), group())
        scene.dashboard.delete(f"/courses/{await scene.uuid('course', 'C-1')}")

        code = await scene.tell(group(name="Renamed"), *(student(f"S-{n}") for n in range(5)))

        assert (code, await scene.open()) == (3, {"G-1 upsert": "held missing"})
        assert len(scene.rows("students")) == 5
        # Only by sending a change it is found out that the record is gone.
        assert await scene.faults() == ["unknown_paths: 1"]


async def test_a_course_found_deleted_holds_what_was_freed_to_name_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), module(), group(), attachment())
        scene.dashboard.delete(f"/courses/{await scene.uuid('course', 'C-1')}")

        code = await scene.tell(course(name="Renamed"), attachment(order=7), group(name="Renamed"))
        waiting = await scene.open()

        assert (code, waiting["C-1 upsert"]) == (3, "held missing")
        assert {waiting["A-1 upsert"], waiting["G-1 upsert"]} <= {
            "held reference_missing",
            "held missing",
        }
        # Only by sending a change it is found out that the record is gone.
        assert await scene.faults() == ["unknown_paths: 1"]
