import asyncio

import pytest

from ledger.shield import to_the_end


class Work:
    """Something that must not be cut."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.has_ended = False
        self._error = error

    async def __call__(self) -> str:
        self.begun.set()
        await self.may_end.wait()
        self.has_ended = True
        if self._error is not None:
            raise self._error
        return "result"


async def test_work_that_nobody_cuts_returns_what_it_returns() -> None:
    work = Work()
    work.may_end.set()

    assert await to_the_end(work()) == "result"


async def test_an_error_of_the_work_is_the_callers() -> None:
    work = Work(ZeroDivisionError())
    work.may_end.set()
    with pytest.raises(ZeroDivisionError):
        await to_the_end(work())


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
async def test_however_often_it_is_cancelled_the_work_ends_first(error: Exception | None) -> None:
    work = Work(error)
    caller = asyncio.create_task(to_the_end(work()))
    await work.begun.wait()
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
    still_waits = not caller.done()
    work.may_end.set()
    with pytest.raises(asyncio.CancelledError) as raised:
        await caller

    assert still_waits
    assert work.has_ended
    assert raised.value.__cause__ is error
