import json
from pathlib import Path

import pytest

from ledger.erasure.steps import SubjectHeldError
from ledger.erasure.worker import Erasing
from ledger.ledger import Ledger
from ledger.log import inbox_store
from ledger.reference import Json, SourceRef
from ledger.schema.tables import inbox as table
from sync.errors import InputError
from sync.projector.rebuild_worker import rebuild
from sync.projector.worker import Projector
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.decisions import Signature
from sync.runtime.host_inbox import HostInbox
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.mapping_admin import mapping_find
from sync.runtime.quarantine_admin import quarantine_page, quarantine_release, quarantine_show
from sync.runtime.subject_admin import (
    names_of,
    subject_erase,
    subject_hold,
    subject_release,
)
from sync.runtime.subject_export import subject_export
from sync.sources.event_reader import Rules, read_line
from sync.sources.ingest_report import Intake
from sync.sources.ingest_worker import take_one
from sync.sources.item import Item, Refused
from tests.sync.runtime.desk import COURSE, INSTITUTION, Desk, desk_in

MARK = "Zanzibarmark"
STUDENT = SourceRef("student", "S-1")
WHY = Signature("officer", "asked for it")
STATE: dict[str, Json] = {
    "name": MARK,
    "email": "zanzibarmark@example.org",
    "date_of_birth": "2000-01-02",
}
ENROLLED: dict[str, Json] = {
    "student_id": "S-1",
    "course_id": "C-1",
    "enrolled_at": "2026-02-01",
}
PDF = f"%PDF-{MARK}".encode()


def item(number: int, event_type: str, subject: str, data: dict[str, Json] | None) -> Item:
    event = {"specversion": "1.0", "id": f"x{number}", "source": "urn:sis:demo", "actor": MARK}
    more = {"type": event_type, "subject": subject} | ({} if data is None else {"data": data})
    raw = json.dumps(event | more).encode()
    return read_line(raw, number=number, origin="file", folder=None, rules=Rules())


async def offer(
    ledger: Ledger, number: int, event_type: str, subject: str, data: dict[str, Json] | None = None
) -> Intake | Refused:
    return await take_one(item(number, event_type, subject, data), LedgerIngest(ledger))


async def campus(desk: Desk) -> None:
    """Let a student be known, enrolled and in DokStamp, with a diploma and a refused line."""
    await desk.university()
    for reference, target in ((INSTITUTION, "u-i"), (COURSE, "u-c")):
        await desk.settle(reference, "done", target=target, after="live")
    digest = await desk.ledger.documents.add(PDF, now=desk.ledger.clock.now())
    wanted: dict[str, Json] = {
        "institution_id": "I-1",
        "course_id": "C-1",
        "student_id": "S-1",
        "document": {"sha256": digest},
    }
    await offer(desk.ledger, 1, "student.upserted", "S-1", STATE)
    await offer(desk.ledger, 2, "enrollment.upserted", "E-1", ENROLLED)
    await offer(desk.ledger, 3, "certificate.requested", "D-1", wanted)
    await offer(desk.ledger, 4, "enrollment.upserted", "E-2", {**ENROLLED, "note": MARK})
    await plan(desk.ledger)
    await desk.settle(STUDENT, "done", target="u-s", after="live")


async def plan(ledger: Ledger) -> None:
    while await Projector(ledger).project():
        pass


async def first_difference(ledger: Ledger) -> object:
    return (await rebuild(ledger, check=True)).first_difference


def code(outcome: Intake | Refused) -> str:
    assert isinstance(outcome, Refused)
    return outcome.reasons[0].code


