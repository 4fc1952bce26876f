from random import Random

from ledger.clock import ManualClock
from sync.dispatcher.backoff import PAUSE_SECONDS_MAX, Budget
from sync.dispatcher.circuit import FAILURES_MAX, State
from sync.dispatcher.pace_worker import Pace
from sync.dokstamp.answer import Answer, Meaning

MANY = int(Budget().retries_max) * 3


def pace() -> Pace:
    return Pace(per_second_max=0, lanes_max=8, clock=ManualClock(), rng=Random(1))


async def fail(pace: Pace, *, times: int) -> None:
    for _ in range(times):
        await pace.admit()
        pace.note(Answer(Meaning.UNAVAILABLE, None))


async def test_operations_that_meet_an_outage_rest_no_longer_than_their_failures_ask() -> None:
    out = pace()
    await fail(out, times=FAILURES_MAX)

    pauses = [out.pause_seconds(1, asked=None) for _ in range(MANY)]

    assert out.circuit.state is State.OPEN
    assert max(pauses) < 2


async def test_retries_of_single_failures_stay_within_the_budget() -> None:
    well = pace()

    pauses = [well.pause_seconds(1, asked=None) for _ in range(MANY)]

    assert well.circuit.state is State.CLOSED
    assert pauses[0] < 2
    assert pauses[-1] >= PAUSE_SECONDS_MAX
