import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.clock import ManualClock
from ledger.errors import StorageError
from ledger.outbox.operation import State
from sync.dispatcher.circuit import FAILURES_MAX as CIRCUIT_FAILURES_MAX
from sync.dispatcher.outcome_writer import OutcomeWriter
from sync.dispatcher.reasons import Reason
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from sync.telemetry.signals import ConversationFailed
from tests.sync.dispatcher.floor import (
    LEASE_SECONDS,
    SETTLE_SECONDS,
    Floor,
    advance,
    cut,
    failing,
    floor_in,
    register_of,
)


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger and a fake register."""
    async with floor_in(home) as floor:
        yield floor


class Stall:
    """Makes every call wait until it is let go."""

    def __init__(self, floor: Floor) -> None:
        self.asked = asyncio.Event()
        self.is_over = asyncio.Event()
        register_of(floor).before = self

    async def __call__(self, _request: Request) -> None:
        self.asked.set()
        await self.is_over.wait()


async def test_one_conversation_goes_on_in_each_lane(floor: Floor) -> None:
    first = await floor.institution("A")
    await floor.institution("B")
    stall = Stall(floor)
    dispatcher = floor.dispatcher(lanes_max=8)
    started = await dispatcher.dispatch()
    again = await dispatcher.dispatch()
    stall.is_over.set()
    await dispatcher.drain(60)

    assert (started, again, dispatcher.active) == (2, 0, 0)
    assert dispatcher.counts.done == 2
    assert (await floor.operation(first)).state is State.DONE


async def test_nothing_is_claimed_while_nothing_may_be_called(floor: Floor) -> None:
    await floor.institution("A")
    for _ in range(CIRCUIT_FAILURES_MAX):
        await floor.pace.admit()
        floor.pace.note(Answer(Meaning.UNAVAILABLE, 503))
    size = await floor.size()
    started = [await floor.dispatcher().dispatch() for _ in range(20)]

    assert (started, await floor.size()) == ([0] * 20, size)


async def test_an_outage_makes_the_log_grow_by_its_probes_only(floor: Floor) -> None:
    for number in range(10):
        await floor.institution(str(number))
    register_of(floor).before = failing(503)
    dispatcher = floor.dispatcher()
    await floor.work_off(dispatcher)
    size, calls = await floor.size(), len(register_of(floor).requests)
    for _ in range(600):
        advance(floor, 1)
        await dispatcher.dispatch()
        await dispatcher.drain(60)

    probes = len(register_of(floor).requests) - calls
    assert 5 < probes < 20
    assert await floor.size() - size == 2 * probes


async def test_a_403_stops_the_tenant_and_leaves_all_ready(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = failing(403)
    dispatcher = floor.dispatcher()
    await floor.work_off(dispatcher)
    await floor.institution("B")
    advance(floor, 60)

    assert isinstance(dispatcher.fault, ConfigurationError)
    assert await dispatcher.dispatch() == 0
    operation = await floor.operation(reference)
    assert (operation.state, operation.reason) == (State.READY, Reason.UNAUTHORISED)


async def test_refused_credentials_stop_the_tenant_and_are_told(floor: Floor) -> None:
    await floor.institution("A")
    told: list[object] = []
    floor.bench = replace(floor.bench, announce=told.append)

    def refuse(_request: Request) -> None:
        message = "wrong secret"
        raise ConfigurationError(message)

    register_of(floor).before = refuse
    dispatcher = floor.dispatcher()
    await floor.work_off(dispatcher)

    assert str(dispatcher.fault) == "wrong secret"
    assert "TenantStopped" in [type(each).__name__ for each in told]


async def test_one_poison_record_delays_nobody_else(floor: Floor) -> None:
    poison = await floor.institution("poison")
    others = [await floor.institution(str(number)) for number in range(5)]

    def fail(request: Request) -> None:
        if request.method == "POST" and "poison" in str((request.body or {})["name"]):
            raise ZeroDivisionError

    told: list[object] = []
    floor.bench = replace(floor.bench, announce=told.append)
    register_of(floor).before = fail
    dispatcher = floor.dispatcher()
    await floor.work_off(dispatcher)

    failed = [each for each in told if isinstance(each, ConversationFailed)]
    assert {each.error for each in failed} == {"ZeroDivisionError"}
    assert failed[0].place.startswith("fail in test_worker.py:")
    assert {(await floor.operation(each)).state for each in others} == {State.DONE}
    assert (await floor.operation(poison)).reason == Reason.UNEXPECTED
    assert isinstance(dispatcher.last_error, ZeroDivisionError)


async def test_living_conversations_keep_their_lease_and_others_lose_it(floor: Floor) -> None:
    await floor.institution("A")
    stall = Stall(floor)
    dispatcher = floor.dispatcher()
    await dispatcher.dispatch()
    await stall.asked.wait()
    await floor.institution("B")
    await floor.conversation()
    advance(floor, LEASE_SECONDS / 2)
    await dispatcher.beat()
    until = sorted(seconds for _, seconds in await floor.leases())
    stall.is_over.set()
    await dispatcher.drain(60)

    assert until[1] - until[0] == pytest.approx(LEASE_SECONDS / 2)


async def test_a_lease_that_was_prolonged_lets_the_conversation_go_on(floor: Floor) -> None:
    reference = await floor.institution("A")
    stall = Stall(floor)
    dispatcher = floor.dispatcher()
    await dispatcher.dispatch()
    await stall.asked.wait()
    for _ in range(6):
        advance(floor, LEASE_SECONDS / 3)
        await dispatcher.beat()
    stall.is_over.set()
    await dispatcher.drain(60)

    assert (await floor.operation(reference)).state is State.DONE


async def test_stopping_lets_conversations_end_within_a_bound(floor: Floor) -> None:
    reference = await floor.institution("A")
    stall = Stall(floor)
    dispatcher = floor.dispatcher()
    await dispatcher.dispatch()
    await stall.asked.wait()
    await dispatcher.drain(0.01)
    await dispatcher.cut_short()
    await dispatcher.cut_short()

    assert (dispatcher.active, await floor.leases()) == (0, [])
    assert (await floor.operation(reference)).state is State.READY


@pytest.mark.parametrize("at", range(8))
async def test_a_claim_that_is_cut_short_is_worked_on_or_given_back(floor: Floor, at: int) -> None:
    reference = await floor.institution("A")
    dispatcher = floor.dispatcher()
    await cut(dispatcher.dispatch(), at)
    await dispatcher.cut_short()

    assert await floor.leases() == []
    assert (await floor.operation(reference)).state in {State.READY, State.UNCERTAIN, State.DONE}


async def test_a_cancelled_assembly_costs_the_operation_nothing(floor: Floor) -> None:
    reference = await floor.institution("A")
    dispatcher = floor.dispatcher()
    await dispatcher.dispatch()
    await dispatcher.cut_short()
    operation = await floor.operation(reference)

    assert (operation.state, operation.failures) == (State.READY, 0)
    assert operation.not_before <= floor.ledger.clock.now().timestamp()


async def test_a_full_disk_ends_the_dispatcher_and_the_next_one_finds_out(floor: Floor) -> None:
    reference = await floor.institution("A")

    class Full(OutcomeWriter):
        async def settle(self, *_: object, **__: object) -> bool:
            message = "the disk is full"
            raise StorageError(message)

    sound = floor.bench
    floor.bench = replace(floor.bench, writer=Full(floor.ledger))
    dispatcher = floor.dispatcher()
    await dispatcher.dispatch()
    await dispatcher.drain(60)
    with pytest.raises(StorageError):
        await dispatcher.dispatch()
    floor.bench = sound
    for _ in range(6):
        advance(floor, (LEASE_SECONDS + SETTLE_SECONDS) / 5)
        await dispatcher.beat()
    await floor.work_off(floor.dispatcher(host="host b"))

    assert (await floor.operation(reference)).state is State.DONE
    assert len(register_of(floor).rows) == 1


class LeapingClock(ManualClock):
    """A clock whose moments leap while its seconds go on, as when a machine wakes from sleep."""

    leap = timedelta()

    def now(self) -> datetime:
        return super().now() + self.leap


async def test_a_leap_of_the_clock_starts_no_second_conversation(home: Path) -> None:
    clock = LeapingClock()
    async with floor_in(home, clock=clock) as leaping:
        reference = await leaping.institution("A")
        stall = Stall(leaping)
        dispatcher = leaping.dispatcher()
        await dispatcher.dispatch()
        await stall.asked.wait()

        clock.leap = timedelta(hours=1)
        started = await dispatcher.dispatch()
        stall.is_over.set()
        await dispatcher.drain(60)

        assert started == 0
        assert (await leaping.operation(reference)).state is State.DONE
        assert register_of(leaping).unsafe == ["POST"]


async def test_a_leap_of_the_clock_ends_no_settle_window(home: Path) -> None:
    clock = LeapingClock()
    async with floor_in(home, clock=clock) as leaping:
        reference = await leaping.institution("A")
        dispatcher = leaping.dispatcher()
        register_of(leaping).before = failing(500, "POST")
        await leaping.work_off(dispatcher)
        doubted = (await leaping.operation(reference)).state
        register_of(leaping).before = lambda _: None

        clock.leap = timedelta(hours=1)
        at_once = await dispatcher.dispatch()
        advance(leaping, SETTLE_SECONDS + 1)
        later = await dispatcher.dispatch()
        await dispatcher.drain(60)

        assert (doubted, at_once, later) == (State.UNCERTAIN, 0, 1)
        assert (await leaping.operation(reference)).state is State.DONE
