"""Modules, groups and attachments over time: detached, moved, and attached again."""

from pathlib import Path

from sync.simulator import Fault
from tests.sync.system.scenario_events import (
    attachment,
    course,
    group,
    institution,
    module,
    removed,
)
from tests.sync.system.scenario_stage import Event, Row, Scene, staged

ATTACH = "POST /courses/*/attach/modules"
DETACH = "DELETE /courses/*/detach/modules"
GROUP = "course_module_group_uuid"


def curriculum() -> list[Event]:
    """Return two courses that share a module, one with groups."""
    return [
        institution(), course("C-1"), course("C-2"), module("M-1"), module("M-2"),
        group("G-1"), group("G-2"),
        attachment("A-1", module_group_id="G-1", order=1),
        attachment("A-2", module_id="M-2", module_group_id="G-1", order=2),
        attachment("A-3", course_id="C-2"),
    ]  # fmt: skip


async def attached(scene: Scene, course_id: str, module_id: str) -> list[Row]:
    """Return the stored attachments of a module to a course."""
    return scene.rows(
        "attachments",
        course_uuid=await scene.uuid("course", course_id),
        module_uuid=await scene.uuid("module", module_id),
    )


async def test_a_change_that_is_refused_after_the_detach_is_mended_by_the_corrected_event(
    home: Path,
) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        scene.simulator.set_faults(
            Fault(kind="error_before", status=422, method="POST", path="*/attach/modules")
        )

        refused = await scene.tell(attachment("A-3", course_id="C-2", order=7))
        held = (await scene.open(), await attached(scene, "C-2", "M-1"))
        scene.simulator.set_faults()
        code = await scene.tell(attachment("A-3", course_id="C-2", order=2))

        assert (refused, held) == (3, ({"A-3 upsert": "held refused"}, []))
        assert (code, await scene.open()) == (0, {})
        assert [row["order"] for row in await attached(scene, "C-2", "M-1")] == [2]
        assert await scene.faults() == []


