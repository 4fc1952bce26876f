"""Students, enrollments and cohorts over time: new addresses, shared ones, and moves."""

from pathlib import Path
from typing import Any

import pytest

from tests.sync.system.scenario_events import (
    certificate,
    cohort,
    completed,
    course,
    enrollment,
    event,
    institution,
    removed,
    student,
)
from tests.sync.system.scenario_stage import staged


async def test_a_new_address_is_a_patch_of_the_same_student(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student())
        before = await scene.uuid("student", "S-1")

        code = await scene.tell(student(email="new+tag@example.edu"))

        assert (code, scene.writes) == (0, [("students", "updated", ("email",))])
        assert (len(scene.rows("students")), await scene.uuid("student", "S-1")) == (1, before)
        assert await scene.faults() == []


async def test_an_address_that_one_gives_up_another_may_take(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student("S-1", email="a@example.edu"))

        code = await scene.tell(
            student("S-2", email="a@example.edu"), student("S-1", email="b@example.edu")
        )

        assert (code, await scene.open()) == (0, {})
        assert scene.row("students", email="a@example.edu")["name"] == "Person S-2"
        assert await scene.faults() == []


async def test_two_students_who_swap_addresses_are_held_and_name_each_other(
    home: Path,
) -> None:
    async with staged(home) as scene:
        one, two = "one@example.edu", "two@example.edu"
        await scene.tell(student("S-1", email=one), student("S-2", email=two))

        code = await scene.tell(student("S-1", email=two), student("S-2", email=one))
        held = await scene.open()
        concerns = (await scene.concerns("S-1"), await scene.concerns("S-2"))
        sent = scene.calls
        first = await scene.tell(student("S-1", email="moment@example.edu"))
        second = await scene.tell(student("S-2", email=one), student("S-1", email=two))

        assert (code, sent) == (3, [])
        assert held == {"S-1 upsert": "held key_cycle", "S-2 upsert": "held key_cycle"}
        assert concerns == ({"S-2"}, {"S-1"})
        assert (first, second, await scene.open()) == (0, 0, {})
        assert scene.row("students", email=two)["name"] == "Person S-1"
        assert await scene.faults() == []


async def test_two_students_with_one_mailbox_are_never_merged(home: Path) -> None:
    async with staged(home) as scene:
        shared = "family@example.edu"
        code = await scene.tell(student("S-1", email=shared), student("S-2", email=shared))
        open_then = await scene.open()
        healed = await scene.tell(student("S-2", email="own@example.edu"))

        assert (code, set(open_then.values())) == (3, {"held key_taken"})
        assert (healed, await scene.open()) == (0, {})
        assert len(scene.rows("students")) == 2
        assert await scene.uuid("student", "S-1") != await scene.uuid("student", "S-2")
        assert await scene.faults() == []


async def test_a_student_whom_dokstamp_knows_is_adopted(home: Path) -> None:
    async with staged(home) as scene:
        uuid = scene.dashboard.make(
            "/students", name="Person S-1", email="S-1@example.edu", date_of_birth="2001-03-04"
        )

        code = await scene.tell(student(social_name="One"))

        assert (code, await scene.uuid("student", "S-1")) == (0, uuid)
        assert "POST /students" not in scene.calls
        assert scene.row("students")["social_name"] == "One"
        assert await scene.faults() == []


async def test_another_person_with_this_address_is_held_until_bound_by_hand(
    home: Path,
) -> None:
    async with staged(home) as scene:
        uuid = scene.dashboard.make(
            "/students", name="Person S-1", email="s-1@example.edu", date_of_birth="1999-09-09"
        )
        code = await scene.tell(institution(), course(), student(), enrollment())
        held = (scene.rows("enrollments"), await scene.open())
        await scene.bind("student", "S-1", uuid)
        report = await scene.sync()

        assert code == 3
        assert held[0] == []
        assert held[1]["S-1 upsert"] == "held identity_differs"
        assert (report.exit, await scene.open()) == (0, {})
        assert scene.row("students")["date_of_birth"].startswith("2001-03-04")
        assert len(scene.rows("enrollments")) == 1
        assert await scene.faults() == []


async def test_a_removed_student_stays_in_dokstamp(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student())

        code = await scene.tell(removed("student", "S-1"))

        assert (code, scene.calls, len(scene.rows("students"))) == (0, [], 1)
        assert await scene.faults() == []


async def test_a_late_event_is_on_record_and_changes_nothing(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student(name="Second", attributes={"sequence": 2}))

        late = await scene.tell(student(name="First", attributes={"sequence": 1}))
        sent = scene.calls
        await scene.tell(student(name="Third", attributes={"sequence": 3}))

        assert (late, sent) == (0, [])
        assert scene.row("students")["name"] == "Third"
        assert await scene.faults() == []