async def test_a_rebuild_agrees_before_while_and_after_erasing(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        found = [await first_difference(desk.ledger)]
        erasing = Erasing(desk.ledger)
        await subject_hold(desk.ledger, "S-1", signature=WHY)
        found.append(await first_difference(desk.ledger))
        await subject_release(desk.ledger, "S-1", signature=WHY)
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        found.append(await first_difference(desk.ledger))
        await rebuild(desk.ledger, check=False)
        found.append(await first_difference(desk.ledger))

        assert found == [None] * 4
        assert await erasing.is_finished(await erasing.standing("student:S-1"))


async def test_refused_lines_about_the_student_go_as_well_and_others_stay(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        await offer(desk.ledger, 5, "enrollment.upserted", "E-3", {"student_id": "S-2"})
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        first, second = (await quarantine_page(desk.ledger)).rows
        shown = await quarantine_show(desk.ledger, str(first["id"]))

        assert (first["subject"], second["subject"]) == (None, "E-3")
        assert shown["raw"] is None
        with pytest.raises(InputError, match="erased"):
            await quarantine_release(desk.ledger, str(first["id"]), rules=Rules())


async def test_an_unknown_student_is_told(home: Path) -> None:
    async with desk_in(home) as desk:
        for verb in (subject_erase, subject_hold, subject_release):
            with pytest.raises(InputError, match="student S-9"):
                await verb(desk.ledger, "S-9", signature=WHY)
        with pytest.raises(InputError, match="student S-9"):
            await subject_export(desk.ledger, "S-9")


async def test_a_student_of_whom_only_refused_lines_are_known_is_erased(home: Path) -> None:
    async with desk_in(home) as desk:
        await offer(desk.ledger, 1, "student.upserted", "S-1", {"name": MARK})
        exported = await subject_export(desk.ledger, "S-1")
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        (row,) = (await quarantine_page(desk.ledger)).rows

        assert MARK in json.dumps(exported["quarantine"])
        assert row["subject"] is None
        assert code(await offer(desk.ledger, 2, "student.upserted", "S-1", STATE)) == (
            "person_erased"
        )


async def test_a_held_student_is_not_erased(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        first = await subject_hold(desk.ledger, "S-1", signature=WHY)
        again = await subject_hold(desk.ledger, "S-1", signature=WHY)
        with pytest.raises(SubjectHeldError, match="held"):
            await subject_erase(desk.ledger, "S-1", signature=WHY)

        assert (first["changed"], again["changed"]) == (True, False)
        assert MARK in json.dumps(await subject_export(desk.ledger, "S-1"))


async def test_the_export_holds_everything_and_after_the_erasure_nothing_personal(
    home: Path,
) -> None:
    folder = home / "export"
    folder.mkdir()
    async with desk_in(home) as desk:
        await campus(desk)
        before = await subject_export(desk.ledger, "S-1", documents=folder)
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        after = await subject_export(desk.ledger, "S-1")

    (file,) = folder.iterdir()
    events = before["events"]
    assert isinstance(events, list)
    assert file.read_bytes() == PDF
    assert [each["type"] for each in events if isinstance(each, dict)] == [
        "student.upserted",
        "enrollment.upserted",
        "certificate.requested",
    ]
    assert {name: len(part) for name, part in before.items() if isinstance(part, list)} == {
        "standing": 0,
        "records": 3,
        "events": 3,
        "operations": 3,
        "bindings": 1,
        "documents": 1,
        "quarantine": 1,
        "timeline": 6,
    }
    assert MARK not in json.dumps(after)
    assert json.dumps(after).count("[erased]") >= 3


async def test_late_events_are_refused_until_a_person_lets_them_in_under_the_next_name(
    home: Path,
) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        ledger = desk.ledger
        await subject_erase(ledger, "S-1", signature=WHY)
        known = await offer(ledger, 1, "student.upserted", "S-1", STATE)
        removed = await offer(ledger, 6, "enrollment.removed", "E-1")
        told = await offer(ledger, 7, "student.upserted", "S-1", STATE)
        key = str((await quarantine_page(ledger)).rows[-1]["id"])
        plain = await quarantine_release(ledger, key, rules=Rules())
        let_in = await quarantine_release(ledger, key, rules=Rules(), readmit=True)
        following = await offer(ledger, 8, "student.upserted", "S-1", {**STATE, "name": "New"})
        await plan(ledger)

        assert known is Intake.DUPLICATE
        assert (code(removed), code(told)) == ("person_erased", "person_erased")
        assert plain["released"] is False
        assert "--readmit" in str(plain["reasons"])
        assert (let_in["released"], following) == (True, Intake.TAKEN)
        assert await names_of(ledger, "S-1") == ("student:S-1", "student:S-1~2")
        assert (await desk.operation(STUDENT)).state.value == "ready"
        assert await first_difference(ledger) is None
        again = await subject_erase(ledger, "S-1", signature=WHY)
        assert again.person == "student:S-1~2"
        assert "New" not in json.dumps(await subject_export(ledger, "S-1"))
        assert code(await offer(ledger, 9, "student.upserted", "S-1", STATE)) == "person_erased"
        assert await first_difference(ledger) is None


async def test_a_revocation_belongs_to_the_student_of_the_certificate(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        reason: dict[str, Json] = {"reason_code": "withdrawn"}
        await offer(desk.ledger, 5, "certificate.revoked", "D-1", reason)
        exported = await subject_export(desk.ledger, "S-1")
        await subject_erase(desk.ledger, "S-1", signature=WHY)

        assert "withdrawn" in json.dumps(exported["events"])
        assert "withdrawn" not in json.dumps(await subject_export(desk.ledger, "S-1"))


async def test_the_inbox_is_not_blocked_by_what_cannot_be_opened_any_more(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        inbox, ingest = HostInbox(desk.ledger), LedgerIngest(desk.ledger)
        late = await inbox.prepare(item(8, "student.upserted", "S-1", STATE), documents=ingest)
        other = await inbox.prepare(
            item(9, "student.upserted", "S-2", {**STATE, "email": "b@example.org"}),
            documents=ingest,
        )
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        rows = [{"ledger": 1, "prepared": inbox_store.encode(each)} for each in (late, other)]
        await desk.ledger.database.run(lambda connection: connection.execute(table.insert(), rows))
        taken = [await inbox.take(), await inbox.take()]
        row = (await quarantine_page(desk.ledger)).rows[-1]

        assert taken == [2, 0]
        assert (row["subject"], row["type"]) == ("S-1", "student.upserted")


async def test_every_answer_about_an_erased_student_can_still_be_given(home: Path) -> None:
    async with desk_in(home) as desk:
        await campus(desk)
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        story = await AuditDesk(desk.ledger).timeline("student", "S-1")
        (binding,) = await mapping_find(desk.ledger, reference=STUDENT)

        assert binding["target_id"] == "u-s"
        assert str(story[0]["summary"]) == "The source told its state. [erased]"
        assert [each["type"] for each in story][-2:] == ["subject.erasing", "subject.erased"]
        assert "never sent were given up" in str(story[-2]["summary"])
