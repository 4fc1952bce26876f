import asyncio
from collections.abc import Sequence

import pytest

from ledger.errors import LedgerError
from ledger.writer import STEPS_MAX, Failed, Writer


class Recorder:
    """Stands for a database: remembers every batch and commits when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.began = asyncio.Event()

    async def run(self, batch: Sequence[int]) -> Sequence[object]:
        self.batches.append(list(batch))
        self.began.set()
        await self.may_commit.wait()
        if -1 in batch:
            message = "the whole batch was refused"
            raise LedgerError(message)
        return [Failed(LookupError("odd")) if step % 2 else step * 10 for step in batch]


async def test_each_caller_gets_its_own_answer() -> None:
    writer = Writer(Recorder().run)

    answers = await asyncio.gather(*(writer.submit(step) for step in (0, 2, 4)))

    assert answers == [0, 20, 40]


async def test_what_gathers_during_a_commit_shares_the_next_one() -> None:
    recorder = Recorder()
    recorder.may_commit.clear()
    writer = Writer(recorder.run)
    first = asyncio.create_task(writer.submit(0))
    await recorder.began.wait()

    others = [asyncio.create_task(writer.submit(step)) for step in (2, 4, 6)]
    await asyncio.sleep(0)
    recorder.may_commit.set()
    await asyncio.gather(first, *others)

    assert recorder.batches == [[0], [2, 4, 6]]


async def test_a_batch_is_bounded() -> None:
    recorder = Recorder()
    writer = Writer(recorder.run)

    await asyncio.gather(*(writer.submit(0) for _ in range(STEPS_MAX * 2 + 1)))

    assert [len(batch) for batch in recorder.batches] == [STEPS_MAX, STEPS_MAX, 1]


async def test_a_step_that_failed_alone_fails_for_its_caller_alone() -> None:
    writer = Writer(Recorder().run)

    answers = await asyncio.gather(
        *(writer.submit(step) for step in (2, 3, 4)), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [int, LookupError, int]


async def test_a_batch_that_failed_fails_for_all_and_the_next_one_goes_on() -> None:
    writer = Writer(Recorder().run)

    refused = await asyncio.gather(
        *(writer.submit(step) for step in (2, -1)), return_exceptions=True
    )
    answer = await writer.submit(4)

    assert [type(each) for each in refused] == [LedgerError, LedgerError]
    assert answer == 40


async def test_a_caller_that_was_cancelled_leaves_its_step_to_be_committed() -> None:
    recorder = Recorder()
    recorder.may_commit.clear()
    writer = Writer(recorder.run)
    first = asyncio.create_task(writer.submit(0))
    await recorder.began.wait()
    cancelled = asyncio.create_task(writer.submit(2))
    await asyncio.sleep(0)

    cancelled.cancel()
    recorder.may_commit.set()
    await asyncio.wait([cancelled])
    await first
    await writer.close()

    assert cancelled.cancelled()
    assert recorder.batches == [[0], [2]]


async def test_closing_commits_what_waits_and_takes_nothing_more() -> None:
    recorder = Recorder()
    recorder.may_commit.clear()
    writer = Writer(recorder.run)
    waiting = [asyncio.create_task(writer.submit(step)) for step in (0, 2)]
    await recorder.began.wait()

    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    recorder.may_commit.set()
    await closing

    assert [task.result() for task in waiting] == [0, 20]
    with pytest.raises(LedgerError, match="closed: open it again"):
        await writer.submit(4)


async def test_closing_twice_is_safe() -> None:
    writer = Writer(Recorder().run)
    await writer.submit(0)

    await writer.close()
    await writer.close()
