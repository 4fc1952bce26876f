"""Certificates over time: waited for, issued once, revoked for good."""

from pathlib import Path

from sync.simulator import Fault
from tests.sync.system.scenario_events import (
    certificate,
    cohort,
    completed,
    course,
    enrollment,
    institution,
    removed,
    revoked,
    student,
)
from tests.sync.system.scenario_stage import Event, staged

ISSUE = ["POST /files", "POST /certificates"]


def graduate() -> list[Event]:
    """Return all that a certificate names, itself aside."""
    return [institution(), course(), student(), completed()]


async def test_a_certificate_asked_for_before_everything_else_waits_for_it(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(certificate(enrollment_id="E-1", cohort_id="K-1"))
        waiting = list(await scene.open())
        healed = await scene.tell(completed(cohort_id="K-1"), cohort(), *graduate()[:3])

        assert (code, waiting) == (3, ["D-1 issue"])
        assert (healed, scene.calls[-2:]) == (0, ISSUE)
        row = scene.row("certificates")
        assert row["status"] == "issued"
        assert row["enrollment_uuid"] == await scene.uuid("enrollment", "E-1")
        assert len(scene.simulator.journal.notifications) == 1
        assert await scene.faults() == []


async def test_a_certificate_waits_until_its_enrollment_is_completed(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(*graduate()[:3], enrollment(), certificate(enrollment_id="E-1"))
        waiting = (code, scene.rows("certificates"), list(await scene.open()))
        healed = await scene.tell(completed())

        # Whether it will be completed is for the student to say, not for an operator.
        assert waiting == (0, [], ["D-1 issue"])
        assert (healed, scene.row("certificates")["status"]) == (0, "issued")
        assert scene.calls == ["PATCH /enrollments/*", *ISSUE]
        assert await scene.faults() == []


async def test_a_certificate_freezes_the_correction_told_before_it(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate())

        code = await scene.tell(student(name="Corrected"), certificate())
        later = await scene.tell(student(name="Too late"))

        assert (code, later, scene.row("students")["name"]) == (0, 0, "Too late")
        assert scene.row("certificates")["snapshot"]["name"] == "Corrected"
        assert await scene.faults() == []


async def test_a_certificate_asked_for_twice_is_issued_once(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), certificate())

        report = await scene.ingest(certificate())
        code = (await scene.sync()).exit

        assert (report.taken, report.quarantined) == (1, 0)
        assert (code, scene.calls, len(scene.rows("certificates"))) == (0, [], 1)
        assert await scene.faults() == []


async def test_other_content_while_a_certificate_is_live_is_held(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), certificate())

        code = await scene.tell(certificate(text="another print"))
        held = (code, scene.calls, await scene.open())
        await scene.decide("discard", "D-1")

        assert held == (3, [], {"D-1 issue": "held certificate_changed"})
        assert ((await scene.sync()).exit, len(scene.rows("certificates"))) == (0, 1)
        assert await scene.faults() == []


async def test_a_revoked_certificate_is_not_issued_again_but_replaced(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), certificate())

        gone = await scene.tell(revoked())
        first = (gone, scene.calls, scene.row("certificates")["status"])
        again = await scene.tell(certificate(text="again"))
        held = (again, scene.calls, await scene.open())
        await scene.decide("discard", "D-1")
        replaced = await scene.tell(certificate("D-2"))

        assert first == (0, ["PUT /certificates/*/revoke"], "revoked")
        assert held == (3, [], {"D-1 issue": "held certificate_revoked"})
        assert (replaced, scene.calls) == (0, ISSUE)
        assert len(scene.rows("certificates", status="issued")) == 1
        assert await scene.faults() == []


async def test_a_certificate_revoked_twice_is_revoked_once(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), certificate())
        await scene.tell(revoked())

        code = await scene.tell(revoked(reason_code="withdrawn"))

        assert (code, scene.calls) == (0, [])
        assert await scene.faults() == []


