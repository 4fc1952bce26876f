"""A DokStamp that is not empty: what is there already is taken over, never made again."""

from pathlib import Path
from typing import Any

from tests.sync.system.scenario_events import (
    attachment,
    certificate,
    cohort,
    completed,
    course,
    enrollment,
    group,
    institution,
    module,
    organization,
    student,
)
from tests.sync.system.scenario_stage import Scene, staged


async def by_hand(scene: Scene) -> dict[str, str]:
    """Make by hand what the events will tell, with small differences."""
    make = scene.dashboard.make
    uuids = {"U": make("/institutions", name="Scenario University", country="PT", tax_id="PT-9")}
    parent = {"institution_uuid": uuids["U"]}
    uuids["O-1"] = make("/organizations", **parent, name="Letters", code="LET")
    uuids["C-1"] = make("/courses", **parent, name="law", code="CODE-C-1", area="By hand")
    uuids["M-1"] = make("/modules", **parent, name="Module M-1", code="M-1", credits=3)
    of_course = {"course_uuid": uuids["C-1"]}
    uuids["G-1"] = make(f"/courses/{uuids['C-1']}/modules/groups", name="Group G-1")
    uuids["K-1"] = make("/cohorts", **of_course, code="CODE-K-1", start_date="2024-02-01")
    uuids["S-1"] = make(
        "/students", name="Person S-1", email="s-1@example.edu", date_of_birth="2001-03-04"
    )
    uuids["E-1"] = make(
        "/enrollments", **of_course, student_uuid=uuids["S-1"], enrolled_at="2024-02-01"
    )
    scene.dashboard.attach(uuids["C-1"], uuid=uuids["M-1"])
    return uuids


EVENTS = (
    institution(country="PT"),
    organization(),
    course(name="Law"),
    module(credits=3),
    group(),
    attachment(),
    cohort(start_date="2024-02-01T00:00:00Z"),
    student(),
    enrollment(),
)
ENTITIES = {
    "U": "institution", "O-1": "organization", "C-1": "course", "M-1": "module",
    "G-1": "module_group", "K-1": "cohort", "S-1": "student", "E-1": "enrollment",
}  # fmt: skip


async def test_what_is_there_is_adopted_and_only_differences_are_sent(home: Path) -> None:
    async with staged(home) as scene:
        made = await by_hand(scene)

        code = await scene.tell(*EVENTS)

        assert (code, await scene.open()) == (0, {})
        adopted = {name: await scene.uuid(entity, name) for name, entity in ENTITIES.items()}
        assert adopted == made
        assert scene.writes == [("courses", "updated", ("name", "status"))]
        assert scene.row("courses")["area"] == "By hand"
        assert len(scene.rows("attachments")) == 1
        assert await scene.faults() == []


async def test_a_namesake_of_another_institution_is_not_adopted(home: Path) -> None:
    async with staged(home) as scene:
        other = scene.dashboard.make("/institutions", name="Other", country="PT", tax_id="PT-0")
        parent = {"institution_uuid": other}
        theirs = scene.dashboard.make("/courses", **parent, name="Law", code="CODE-C-1")

        code = await scene.tell(institution(), course())

        assert (code, len(scene.rows("courses"))) == (0, 2)
        assert await scene.uuid("course", "C-1") != theirs
        assert await scene.faults() == []


async def test_who_changed_address_before_anything_was_sent_is_not_made_twice(home: Path) -> None:
    async with staged(home) as scene:
        person = {"name": "Person S-1", "date_of_birth": "2001-03-04"}
        uuid = scene.dashboard.make("/students", **person, email="old@example.edu")

        code = await scene.tell(student(email="old@example.edu"), student(email="new@example.edu"))

        assert (code, await scene.open()) == (0, {})
        assert await scene.uuid("student", "S-1") == uuid
        assert [each["email"] for each in scene.rows("students")] == ["new@example.edu"]
        assert await scene.faults() == []


async def test_who_changed_name_and_address_before_anything_was_sent_is_shown_to_a_person(
    home: Path,
) -> None:
    async with staged(home) as scene:
        person: dict[str, Any] = {"name": "Ana Lima", "date_of_birth": "2001-03-04"}
        uuid = scene.dashboard.make("/students", **person, email="old@example.edu")
        told = (
            student(**person, email="old@example.edu"),
            student(**{**person, "name": "Ana Souza"}, email="new@example.edu"),
        )

        code = await scene.tell(*told)
        held = (await scene.open(), scene.writes)
        await scene.decide("retry", "S-1")
        retried = (await scene.sync()).exit
        await scene.bind("student", "S-1", uuid)
        bound = (await scene.sync()).exit

        assert (code, held) == (3, ({"S-1 upsert": "held former_address"}, []))
        assert (retried, bound, await scene.open()) == (3, 0, {})
        assert len(scene.rows("students")) == 1
        row = scene.row("students", email="new@example.edu")
        assert (row["uuid"], row["name"]) == (uuid, "Ana Souza")
        assert await scene.faults() == []