async def test_a_second_source_may_not_name_our_record(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(student())

        report = await scene.ingest(student(name="Theirs", attributes={"source": "urn:lms:other"}))
        run = await scene.sync()

        assert (report.taken, report.quarantined) == (0, 1)
        assert (run.exit, scene.calls) == (3, [])
        assert scene.row("students")["name"] == "Person S-1"
        assert await scene.faults() == []


async def test_sources_that_share_their_ids_may(home: Path) -> None:
    other = "urn:lms:other"
    shared = ["urn:sis:scenario", other]
    async with staged(home, shared_sources=shared) as scene:
        await scene.tell(student())

        code = await scene.tell(student(name="Theirs", attributes={"source": other}))

        assert (code, scene.row("students")["name"]) == (0, "Theirs")
        assert await scene.faults() == []


async def test_a_cohort_changes_but_does_not_move(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course("C-1"), course("C-2"), cohort(modality="remote"))

        changed = await scene.tell(cohort(modality="hybrid", end_date="2026-07-01"))
        first = scene.writes
        moved = await scene.tell(cohort(course_id="C-2", modality="hybrid"))
        held = (scene.calls, await scene.open())
        await scene.decide("discard", "K-1")

        assert (changed, first) == (0, [("cohorts", "updated", ("end_date", "modality"))])
        assert (moved, held) == (3, ([], {"K-1 upsert": "held parent_changed"}))
        assert (await scene.sync()).exit == 0
        assert scene.row("cohorts")["course_uuid"] == await scene.uuid("course", "C-1")
        assert await scene.faults() == []


@pytest.mark.parametrize(
    "same",
    [
        {"start_date": "2024-02-01T00:00:00Z"},
        {"start_date": "2024-02-01T01:00:00+01:00"},
        {"start_date": "2024-02-01", "modality": None},
    ],
)
async def test_another_spelling_of_a_moment_is_no_change(same: dict[str, Any], home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), cohort(start_date="2024-02-01"))

        code = await scene.tell(cohort(**same))

        assert (code, scene.calls) == (0, [])
        assert await scene.faults() == []


async def test_a_grade_is_sent_once_however_it_is_written(home: Path) -> None:
    async with staged(home, switches={"grade_type": "string"}) as scene:
        await scene.tell(institution(), course(), student(), enrollment(grade="8.75"))

        code = await scene.tell(enrollment(grade=8.75))
        first = (code, scene.calls)
        await scene.tell(enrollment(grade="8.750"))
        second = scene.calls
        await scene.tell(enrollment(grade="8.8"))

        assert (first, second) == ((0, []), [])
        assert scene.writes == [("enrollments", "updated", ("grade",))]
        assert await scene.faults() == []


async def test_an_enrollment_ends_and_moves_to_another_cohort(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(
            institution(), course(), student(), cohort("K-1"), cohort("K-2"),
            enrollment(cohort_id="K-1"),
        )  # fmt: skip

        moved = await scene.tell(enrollment(cohort_id="K-2"))
        first = scene.writes
        ended = await scene.tell(completed(cohort_id="K-2"))

        assert (moved, first) == (0, [("enrollments", "updated", ("cohort_uuid",))])
        assert (ended, scene.row("enrollments")["completion_status"]) == (0, "completed")
        assert await scene.faults() == []


async def test_an_enrollment_that_is_removed_is_dropped(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), student(), enrollment())

        code = await scene.tell(removed("enrollment", "E-1"))
        first = (code, scene.row("enrollments")["completion_status"])
        back = await scene.tell(enrollment())

        assert first == (0, "dropped")
        assert (back, scene.row("enrollments")["completion_status"]) == (0, "enrolled")
        assert await scene.faults() == []


async def test_an_enrollment_that_a_certificate_names_is_not_dropped(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), student(), completed())
        await scene.tell(certificate(enrollment_id="E-1"))

        code = await scene.tell(removed("enrollment", "E-1"))

        assert (code, scene.calls) == (3, [])
        assert await scene.open() == {"E-1 retire": "held certificate_names_it"}
        assert scene.row("enrollments")["completion_status"] == "completed"
        assert await scene.faults() == []


async def test_an_enrollment_of_nobody_waits_and_says_for_whom(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(institution(), course(), enrollment())
        waiting = await scene.open()
        healed = await scene.tell(student())

        assert (code, list(waiting)) == (3, ["E-1 upsert"])
        assert (healed, len(scene.rows("enrollments"))) == (0, 1)
        assert await scene.faults() == []


async def test_a_removal_of_what_nobody_told_of_is_nothing(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(*(removed(entity, "X") for entity in ("student", "course")))

        assert (code, scene.calls, await scene.open()) == (0, [], {})
        assert await scene.faults() == []


async def test_ids_that_look_like_an_address_are_refused(home: Path) -> None:
    async with staged(home) as scene:
        data = student()["data"]
        report = await scene.ingest(event("student.upserted", "ana@example.edu", data))

        assert (report.taken, report.quarantined) == (0, 1)
