from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.mapping.binding import BindingState
from ledger.outbox.lease_store import Claimed
from ledger.outbox.operation import State
from ledger.reference import SourceRef, TargetId
from sync.dispatcher.judging import Verdict
from sync.dispatcher.outcome_writer import OutcomeWriter, Tenure
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Progress, Settlement
from sync.dispatcher.work_reader import Assembled, WorkReader
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.exchange import Exchange
from tests.sync.dispatcher.floor import HOST, Floor, floor_in, register_of
from tests.sync.system.practice import log_faults


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger with one institution that is ready to be made."""
    async with floor_in(home) as floor:
        await floor.institution("A")
        yield floor


async def claim(floor: Floor) -> tuple[Claimed, tuple[Assembled, ...], Tenure]:
    terms = floor.dispatcher()._claim_terms(1)
    [group] = await floor.bench.writer.claim(terms)
    works = await WorkReader(floor.ledger).assemble(group.operations)
    return group, works, Tenure(HOST, group.epoch, group.operations[0].lanes)


def exchange(floor: Floor, *, request_sha256: str = "") -> Exchange:
    now = floor.ledger.clock.now()
    return Exchange("POST", "/institutions", 201, now, 0.25, request_sha256=request_sha256)


def done(group: Claimed, target: str) -> Verdict:
    key = group.operations[0].key
    return Verdict(Settlement(key, Outcome.DONE, target=TargetId(target), after=After.LIVE), 0)


async def test_a_claim_tells_who_took_what(floor: Floor) -> None:
    group, _, _ = await claim(floor)

    [(_, public)] = await floor.log("operations.claimed")
    assert public == {"host": HOST, "epoch": 1, "operations": [group.operations[0].key]}
    assert group.operations[0].state is State.LEASED
    assert group.operations[0].attempts == 1


async def test_digests_of_bodies_are_keyed(floor: Floor) -> None:
    group, works, tenure = await claim(floor)
    sent = exchange(floor, request_sha256="ab" * 32)
    await floor.bench.writer.settle(works, [done(group, "u-1")], tenure=tenure, exchanges=[sent])

    [(_, public)] = await floor.log("operation.settled")
    [told] = public["exchanges"]
    assert "request_sha256" not in told
    assert "answer_digest" not in told
    assert told["request_digest"] != "ab" * 32


async def test_a_settlement_says_only_what_there_is_to_say(floor: Floor) -> None:
    group, works, tenure = await claim(floor)
    await floor.bench.writer.settle(works, [done(group, "u-1")], tenure=tenure, exchanges=[])

    [(_, public)] = await floor.log("operation.settled")
    assert public == {
        "operation": group.operations[0].key,
        "outcome": "done",
        "target": "u-1",
        "after": "live",
        "host": HOST,
        "epoch": 1,
    }
    assert await floor.leases() == []


@pytest.mark.parametrize(
    "tenure", [{"host": "host b"}, {"epoch": 7}], ids=["another host", "another epoch"]
)
async def test_a_settlement_of_another_tenure_leaves_evidence_only(
    floor: Floor, tenure: dict[str, object]
) -> None:
    group, works, mine = await claim(floor)
    other = replace(mine, **tenure)  # type: ignore[arg-type]
    is_ours = await floor.bench.writer.settle(
        works, [done(group, "u-1")], tenure=other, exchanges=[exchange(floor)]
    )

    assert not is_ours
    assert [kind for kind, _ in await floor.log()][-1] == "exchange.recorded"
    operation = await floor.operation(group.operations[0].reference)
    assert operation.state is State.LEASED
    assert await floor.binding(operation.reference) is None
    assert [host for host, _ in await floor.leases()] == [HOST]


async def test_without_evidence_a_lost_lease_leaves_nothing(floor: Floor) -> None:
    group, works, tenure = await claim(floor)
    size = await floor.size()
    lost = replace(tenure, epoch=7)
    await floor.bench.writer.settle(works, [done(group, "u-1")], tenure=lost, exchanges=[])

    assert await floor.size() == size


async def test_what_was_exchanged_is_told_once_for_a_group_that_lost_its_lane(
    floor: Floor,
) -> None:
    group, works, tenure = await claim(floor)
    other = replace(works[0], operation=replace(works[0].operation))
    await floor.bench.writer.settle(
        (*works, other),
        [done(group, "u-1")],
        tenure=replace(tenure, epoch=7),
        exchanges=[exchange(floor)],
    )

    assert len(await floor.exchanges()) == 1


async def test_facts_are_sealed_and_handed_back_on_resume(floor: Floor) -> None:
    group, works, tenure = await claim(floor)
    step = Progress(group.operations[0].key, facts={"file": "f-1"}, bind=TargetId("u-9"))
    is_ours = await floor.bench.writer.progress(works[0], step, tenure=tenure, exchanges=[])
    [again] = await WorkReader(floor.ledger).assemble(group.operations)

    assert is_ours
    assert again.work.progress == {"file": "f-1"}
    assert again.work.target == "u-9"
    [(_, public)] = await floor.log("operation.progressed")
    assert "facts" not in public


async def test_a_taken_target_leaves_log_and_head_sound(floor: Floor) -> None:
    writer = OutcomeWriter(floor.ledger)
    group, works, tenure = await claim(floor)
    await writer.settle(works, [done(group, "u-1")], tenure=tenure, exchanges=[])
    second = await floor.institution("B")
    group, works, tenure = await claim(floor)
    await writer.settle(works, [done(group, "U-1")], tenure=tenure, exchanges=[exchange(floor)])
    third = await floor.institution("C")
    group, works, tenure = await claim(floor)
    await writer.settle(works, [done(group, "u-3")], tenure=tenure, exchanges=[])

    operation = await floor.operation(second)
    assert (operation.state, operation.reason) == (State.HELD, "held_by_another")
    assert (await floor.operation(third)).state is State.DONE
    assert await log_faults(floor.ledger) == []
    assert len(await floor.exchanges()) == 1


async def test_an_uuid_that_another_record_holds_is_taken_from_nobody(floor: Floor) -> None:
    first = SourceRef("institution", "A")
    await (await floor.conversation()).run()
    second = await floor.institution("B")
    register_of(floor).before = lambda request: (
        Answer(Meaning.DONE, 201, {"data": {**dict(request.body or {}), "uuid": "u-1"}})
        if request.method == "POST"
        else None
    )
    settlements = await (await floor.conversation()).run()

    assert [each.outcome for each in settlements] == [Outcome.DONE]
    operation = await floor.operation(second)
    assert (operation.state, operation.reason) == (State.HELD, Reason.HELD_BY_ANOTHER)
    assert await floor.binding(second) is None
    binding = await floor.binding(first)
    assert binding is not None
    assert binding.state is BindingState.LIVE
