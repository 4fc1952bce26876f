"""What is in doubt and always fails, and what becomes of the rest meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.dispatcher.circuit import FAILURES_MAX
from sync.dispatcher.pace_worker import Asked
from sync.dispatcher.worker import Dispatcher
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.request import Request
from tests.sync.dispatcher.floor import Floor, advance, answered, floor_in, register_of


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger and a fake register."""
    async with floor_in(home) as floor:
        yield floor


def is_poisoned(request: Request) -> bool:
    return request.method == "POST" and "poison" in str((request.body or {})["name"])


def refuse(request: Request) -> Answer | None:
    return answered(request, 500) if is_poisoned(request) else None


def break_off(request: Request) -> None:
    if is_poisoned(request):
        raise ZeroDivisionError


async def pass_time(floor: Floor, dispatcher: Dispatcher, seconds: int) -> None:
    for _ in range(seconds // 20):
        advance(floor, 20)
        await floor.work_off(dispatcher)


async def stop_writes(floor: Floor, count: int) -> list[SourceRef]:
    """Let writes stop, with so many poisoned records."""
    records = [await floor.institution(f"poison {number}") for number in range(count)]
    register_of(floor).before = refuse
    await floor.work_off(floor.dispatcher())
    for number in range(FAILURES_MAX - count):
        write = Asked(is_safe=False, about=f"elsewhere {number}")
        assert await floor.pace.admit(write) is None
        floor.pace.note(Answer(Meaning.UNCERTAIN, 500), write)
    return records


@pytest.mark.parametrize("count", [1, 2, 3, 4])
async def test_poisoned_records_keep_no_good_one_from_being_sent(floor: Floor, count: int) -> None:
    poisoned = await stop_writes(floor, count)
    stopped = floor.pace.outage
    good = await floor.institution("good")
    dispatcher = floor.dispatcher()
    await pass_time(floor, dispatcher, 120)
    sent = (await floor.operation(good)).state
    await pass_time(floor, dispatcher, 600)

    assert stopped is not None
    assert (sent, floor.pace.outage) == (State.DONE, None)
    assert {(await floor.operation(each)).state for each in poisoned} == {State.HELD}