async def test_a_refused_change_of_an_attachment_may_be_given_up(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        scene.simulator.set_faults(
            Fault(kind="error_before", status=422, method="POST", path="*/attach/modules")
        )
        await scene.tell(attachment("A-3", course_id="C-2", order=7))
        scene.simulator.set_faults()

        discarded = await scene.decide("discard", "A-3")
        code = await scene.tell(removed("course_module", "A-3"))

        assert (discarded, code, await scene.open()) == (1, 0, {})
        assert await attached(scene, "C-2", "M-1") == []
        assert await scene.faults() == []


async def test_a_curriculum_is_attached_course_by_course(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(*curriculum())

        assert (code, scene.calls.count(ATTACH)) == (0, 2)
        assert len(scene.rows("attachments")) == 3
        assert await scene.faults() == []


async def test_a_removed_module_is_detached_everywhere_and_inactive(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(removed("module", "M-1"))

        assert (code, sorted(scene.calls)) == (0, [DETACH, DETACH, "PATCH /modules/*"])
        assert scene.calls[-1] == "PATCH /modules/*"
        assert len(scene.rows("attachments")) == 1
        assert scene.row("modules", code="M-1")["is_active"] is False
        assert await scene.faults() == []


async def test_a_module_that_comes_back_is_attached_as_it_was(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        await scene.tell(removed("module", "M-1"))

        code = await scene.tell(module("M-1"))

        first = await attached(scene, "C-1", "M-1")
        assert (code, scene.calls.count(ATTACH)) == (0, 2)
        assert [each["order"] for each in first] == [1]
        assert first[0][GROUP] == await scene.uuid("module_group", "G-1")
        assert len(await attached(scene, "C-2", "M-1")) == 1
        assert scene.row("modules", code="M-1")["is_active"] is True
        assert await scene.faults() == []


async def test_an_attachment_removed_before_its_module_stays_away(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        await scene.tell(removed("course_module", "A-1"))
        detached = scene.calls
        await scene.tell(removed("module", "M-1"))
        code = await scene.tell(module("M-1"))

        assert (detached, code) == ([DETACH], 0)
        assert await attached(scene, "C-1", "M-1") == []
        assert len(await attached(scene, "C-2", "M-1")) == 1
        assert await scene.faults() == []


async def test_an_attachment_told_while_its_module_is_gone_waits_for_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        await scene.tell(removed("module", "M-1"))

        changed = await scene.tell(attachment("A-1", module_group_id="G-2", order=7))
        waiting = (changed, scene.calls, list(await scene.open()))
        code = await scene.tell(module("M-1"))

        assert waiting == (3, [], ["A-1 upsert"])
        assert (code, [row["order"] for row in await attached(scene, "C-1", "M-1")]) == (0, [7])
        assert await scene.faults() == []


async def test_an_attachment_changes_its_place_by_detach_and_attach(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(attachment("A-1", module_group_id="G-2", order=9))

        rows = await attached(scene, "C-1", "M-1")
        assert (code, scene.calls) == (0, [DETACH, ATTACH])
        assert [(row["order"], row[GROUP]) for row in rows] == [
            (9, await scene.uuid("module_group", "G-2"))
        ]
        assert await scene.faults() == []


async def test_an_attachment_that_is_told_again_is_not_touched(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(attachment("A-1", module_group_id="G-1", order=1, workload=None))

        assert (code, scene.calls) == (0, [])
        assert await scene.faults() == []


async def test_an_attachment_moves_to_another_course(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(attachment("A-2", module_id="M-2", course_id="C-2", order=3))

        assert (code, scene.calls) == (0, [DETACH, ATTACH])
        assert await attached(scene, "C-1", "M-2") == []
        assert [row["order"] for row in await attached(scene, "C-2", "M-2")] == [3]
        assert await scene.faults() == []


async def test_an_attachment_moves_away_from_a_course_that_was_deleted(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        scene.dashboard.delete(f"/courses/{await scene.uuid('course', 'C-1')}")

        code = await scene.tell(attachment("A-2", module_id="M-2", course_id="C-2", order=3))

        assert (code, await scene.open()) == (0, {})
        assert [row["order"] for row in await attached(scene, "C-2", "M-2")] == [3]
        # Only by sending a change it is found out that the record is gone.
        assert await scene.faults() == ["unknown_paths: 1"]


async def test_a_removed_group_is_inactive_and_keeps_its_modules(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(removed("module_group", "G-1"))
        first = (code, scene.calls, scene.row("module_groups", name="Group G-1")["is_active"])
        back = await scene.tell(group("G-1"))

        assert first == (0, ["PATCH /courses/*/modules/groups/*"], False)
        assert len(await attached(scene, "C-1", "M-1")) == 1
        assert (back, scene.row("module_groups", name="Group G-1")["is_active"]) == (0, True)
        assert await scene.faults() == []


async def test_an_archived_course_keeps_what_hangs_on_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())

        code = await scene.tell(removed("course", "C-1"))

        assert (code, scene.calls) == (0, ["PATCH /courses/*"])
        assert len(scene.rows("attachments")) == 3
        assert await scene.faults() == []


async def test_a_module_renamed_keeps_its_record_and_a_new_code_is_sent(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*curriculum())
        before = await scene.uuid("module", "M-1")

        code = await scene.tell(module("M-1", code="M-ONE", workload=40))

        assert (code, scene.writes) == (0, [("modules", "updated", ("code", "workload"))])
        assert await scene.uuid("module", "M-1") == before
        assert await scene.faults() == []


async def test_a_code_goes_from_one_module_to_another(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), module("M-1", code="X"), module("M-2", code="Y"))

        code = await scene.tell(module("M-2", code="X"), module("M-1", code="Z"))

        assert (code, await scene.open()) == (0, {})
        uuid = await scene.uuid("module", "M-2")
        assert scene.row("modules", code="X")["uuid"] == uuid
        assert await scene.faults() == []
