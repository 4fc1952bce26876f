import json
from pathlib import Path

from ledger.audit.timeline import ERASED
from ledger.ledger import Ledger
from ledger.reference import Json, SourceRef
from sync.projector.rebuild_worker import rebuild
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.decisions import Selection, Signature, decide
from sync.runtime.mapping_admin import bind, release
from sync.runtime.persons import persons_of
from sync.runtime.subject_admin import subject_erase
from sync.runtime.subject_export import subject_export
from tests.sync.runtime.desk import INSTITUTION, INSTITUTION_DATA, Desk, desk_in
from tests.sync.runtime.ledgers import log_of

ADDRESS = "https://verify.example/zanzibar"
MARK = "Zanzibarmark"
WHY = Signature("officer", f"asked for by {MARK}")
STUDENT, OTHER = SourceRef("student", "S-1"), SourceRef("student", "S-2")


async def told(desk: Desk, *references: SourceRef) -> None:
    for each in references:
        data = {"name": "Ana", "email": f"{each.source_id}@example.org"}
        await desk.tell("student.upserted", each, **data, date_of_birth="2000-01-02")


async def signed(ledger: Ledger) -> list[tuple[str, str, object]]:
    """Return who keeps the signature of each operator's act, and what it says."""
    stored = [each for each in await log_of(ledger) if each.type.startswith(("oper", "mapp"))]
    opened = await ledger.sealer.open([each for each in stored if each.type != "operation.settled"])
    return [
        (each.type, each.person, (each.private or {}).get("reason"))
        for each in opened
        if not each.type.startswith("operation")
    ]


async def story(ledger: Ledger, reference: SourceRef) -> str:
    return json.dumps(await AuditDesk(ledger).timeline(reference.entity, reference.source_id))


async def test_records_that_are_nobody_s_are_left_out(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.tell("institution.upserted", INSTITUTION, **INSTITUTION_DATA)
        await told(desk, STUDENT)

        assert await persons_of(desk.ledger, [STUDENT, INSTITUTION]) == {STUDENT: "student:S-1"}


async def test_what_was_told_of_a_person_is_shown_until_the_person_is_erased(home: Path) -> None:
    async with desk_in(home) as desk:
        await told(desk, STUDENT)
        facts: dict[str, Json] = {"public_verification_url": ADDRESS}
        await desk.settle(STUDENT, "done", target="u-1", after="live", facts=facts)
        stored = [each.envelope for each in await log_of(desk.ledger)]
        before = await story(desk.ledger, STUDENT)
        exported = json.dumps(await subject_export(desk.ledger, "S-1"))
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        after = await story(desk.ledger, STUDENT)

        assert not any(ADDRESS.encode() in each for each in stored)
        assert ADDRESS in before
        assert ADDRESS in exported
        assert ADDRESS not in after
        assert f"It is u-1. {ERASED}" in after
        assert ADDRESS not in json.dumps(await subject_export(desk.ledger, "S-1"))
        assert (await rebuild(desk.ledger, check=True)).first_difference is None


async def test_reasons_of_decisions_about_a_person_go_with_the_person(home: Path) -> None:
    async with desk_in(home) as desk:
        await told(desk, STUDENT)
        await desk.settle(STUDENT, "held", reason="several_matches")
        await bind(desk.ledger, STUDENT, "u-1", signature=WHY)  # type: ignore[arg-type]
        await release(desk.ledger, STUDENT, signature=WHY)
        before = await signed(desk.ledger)
        await subject_erase(desk.ledger, "S-1", signature=WHY)
        after = await signed(desk.ledger)

    kinds = ["mapping.bound", "operator.approved", "mapping.released"]
    assert before == [(kind, "student:S-1", WHY.reason) for kind in kinds]
    assert after == [(kind, "student:S-1", None) for kind in kinds]


async def test_a_decision_about_several_is_kept_with_each_of_them(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.tell("institution.upserted", INSTITUTION, **INSTITUTION_DATA)
        await told(desk, STUDENT, OTHER)
        for each in (INSTITUTION, STUDENT, OTHER):
            await desk.settle(each, "dead", reason="refused")
        decided = await decide(desk.ledger, "retry", Selection(), signature=WHY)
        await subject_erase(desk.ledger, "S-1", signature=WHY)

        assert len(decided) == 3
        assert await signed(desk.ledger) == [
            ("operator.retried", "", WHY.reason),
            ("operator.retried", "student:S-1", None),
            ("operator.retried", "student:S-2", WHY.reason),
        ]


async def test_a_decision_that_nobody_signed_is_one_event(home: Path) -> None:
    async with desk_in(home) as desk:
        await told(desk, STUDENT, OTHER)
        for each in (STUDENT, OTHER):
            await desk.settle(each, "dead", reason="refused")
        await decide(desk.ledger, "retry", Selection())

        assert await signed(desk.ledger) == [("operator.retried", "", None)]
