import asyncio
from random import Random

import pytest

from tests.simulation.loop import Process, StuckError, VirtualLoop


def test_time_jumps_to_the_next_timer() -> None:
    loop = VirtualLoop(Random(1))

    loop.run_until_complete(asyncio.sleep(86_400))

    assert loop.time() == pytest.approx(86_400)
    assert loop.iterations < 10
    loop.close()


def test_a_killed_process_never_runs_again_not_even_its_finally() -> None:
    loop, process, seen = VirtualLoop(Random(1)), Process("host"), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(1)
            seen.append("worked")
        finally:
            seen.append("cleaned up")

    loop.start(process, work())
    loop.call_later(0.5, process.kill)
    loop.run_until_complete(asyncio.sleep(5))

    assert seen == []
    process.tasks.clear()
    loop.close()


def test_a_stopped_process_goes_on_where_it_was() -> None:
    loop, process, seen = VirtualLoop(Random(1)), Process("host"), list[float]()

    async def work() -> None:
        await asyncio.sleep(1)
        seen.append(loop.time())

    loop.start(process, work())
    loop.call_later(0.5, lambda: setattr(process, "is_stopped", True))
    loop.call_later(60, lambda: loop.resume(process))
    loop.run_until_complete(asyncio.sleep(100))

    assert seen == [60.0]
    loop.close()


def test_the_same_seed_runs_tasks_in_the_same_order() -> None:
    first, again, other = (_order(Random(seed)) for seed in (5, 5, 6))

    assert first == again
    assert first != other


def test_a_loop_in_which_nothing_will_ever_happen_says_so() -> None:
    loop = VirtualLoop(Random(1))

    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError, match="nothing is ready"):
        loop.run_until_complete(wait_for_ever())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def _order(rng: Random) -> list[int]:
    loop, seen = VirtualLoop(rng), list[int]()

    async def work(number: int) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
            seen.append(number)

    async def all_of_it() -> None:
        await asyncio.gather(*(work(number) for number in range(5)))

    loop.run_until_complete(all_of_it())
    loop.close()
    return seen
