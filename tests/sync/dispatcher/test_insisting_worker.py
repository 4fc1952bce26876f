"""What must not go unsaid is written once the ledger is not busy any more."""

import pytest

from ledger.errors import LedgerBusyError
from sync.dispatcher.insisting_worker import PAUSES, insist


class Busy:
    """A ledger that is busy so many times, and counts how often it was asked."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.asked = 0

    async def write(self) -> str:
        self.asked += 1
        if self.asked <= self._times:
            message = "others keep getting in the way"
            raise LedgerBusyError(message)
        return "written"


async def test_what_was_refused_is_written_a_moment_later() -> None:
    busy = Busy(times=2)

    assert await insist(busy.write) == "written"
    assert busy.asked == 3


async def test_a_ledger_that_stays_busy_is_told_of_in_the_end() -> None:
    busy = Busy(times=100)

    with pytest.raises(LedgerBusyError):
        await insist(busy.write)

    assert busy.asked == len(PAUSES) + 1


async def test_another_error_is_told_of_at_once() -> None:
    asked: list[str] = []

    async def write() -> None:
        asked.append("once")
        message = "this is no number"
        raise ValueError(message)

    with pytest.raises(ValueError, match="no number"):
        await insist(write)

    assert asked == ["once"]
