import asyncio

import pytest

from ledger.clock import ManualClock
from ledger.errors import EventError, IntegrityError, LedgerBusyError, StorageError
from sync.errors import ConfigurationError
from sync.runtime.service import RESTART_SECONDS_MAX, RESTART_SECONDS_MIN, Service, cancel


class Turns:
    """A loop's turn that fails as it is told, and else waits to be let go."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.Event().wait()


async def rests_of(turns: Turns, clock: ManualClock) -> list[float]:
    """Return how long a service rested after each of its deaths."""
    service = Service("opener", turns, clock=clock)
    task = asyncio.create_task(service.run())
    rests = []
    for _ in range(len(turns.errors)):
        await clock.until_sleeping()
        rests.append(clock.seconds_to_next_wake() or 0.0)
        clock.advance(rests[-1])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await cancel([task])
    return rests


async def test_a_service_begins_again_after_ever_longer_rests() -> None:
    rests = await rests_of(Turns(*[ValueError() for _ in range(9)]), ManualClock())

    assert rests[:3] == [RESTART_SECONDS_MIN, RESTART_SECONDS_MIN * 2, RESTART_SECONDS_MIN * 4]
    assert rests[-1] == RESTART_SECONDS_MAX


async def test_a_good_turn_ends_a_series_of_deaths() -> None:
    clock = ManualClock()
    script = [ValueError(), ValueError(), None, ValueError()]
    rests = []

    async def turn() -> None:
        error = script.pop(0) if script else None
        if error is not None:
            raise error
        if not script:
            await asyncio.Event().wait()

    service = Service("opener", turn, clock=clock)
    task = asyncio.create_task(service.run())
    for _ in range(3):
        await clock.until_sleeping()
        rests.append(clock.seconds_to_next_wake())
        clock.advance(rests[-1] or 0.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await cancel([task])

    assert rests == [RESTART_SECONDS_MIN, RESTART_SECONDS_MIN * 2, RESTART_SECONDS_MIN]
    assert service.pulse.deaths == 3


@pytest.mark.parametrize(
    "error", [StorageError("full"), IntegrityError("damaged"), ConfigurationError("secret")]
)
async def test_what_a_person_must_mend_ends_the_service(error: Exception) -> None:
    died: list[object] = []
    turns = Turns(error)
    service = Service(
        "opener", turns, clock=ManualClock(), died=lambda name, why: died.append((name, why))
    )
    with pytest.raises(type(error)):
        await service.run()

    assert (turns.count, died) == (1, [("opener", error)])
    assert (service.pulse.is_alive, service.pulse.last_error) == (False, error)


@pytest.mark.parametrize("error", [LedgerBusyError("busy"), EventError("odd"), OSError()])
async def test_anything_else_passes(error: Exception) -> None:
    turns, clock = Turns(error), ManualClock()
    assert await rests_of(turns, clock) == [RESTART_SECONDS_MIN]

    assert turns.count == 2


async def test_a_service_outlives_the_cancellation_of_what_it_waits_for() -> None:
    clock, cancelled = ManualClock(), asyncio.get_running_loop().create_future()
    cancelled.cancel()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await (cancelled if turns == 1 else asyncio.Event().wait())

    service = Service("opener", turn, clock=clock)
    task = asyncio.create_task(service.run())
    await clock.until_sleeping()
    is_alive, error = service.pulse.is_alive, service.pulse.last_error
    clock.advance(RESTART_SECONDS_MIN)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await cancel([task])

    assert (is_alive, type(error)) == (False, InterruptedError)
    assert (turns, task.cancelled()) == (2, True)


async def test_cancelling_waits_for_the_last_task_even_when_it_is_cancelled_itself() -> None:
    may_end = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    cancelling = asyncio.create_task(cancel([task]))
    await asyncio.sleep(0)
    cancelling.cancel()
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.wait([cancelling])

    assert task.done()
    assert cancelling.cancelled()
