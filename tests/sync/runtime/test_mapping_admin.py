from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import SourceRef, TargetId
from sync.errors import InputError
from sync.runtime.decisions import Signature
from sync.runtime.mapping_admin import bind, mapping_find, mapping_page, release
from tests.sync.runtime.desk import COURSE, INSTITUTION, desk_in
from tests.sync.runtime.ledgers import types_of

TARGET = TargetId("11111111-AAAA")


async def test_binding_by_hand_lets_a_held_creation_go_on(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "held", reason="bind_institution")
        answer = await bind(desk.ledger, INSTITUTION, TARGET, signature=Signature("me", "it is"))
        types = await types_of(desk.ledger)

        assert (answer["target_id"], answer["state"]) == (TARGET, "live")
        assert types[-2:] == ["mapping.bound", "operator.approved"]
        assert (await desk.operation(INSTITUTION)).state is State.READY


async def test_the_same_binding_again_adds_no_event(home: Path) -> None:
    async with desk_in(home) as desk:
        await bind(desk.ledger, COURSE, TARGET)
        size = (await desk.ledger.head()).size
        await bind(desk.ledger, COURSE, TargetId(TARGET.lower()))

        assert (await desk.ledger.head()).size == size


async def test_a_uuid_that_another_record_holds_is_refused(home: Path) -> None:
    async with desk_in(home) as desk:
        await bind(desk.ledger, COURSE, TARGET)

        with pytest.raises(InputError, match="bound to course C-1: `mapping release`"):
            await bind(desk.ledger, SourceRef("course", "C-2"), TARGET)
        await release(desk.ledger, COURSE)
        assert (await bind(desk.ledger, SourceRef("course", "C-2"), TARGET))["state"] == "live"


async def test_a_bound_record_keeps_its_uuid_unless_that_one_is_named(home: Path) -> None:
    async with desk_in(home) as desk:
        await bind(desk.ledger, COURSE, TARGET)
        other = TargetId("22222222")

        for named in (None, other):
            with pytest.raises(InputError, match=f"add --instead-of {TARGET}"):
                await bind(desk.ledger, COURSE, other, instead_of=named)
        answer = await bind(desk.ledger, COURSE, other, instead_of=TARGET)
        assert answer["target_id"] == other
        await release(desk.ledger, COURSE)
        assert (await bind(desk.ledger, COURSE, TARGET))["state"] == "live"


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        (COURSE, ""),
        (COURSE, "a b"),
        (COURSE, "a/b"),
        (COURSE, "u" * 256),
        (SourceRef("course_module", "A"), "one"),
        (SourceRef("course_module", "A"), "one/"),
        (SourceRef("planet", "A"), "one"),
    ],
)
async def test_what_cannot_be_a_uuid_is_refused(
    home: Path, reference: SourceRef, target: str
) -> None:
    async with desk_in(home) as desk:
        with pytest.raises(InputError):
            await bind(desk.ledger, reference, TargetId(target))


async def test_nothing_is_bound_or_released_during_a_conversation(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await bind(desk.ledger, INSTITUTION, TARGET)
        await desk.claim()

        with pytest.raises(InputError, match="under way"):
            await bind(desk.ledger, INSTITUTION, TargetId("other"))
        with pytest.raises(InputError, match="under way"):
            await release(desk.ledger, INSTITUTION)


async def test_what_is_not_bound_cannot_be_released(home: Path) -> None:
    async with desk_in(home) as desk:
        with pytest.raises(InputError, match="mapping list"):
            await release(desk.ledger, COURSE)


async def test_the_mapping_is_found_both_ways_and_page_by_page(home: Path) -> None:
    async with desk_in(home) as desk:
        await bind(desk.ledger, COURSE, TARGET)
        await bind(desk.ledger, SourceRef("course", "C-2"), TargetId("other"))
        first = await mapping_page(desk.ledger, limit=1)
        second = await mapping_page(desk.ledger, limit=1, after=first.next)
        forth = await mapping_find(desk.ledger, reference=COURSE)
        back = await mapping_find(desk.ledger, target=TargetId(TARGET.lower()))

    assert [row["source_id"] for row in (*first.rows, *second.rows)] == ["C-1", "C-2"]
    assert forth == back
    assert forth[0] == {
        "entity": "course",
        "source_id": "C-1",
        "target_id": TARGET,
        "state": "live",
        "position": 0,
    }
