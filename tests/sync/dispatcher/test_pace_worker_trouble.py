from random import Random

import pytest

from ledger.clock import ManualClock
from ledger.errors import LedgerBusyError
from sync.dispatcher.circuit import FAILURES_MAX, PROBE_SECONDS_MIN, SETTLE_SECONDS, State
from sync.dispatcher.outage import Outage
from sync.dispatcher.pace_worker import Asked, Pace
from sync.dispatcher.share_worker import LoneBook
from sync.dispatcher.shares import Grant, Report
from sync.dokstamp.answer import Answer, Meaning
from sync.telemetry.signals import CircuitChanged, Signal

ALIVE = Answer(Meaning.DONE, 200)
FAILED = Answer(Meaning.UNAVAILABLE, 503)
UNSURE = Answer(Meaning.UNCERTAIN, 500)
ODD = Answer(Meaning.UNAVAILABLE, 500)


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands still."""
    return ManualClock()


class Book(LoneBook):
    """Counts who asks for a probe, and is busy when a test wants it."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.probes = 0
        self.returns = 0
        self.is_busy = False

    async def exchange(self, report: Report, outage: Outage | None) -> Grant:
        if self.is_busy:
            message = "ask again"
            raise LedgerBusyError(message)
        self.probes += report.probe_seconds > 0
        self.returns += report.has_returned
        return await super().exchange(report, outage)


def pace_of(clock: ManualClock, book: Book, told: list[Signal] | None = None) -> Pace:
    announce = (lambda _: None) if told is None else told.append
    return Pace(
        per_second_max=0, lanes_max=8, clock=clock, rng=Random(1), book=book, announce=announce
    )


def write(about: str) -> Asked:
    return Asked(is_safe=False, about=about)


async def call(pace: Pace, answer: Answer, asked: Asked | None = None) -> None:
    asked = asked or Asked()
    assert await pace.admit(asked) is None
    pace.note(answer, asked)


async def without_writes(pace: Pace) -> None:
    for number in range(FAILURES_MAX):
        await call(pace, UNSURE, write(f"operation {number}"))


async def probe_in_vain(pace: Pace, clock: ManualClock) -> list[bool]:
    """Let four probes fail, two of them in a row for the same; tells whether each is to blame."""
    blamed = []
    for about in ("a", "b", "b", "a"):
        clock.advance(60)
        await call(pace, UNSURE, write(about))
        blamed.append(pace.is_own_trouble(about))
    return blamed


async def test_a_turn_to_probe_lasts_until_something_is_written(clock: ManualClock) -> None:
    book = Book(clock)
    pace = pace_of(clock, book)
    await without_writes(pace)
    clock.advance(PROBE_SECONDS_MIN)
    turns = []
    for _ in range(3):
        turns.append(await pace.may_go())
        await call(pace, ALIVE)
    await call(pace, UNSURE, write("operation 0"))

    assert (turns, book.probes) == ([True, True, True], 1)
    assert not await pace.may_go()


async def test_a_book_that_is_busy_lets_no_probe_go(clock: ManualClock) -> None:
    book = Book(clock)
    pace = pace_of(clock, book)
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
    clock.advance(PROBE_SECONDS_MIN)
    book.is_busy = True
    asked = await pace.may_go()
    book.is_busy = False
    clock.advance(1)

    assert (asked, await pace.may_go()) == (False, True)


async def test_an_outage_that_is_over_is_told_without_more_calls(clock: ManualClock) -> None:
    told: list[Signal] = []
    pace = pace_of(clock, Book(clock), told)
    for _ in range(FAILURES_MAX):
        await call(pace, FAILED)
    clock.advance(PROBE_SECONDS_MIN)
    await call(pace, ALIVE)
    await pace.tell()
    is_over = not pace.is_in_trouble
    clock.advance(SETTLE_SECONDS)
    await pace.tell()

    assert (is_over, pace.is_in_trouble, pace.lanes_open()) == (False, False, 8)
    states = [each.state for each in told if isinstance(each, CircuitChanged)]
    assert states == ["open", "closed"]


async def test_an_odd_answer_alone_is_no_return(clock: ManualClock) -> None:
    book = Book(clock)
    pace = pace_of(clock, book)
    for _ in range(FAILURES_MAX):
        await call(pace, ODD)
    clock.advance(PROBE_SECONDS_MIN)
    await call(pace, ODD, Asked(is_filtered=True))
    await call(pace, ODD)
    await pace.tell()

    assert (book.returns, pace.circuit.state) == (0, State.OPEN)
    assert pace.seconds_until_open() == 2 * PROBE_SECONDS_MIN


async def test_the_only_write_that_fails_probe_after_probe_is_to_blame(clock: ManualClock) -> None:
    pace = pace_of(clock, Book(clock))
    await call(pace, UNSURE, write("a"))
    await call(pace, UNSURE, write("b"))
    await call(pace, ALIVE, write("good"))
    await without_writes(pace)
    blamed = await probe_in_vain(pace, clock)

    assert blamed == [False, False, True, False]
    assert not pace.is_own_trouble("another")


async def test_nothing_is_to_blame_where_no_write_was_answered(clock: ManualClock) -> None:
    pace = pace_of(clock, Book(clock))
    await call(pace, ALIVE, write("good"))
    await without_writes(pace)

    assert await probe_in_vain(pace, clock) == [False] * 4
