from pathlib import Path

from ledger.reference import Json, SourceRef, TargetId
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.decisions import Selection, decide
from sync.runtime.mapping_admin import bind, release
from tests.sync.runtime.desk import EXCHANGE, INSTITUTION, Desk, desk_in

STUDENT = SourceRef("student", "S-1")


def summaries(story: list[dict[str, Json]]) -> list[tuple[Json, Json]]:
    return [(entry["type"], entry["summary"]) for entry in story]


async def institution_with_a_past(desk: Desk) -> None:
    await desk.university()
    await desk.settle(INSTITUTION, "held", reason="bind_institution")
    await decide(desk.ledger, "retry", Selection(entity="institution"))
    facts: dict[str, Json] = {"public_verification_url": "https://verify.example/1"}
    await desk.settle(
        INSTITUTION,
        "done",
        target="u-1",
        after="live",
        facts=facts,
        exchanges=[EXCHANGE],
    )


async def test_a_story_is_told_in_the_order_of_the_log(home: Path) -> None:
    async with desk_in(home) as desk:
        await institution_with_a_past(desk)
        key = await desk.key(INSTITUTION)
        story = await AuditDesk(desk.ledger).timeline("institution", "I-1")

    positions = [entry["position"] for entry in story]
    assert positions == sorted(positions, key=lambda each: int(str(each)))
    assert summaries(story) == [
        ("institution.upserted", "The source told its state."),
        ("operations.planned", "Planned to bring the remote record to this state."),
        ("operations.claimed", "Host host took it up (epoch 1)."),
        (
            "operation.settled",
            (
                "Held for a person. INSTITUTIONS is `bind`, so no institution is made. Run "
                "`mapping bind institution SOURCE_ID UUID`; this goes on by itself then."
            ),
        ),
        ("operator.retried", "A person had it tried again."),
        ("operations.claimed", "Host host took it up (epoch 2)."),
        (
            "operation.settled",
            (
                "Done. The remote record is live. It is u-1. "
                "public verification url: https://verify.example/1"
            ),
        ),
    ]
    assert [entry["operation"] for entry in story] == [None, *[key] * 6]
    assert story[-1]["exchanges"] == [
        {
            "method": "POST",
            "path": "/institutions",
            "status": 201,
            "started_at": "2026-01-01T00:00:00.000Z",
            "seconds": 0.125,
        }
    ]


async def test_a_story_says_what_gave_way_and_what_a_person_did(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.tell("institution.upserted", INSTITUTION, name="One", country="Brazil")
        await desk.tell("institution.upserted", INSTITUTION, name="Two", country="Brazil")
        await bind(desk.ledger, INSTITUTION, TargetId("u-1"))
        await release(desk.ledger, INSTITUTION)
        story = await AuditDesk(desk.ledger).timeline("institution", "I-1")

    assert [summary for _, summary in summaries(story)][3:] == [
        (
            "Planned to bring the remote record to this state. "
            "An earlier operation that was never sent gave way to this one."
        ),
        "A person bound it to u-1.",
        "A person released it from u-1.",
    ]


async def test_a_story_holds_nothing_personal(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.tell(
            "student.upserted",
            STUDENT,
            name="Ada Example",
            email="ada@example.org",
            date_of_birth="2001-02-03",
        )
        story = str(await AuditDesk(desk.ledger).timeline("student", "S-1"))

    assert "S-1" not in story
    assert not any(each in story for each in ("Ada", "ada@", "2001"))


async def test_long_stories_come_in_pages(home: Path) -> None:
    async with desk_in(home) as desk:
        await institution_with_a_past(desk)
        audit = AuditDesk(desk.ledger)
        whole = await audit.timeline("institution", "I-1")
        found: list[dict[str, Json]] = []
        cursor: int | None = -1
        while cursor is not None:
            page = await audit.timeline_page(INSTITUTION, after=cursor, limit=2)
            found += page.rows
            cursor = page.next

    assert found == whole


async def test_a_uuid_tells_whom_it_stands_and_stood_for(home: Path) -> None:
    async with desk_in(home) as desk:
        await institution_with_a_past(desk)
        await release(desk.ledger, INSTITUTION)
        other = SourceRef("institution", "I-2")
        await bind(desk.ledger, other, TargetId("U-1"))
        found = await AuditDesk(desk.ledger).target("u-1")

    records = found["records"]
    assert isinstance(records, list)
    told = [record for record in records if isinstance(record, dict)]
    assert [(record["source_id"], record["state"]) for record in told] == [
        ("I-2", "live"),
        ("I-1", "released"),
    ]
    assert all(record["timeline"] for record in told)


async def test_the_log_is_verified(home: Path) -> None:
    async with desk_in(home) as desk:
        await institution_with_a_past(desk)
        found = await AuditDesk(desk.ledger).verify()
        size = (await desk.ledger.head()).size

    assert found.to_json() == {
        "size": size,
        "root": found.root,
        "checked": size,
        "first_bad_position": None,
        "what": None,
        "checkpoints": [],
    }