async def test_a_bind_by_mistake_does_not_say_that_the_right_one_is_somebody_else(
    home: Path,
) -> None:
    async with staged(home) as scene:
        person: dict[str, Any] = {"name": "Ana Lima", "date_of_birth": "2001-03-04"}
        scene.dashboard.make("/students", **person, email="old@example.edu")
        married = {**person, "name": "Ana Souza"}
        await scene.tell(
            student(**person, email="old@example.edu"), student(**married, email="new@example.edu")
        )

        await scene.bind("student", "S-1", "00000000-0000-4000-8000-000000000000")
        mistyped = ((await scene.sync()).exit, await scene.open())
        await scene.release("student", "S-1")
        await scene.decide("retry", "S-1")
        run = await scene.sync()

        assert mistyped == (3, {"S-1 upsert": "held missing"})
        assert (run.exit, await scene.open()) == (3, {"S-1 upsert": "held former_address"})
        assert len(scene.rows("students")) == 1
        assert await scene.faults() == []


async def test_a_person_may_say_that_who_has_the_address_of_before_is_somebody_else(
    home: Path,
) -> None:
    async with staged(home) as scene:
        scene.dashboard.make(
            "/students", name="Twin", date_of_birth="2001-03-04", email="family@example.edu"
        )

        code = await scene.tell(
            student(email="family@example.edu"), student(email="own@example.edu")
        )
        held = await scene.open()
        await scene.decide("approve", "S-1")
        approved = (await scene.sync()).exit

        assert (code, held) == (3, {"S-1 upsert": "held former_address"})
        assert (approved, await scene.open(), len(scene.rows("students"))) == (0, {}, 2)
        assert scene.row("students", email="own@example.edu")["name"] == "Person S-1"
        assert await scene.faults() == []


async def test_two_that_fit_are_held_for_a_person_to_choose(home: Path) -> None:
    async with staged(home) as scene:
        uuid = scene.dashboard.make("/institutions", name="X", country="PT", tax_id="PT-9")
        parent = {"institution_uuid": uuid}
        first, _second = (
            scene.dashboard.make("/courses", **parent, name="Law", code="CODE-C-1")
            for _ in range(2)
        )

        code = await scene.tell(institution(), course())
        held = await scene.open()
        await scene.bind("course", "C-1", first)
        run = await scene.sync()

        assert (code, held) == (3, {"C-1 upsert": "held several_matches"})
        assert (run.exit, await scene.uuid("course", "C-1")) == (0, first)
        assert len(scene.rows("courses")) == 2


async def test_a_cohort_code_under_another_course_is_held(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course("C-2"))
        uuid = scene.row("courses")["uuid"]
        scene.dashboard.make("/cohorts", course_uuid=uuid, code="CODE-K-1")

        code = await scene.tell(course("C-1"), cohort())

        assert code == 3
        assert await scene.open() == {"K-1 upsert": "held code_under_another_course"}
        assert len(scene.rows("cohorts")) == 1
        assert await scene.faults() == []


async def test_institutions_may_be_bound_by_hand_only(home: Path) -> None:
    async with staged(home, institutions="bind") as scene:
        uuid = scene.dashboard.make("/institutions", name="Ours", country="PT", tax_id="PT-9")

        code = await scene.tell(institution(), course())
        held = (scene.calls, await scene.open())
        await scene.bind("institution", "U", uuid)
        run = await scene.sync()

        assert code == 3
        assert held[0] == []
        assert held[1]["U upsert"] == "held bind_institution"
        assert (run.exit, await scene.open()) == (0, {})
        assert scene.row("institutions")["uuid"] == uuid
        assert scene.row("courses")["institution_uuid"] == uuid
        assert await scene.faults() == []


async def test_an_institution_bound_ahead_of_its_event_is_used(home: Path) -> None:
    async with staged(home, institutions="bind") as scene:
        uuid = scene.dashboard.make(
            "/institutions", name="Scenario University", country="Portugal", tax_id="PT-9"
        )
        await scene.bind("institution", "U", uuid)

        code = await scene.tell(institution(), course())

        assert (code, scene.calls) == (0, ["POST /courses"])
        assert await scene.faults() == []


async def test_a_certificate_by_hand_for_the_same_course_stops_ours(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), student(), completed(), certificate())
        row = scene.row("certificates")

        code = await scene.tell(certificate("D-2"))

        assert code == 3
        assert await scene.open() == {"D-2 issue": "held another_certificate"}
        assert scene.rows("certificates") == [row]
        assert await scene.faults() == []
