import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.outbox.operation import State
from sync.dispatcher.conversation_worker import ConversationWorker
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from tests.sync.dispatcher.floor import (
    SETTLE_SECONDS,
    Floor,
    Register,
    advance,
    cut,
    floor_in,
    register_of,
)


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger and a fake register."""
    async with floor_in(home) as floor:
        yield floor


def refusing(error: Exception, *methods: str) -> Callable[[Request], None]:
    def refuse(request: Request) -> None:
        if request.method in methods:
            raise error

    return refuse


async def test_the_claim_is_on_record_before_the_first_request(floor: Floor) -> None:
    reference = await floor.institution("A")
    seen: list[list[str]] = []

    async def look(_request: Request) -> None:
        seen.append([name for name, _ in await floor.log("operations.claimed")])

    register_of(floor).before = look
    await (await floor.conversation()).run()

    assert seen == [["operations.claimed"]] * 2
    assert (await floor.operation(reference)).state is State.DONE


async def test_every_exchange_is_on_record_once(floor: Floor) -> None:
    await floor.institution("A")
    register_of(floor).keeps_status = False
    await (await floor.conversation()).run()

    sent = [f"{each.method} {each.route}" for each in register_of(floor).requests]
    assert await floor.exchanges() == sent
    assert [line.split()[0] for line in sent] == ["GET", "POST", "PATCH"]


async def test_progress_is_durable_and_bound_before_the_next_step(floor: Floor) -> None:
    reference = await floor.institution("A")
    register = register_of(floor)
    register.keeps_status = False
    bound: list[object] = []

    async def look(request: Request) -> None:
        if request.method == "PATCH":
            binding = await floor.binding(reference)
            bound.append((binding and binding.target, await floor.exchanges()))

    register.before = look
    await (await floor.conversation()).run()

    assert bound == [("u-1", ["GET /institutions", "POST /institutions"])]


async def test_nothing_is_sent_with_less_than_a_request_of_lease_left(floor: Floor) -> None:
    reference = await floor.institution("A")
    worker = await floor.conversation()
    advance(floor, 30.5)
    settlements = await worker.run()

    assert register_of(floor).requests == []
    assert [each.reason for each in settlements] == [Reason.INTERRUPTED]
    operation = await floor.operation(reference)
    assert (operation.state, operation.failures, await floor.leases()) == (State.READY, 0, [])


async def test_who_lost_the_lane_leaves_evidence_and_changes_nothing(floor: Floor) -> None:
    reference = await floor.institution("A")
    first = await floor.conversation()
    register = register_of(floor)

    async def take_over(request: Request) -> None:
        if request.method == "POST":
            register.before = lambda _: None
            # The owner stalls until its lease and the settle window are over.
            advance(floor, 60 + SETTLE_SECONDS + 1)
            floor.bench = replace(floor.bench, sender=Register(floor.ledger.clock))
            second = await floor.conversation(host="host b")
            await second.run()

    register.before = take_over
    settlements = await first.run()

    assert settlements == ()
    operation = await floor.operation(reference)
    assert (operation.state, operation.epoch) == (State.DONE, 2)
    evidence = await floor.log("exchange.recorded")
    assert [[each["method"] for each in public["exchanges"]] for _, public in evidence] == [
        ["GET", "POST"]
    ]
    assert len(await floor.log("operation.settled")) == 1


async def test_a_lane_lost_at_a_progress_ends_the_conversation(floor: Floor) -> None:
    await floor.institution("A")
    first = await floor.conversation()
    register = register_of(floor)
    register.keeps_status = False

    async def take_over(request: Request) -> None:
        if request.method == "POST":
            register.before = lambda _: None
            advance(floor, 60 + SETTLE_SECONDS + 1)
            await floor.conversation(host="host b")

    register.before = take_over
    await first.run()

    assert register.unsafe == ["POST"]
    assert len(await floor.log("exchange.recorded")) == 1
    assert await floor.log("operation.settled", "operation.progressed") == []
    assert [host for host, _ in await floor.leases()] == ["host b"]


async def test_wrong_credentials_leave_the_operation_ready(floor: Floor) -> None:
    reference = await floor.institution("A")
    error = ConfigurationError("wrong secret")
    register_of(floor).before = refusing(error, "GET", "POST")
    with pytest.raises(ConfigurationError):
        await (await floor.conversation()).run()

    operation = await floor.operation(reference)
    assert (operation.state, operation.failures) == (State.READY, 0)
    assert (operation.reason, await floor.leases()) == (Reason.UNAUTHORISED, [])


async def test_a_write_that_the_client_refused_to_send_leaves_no_doubt(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = refusing(ConfigurationError("wrong secret"), "POST")
    with pytest.raises(ConfigurationError):
        await (await floor.conversation()).run()

    assert (await floor.operation(reference)).state is State.READY
    assert await floor.exchanges() == ["GET /institutions"]


async def test_a_fault_of_ours_counts_and_is_tried_again(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = refusing(ZeroDivisionError(), "GET")
    with pytest.raises(ZeroDivisionError):
        await (await floor.conversation()).run()

    operation = await floor.operation(reference)
    assert (operation.state, operation.reason) == (State.READY, Reason.UNEXPECTED)
    assert operation.failures == 1
    assert operation.not_before > floor.ledger.clock.now().timestamp()
    assert await floor.leases() == []


async def test_a_fault_of_ours_after_a_write_is_uncertain(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).after = refusing(ZeroDivisionError(), "POST")
    with pytest.raises(ZeroDivisionError):
        await (await floor.conversation()).run()

    operation = await floor.operation(reference)
    assert (operation.state, operation.failures) == (State.UNCERTAIN, 1)
    waits = operation.not_before - floor.ledger.clock.now().timestamp()
    assert waits == pytest.approx(SETTLE_SECONDS, abs=0.01)


async def test_a_procedure_that_forgets_an_operation_is_a_fault_of_ours(floor: Floor) -> None:
    reference = await floor.institution("A")

    class Forgetful(ConversationWorker):
        async def _hold(self) -> tuple[()]:
            return ()

    worker = await floor.conversation()
    forgetful = Forgetful(floor.bench, tuple(worker._works.values()), worker._lease)
    with pytest.raises(TypeError):
        await forgetful.run()

    operation = await floor.operation(reference)
    assert (operation.state, operation.reason) == (State.READY, Reason.UNEXPECTED)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(Meaning.THROTTLED, 429), State.READY),
        (Answer(Meaning.UNAVAILABLE, None, fault=Fault.CONNECT), State.READY),
        (Answer(Meaning.UNAUTHORISED, 403), State.READY),
        (Answer(Meaning.UNCERTAIN, None, fault=Fault.RESET), State.UNCERTAIN),
    ],
)
async def test_an_unsafe_call_is_in_doubt_only_if_it_may_have_done_something(
    floor: Floor, answer: Answer, state: State
) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = lambda request: answer if request.method == "POST" else None
    await (await floor.conversation()).run()

    assert (await floor.operation(reference)).state is state


async def test_an_uuid_taken_at_a_progress_holds_the_operation(floor: Floor) -> None:
    await floor.institution("A")
    await (await floor.conversation()).run()
    second = await floor.institution("B")
    register_of(floor).before = lambda request: (
        Answer(Meaning.DONE, 201, {"data": {"uuid": "u-1", "status": "inactive"}})
        if request.method == "POST"
        else None
    )
    settlements = await (await floor.conversation()).run()

    assert [each.outcome for each in settlements] == [Outcome.HELD]
    assert (await floor.operation(second)).reason == Reason.HELD_BY_ANOTHER
    sent = [f"{each.method} {each.route}" for each in register_of(floor).requests]
    assert await floor.exchanges() == sent


@pytest.mark.parametrize("again", [0, 1, 2], ids=["once", "twice", "twice, a step later"])
async def test_a_conversation_may_be_cancelled_wherever_it_waits(floor: Floor, again: int) -> None:
    register = register_of(floor)
    register.keeps_status = False
    states: list[State] = []
    for number in range(1000):
        reference = await floor.institution(f"cut {number}")
        worker = await floor.conversation()
        before = len(register.unsafe)
        was_whole = await cut(worker.run(), number, number + again)
        operation = await floor.operation(reference)
        states.append(operation.state)

        assert await floor.leases() == []
        if operation.state is State.READY:
            assert len(register.unsafe) == before
            assert operation.failures == 0
        await _finish(floor)
        rows = [row for row in register.rows if row["name"] == f"University cut {number}"]
        assert [row["status"] for row in rows] == ["active"]
        assert (await floor.operation(reference)).state is State.DONE
        if was_whole:
            break

    assert set(states) == {State.READY, State.UNCERTAIN, State.DONE}
    assert states.index(State.UNCERTAIN) > 1
    assert len(states) > 6


async def _finish(floor: Floor) -> None:
    """Do what a second dispatcher does later."""
    advance(floor, SETTLE_SECONDS + 100)
    await floor.work_off(floor.dispatcher(host="host b"))


async def test_a_cancelled_conversation_can_be_told_from_one_that_failed(floor: Floor) -> None:
    reference = await floor.institution("A")
    asked = asyncio.Event()

    async def stall(_request: Request) -> None:
        asked.set()
        await asyncio.Event().wait()

    register_of(floor).before = stall
    task = asyncio.create_task((await floor.conversation()).run())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    operation = await floor.operation(reference)
    assert (operation.reason, operation.failures) == (Reason.INTERRUPTED, 0)
    assert floor.pace.lanes_open() == 8