async def test_a_certificate_revoked_before_it_was_issued_never_is(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(certificate(enrollment_id="E-1"))

        code = await scene.tell(revoked())
        rest = await scene.tell(*graduate())

        assert code == 0
        assert (rest, scene.rows("certificates"), scene.rows("files")) == (0, [], [])
        assert await scene.open() == {}
        assert await scene.faults() == []


async def test_a_revocation_of_what_nobody_asked_for_waits_or_is_held(home: Path) -> None:
    async with staged(home) as scene:
        code = await scene.tell(revoked("D-9"))

        assert (code, scene.calls) == (3, [])
        assert list(await scene.open()) == ["D-9 revoke"]
        assert await scene.faults() == []


async def test_the_public_reason_is_the_neutral_text(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), certificate())

        await scene.tell(revoked(reason_code="data_correction"))

        reason = scene.row("certificates")["revocation_reason"]
        assert reason
        assert "data_correction" not in reason
        assert await scene.faults() == []


async def test_one_document_serves_one_certificate(home: Path) -> None:
    async with staged(home) as scene:
        same = certificate("D-1")["data"]["document"]
        await scene.tell(*graduate(), certificate("D-1"))

        report = await scene.ingest(certificate("D-2", document=same))
        run = await scene.sync()

        assert (report.taken, report.quarantined) == (0, 1)
        assert (run.exit, scene.calls) == (3, [])
        assert await scene.faults() == []


async def test_two_documents_that_are_one_in_one_file_serve_one_certificate(
    home: Path,
) -> None:
    async with staged(home) as scene:
        same = certificate("D-1")["data"]["document"]
        await scene.ingest(*graduate())

        report = await scene.ingest(certificate("D-1"), certificate("D-2", document=same))
        await scene.sync()

        assert (report.taken, report.quarantined) == (1, 1)
        assert len(scene.rows("certificates")) == 1
        assert await scene.faults() == []


async def test_nothing_is_issued_while_the_student_is_held(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(*graduate(), student("S-2", email="two@example.edu"))

        code = await scene.tell(student(email="two@example.edu"), certificate())
        waiting = (code, scene.calls, (await scene.open())["S-1 upsert"])
        healed = await scene.tell(student(email="fresh@example.edu"))

        assert waiting == (3, [], "held key_taken")
        assert (healed, scene.row("certificates")["snapshot"]["email"]) == (0, "fresh@example.edu")
        assert await scene.faults() == []


async def test_a_course_is_archived_after_its_last_certificate(home: Path) -> None:
    async with staged(home) as scene:
        await scene.tell(institution(), course(), enrollment())

        code = await scene.tell(
            completed(), certificate(enrollment_id="E-1"), removed("course", "C-1"), student()
        )

        assert (code, scene.calls[-1]) == (0, "PATCH /courses/*")
        assert scene.row("certificates")["status"] == "issued"
        assert scene.row("courses")["status"] == "archived"
        assert await scene.faults() == []


async def test_a_refused_course_stops_what_names_it_and_nothing_else(home: Path) -> None:
    refusing = Fault(kind="error_before", method="POST", path="/courses", times=1, status=422)
    async with staged(home, faults=[refusing]) as scene:
        code = await scene.tell(
            *graduate(), certificate(), student("S-2"), course("C-2"),
            completed("E-2", student_id="S-2", course_id="C-2"),
            certificate("D-2", student_id="S-2", course_id="C-2", enrollment_id="E-2"),
        )  # fmt: skip
        stopped = await scene.open()
        # Whichever of the two was sent first.
        number = "1" if "C-1 upsert" in stopped else "2"
        issued = len(scene.rows("certificates", status="issued"))
        healed = await scene.tell(course(f"C-{number}", name="Corrected"))

        assert (code, issued) == (3, 1)
        assert set(stopped) == {f"C-{number} upsert", f"E-{number} upsert", f"D-{number} issue"}
        assert stopped[f"C-{number} upsert"].startswith("dead")
        assert (healed, len(scene.rows("certificates", status="issued"))) == (0, 2)
        assert await scene.faults() == []
