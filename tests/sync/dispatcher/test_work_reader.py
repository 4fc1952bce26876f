from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.outbox.operation import Operation
from ledger.reference import Json, SourceRef
from sync.dispatcher.opener_worker import Opener
from sync.dispatcher.work_reader import Assembled, WorkReader, bare_work
from sync.resources.definition import Kind
from tests.sync.dispatcher.floor import SETTLE_SECONDS, Floor, advance, floor_in

COURSE = SourceRef("course", "C-1")


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger whose first institution is made."""
    async with floor_in(home) as floor:
        await floor.institution("A")
        await (await floor.conversation()).run()
        yield floor


async def assembled(floor: Floor, operation: Operation) -> Assembled:
    [found] = await WorkReader(floor.ledger).assemble([operation])
    return found


async def test_a_work_knows_what_is_wanted_and_the_uuids_of_what_it_names(floor: Floor) -> None:
    data = {"institution_id": "A", "name": "Physics", "code": "PHY"}
    await floor.desk.tell("course.upserted", COURSE, **data)
    found = await assembled(floor, await floor.operation(COURSE))

    assert found.work.wanted == data | {"status": "active"}
    assert found.work.targets == {SourceRef("institution", "A"): "u-1"}
    assert (found.work.sent, found.work.target, found.work.kind) == (None, None, Kind.UPSERT)


async def test_a_bound_record_comes_with_what_was_last_sent(floor: Floor) -> None:
    reference = await floor.institution("A", name="Renamed")
    found = await assembled(floor, await floor.operation(reference))

    assert found.work.target == "u-1"
    assert found.work.wanted is not None
    assert found.work.sent is not None
    assert (found.work.wanted["name"], found.work.sent["name"]) == ("Renamed", "University A")


async def test_a_removal_wants_nothing(floor: Floor) -> None:
    reference = SourceRef("institution", "A")
    await floor.desk.tell("institution.removed", reference)
    await Opener(floor.ledger).open_woken()
    found = await assembled(floor, await floor.operation(reference))

    assert (found.work.kind, found.work.wanted, found.work.target) == (Kind.RETIRE, None, "u-1")


async def test_what_a_dead_owner_had_claimed_is_in_doubt(floor: Floor) -> None:
    await floor.institution("B")
    await floor.conversation()
    advance(floor, 60 + SETTLE_SECONDS + 1)
    terms = floor.dispatcher(host="host b")._claim_terms(1)
    [group] = await floor.bench.writer.claim(terms)
    found = await assembled(floor, group.operations[0])

    assert (found.work.possibly_sent, found.work.attempts) == (True, 2)
    assert bare_work(group.operations[0]).work.possibly_sent


async def test_personal_facts_are_sealed_for_the_student(floor: Floor) -> None:
    student = SourceRef("student", "S-1")
    data = {"name": "Ana Souza", "email": "ana@example.edu", "date_of_birth": "2001-05-03"}
    await floor.desk.tell("student.upserted", student, **data)
    found = await assembled(floor, await floor.operation(student))

    assert found.person == "student:S-1"
    assert "Ana" not in repr(found)


@pytest.mark.parametrize(("after", "is_certified"), [("live", True), ("missing", False)])
async def test_an_enrollment_is_known_to_be_named_by_a_certificate_that_is_there(
    floor: Floor, after: str, *, is_certified: bool
) -> None:
    told: dict[str, dict[str, Json]] = {
        "course": {"institution_id": "A", "name": "Physics", "code": "PHY"},
        "student": {"name": "Ana", "email": "a@example.edu", "date_of_birth": "2001-05-03"},
        "enrollment": {"student_id": "1", "course_id": "1", "enrolled_at": "2024-02-01"},
        "certificate": {"institution_id": "A", "student_id": "1", "course_id": "1"},
    }
    told["enrollment"] |= {"completion_status": "completed", "completed_at": "2025-12-01"}
    told["certificate"] |= {"enrollment_id": "1", "document": {"sha256": "ab" * 32}}
    for entity, data in told.items():
        what = "requested" if entity == "certificate" else "upserted"
        reference = SourceRef(entity, "1")
        await floor.desk.tell(f"{entity}.{what}", reference, **data)
        ended = after if entity == "certificate" else "live"
        await floor.desk.settle(reference, "done", target=f"{entity}-1", after=ended)
    await floor.desk.tell("enrollment.removed", SourceRef("enrollment", "1"))

    found = await assembled(floor, await floor.operation(SourceRef("enrollment", "1")))

    assert found.work.is_certified is is_certified
