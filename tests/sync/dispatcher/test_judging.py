from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import OperationKey, SourceRef
from sync.dispatcher.backoff import JITTER, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, Budget
from sync.dispatcher.judge_worker import Judge
from sync.dispatcher.judging import FAILURES_MAX, hold_if_stuck, pause_seconds
from sync.dispatcher.pace_worker import Asked
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Settlement
from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.request import Request
from tests.sync.dispatcher.floor import Floor, advance, failing, floor_in, register_of

KEY = OperationKey("key")
BACK_OFF = 7.0
ELSEWHERE = Asked(is_safe=False, about="elsewhere")


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger and a fake register."""
    async with floor_in(home) as floor:
        yield floor


def settled(outcome: Outcome, reason: str = Reason.UNCERTAIN, **more: float | None) -> Settlement:
    return Settlement(KEY, outcome, reason, retry_seconds=more.get("retry_seconds"))


@pytest.mark.parametrize(
    ("outcome", "failures", "is_own_trouble", "expected"),
    [
        (Outcome.RETRY, FAILURES_MAX - 1, True, Outcome.RETRY),
        (Outcome.RETRY, FAILURES_MAX, True, Outcome.HELD),
        (Outcome.UNCERTAIN, FAILURES_MAX, True, Outcome.HELD),
        (Outcome.UNCERTAIN, FAILURES_MAX, False, Outcome.UNCERTAIN),
        (Outcome.DONE, FAILURES_MAX, True, Outcome.DONE),
        (Outcome.DEAD, FAILURES_MAX, True, Outcome.DEAD),
    ],
)
def test_only_trouble_of_its_own_holds_an_operation(
    outcome: Outcome,
    failures: int,
    is_own_trouble: bool,  # noqa: FBT001 - a column of the table
    expected: Outcome,
) -> None:
    judged = hold_if_stuck(settled(outcome), failures=failures, is_own_trouble=is_own_trouble)

    assert judged.outcome is expected
    assert judged.in_doubt is (outcome is Outcome.UNCERTAIN and expected is Outcome.HELD)


def test_a_fault_of_ours_holds_an_operation_in_an_outage_too() -> None:
    faulty = settled(Outcome.RETRY, Reason.UNEXPECTED)

    judged = hold_if_stuck(faulty, failures=FAILURES_MAX, is_own_trouble=False)
    assert judged.outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("settlement", "expected"),
    [
        (settled(Outcome.DONE), 0),
        (settled(Outcome.HELD), 0),
        (settled(Outcome.UNCERTAIN), 30),
        (settled(Outcome.UNCERTAIN, retry_seconds=45.0), 45),
        (settled(Outcome.RETRY, Reason.INTERRUPTED, retry_seconds=0.0), 0),
        (settled(Outcome.RETRY, Reason.ISSUING, retry_seconds=24.0), 24),
        (settled(Outcome.RETRY, Reason.UNEXPECTED), BACK_OFF),
        (settled(Outcome.RETRY, Reason.THROTTLED, retry_seconds=0.0), BACK_OFF),
        (settled(Outcome.RETRY, Reason.UNAVAILABLE, retry_seconds=90.0), 90),
    ],
)
def test_how_long_an_operation_rests(settlement: Settlement, expected: float) -> None:
    pause = pause_seconds(
        settlement, settle_seconds=30, back_off=lambda asked: max(asked or 0, BACK_OFF)
    )

    assert pause == expected


def unheard(request: Request) -> Answer | None:
    """Answer no write."""
    fault = Fault.TIMEOUT
    return None if request.is_safe else Answer(Meaning.UNCERTAIN, None, fault=fault)


async def fail_often(floor: Floor, reference: SourceRef, *, is_alive: bool) -> State:
    """Let the creation of one record fail as often as is borne, and one time more."""
    for _ in range(FAILURES_MAX + 1):
        operation = await floor.operation(reference)
        now = floor.ledger.clock.now().timestamp()
        advance(floor, max(0.0, operation.not_before - now) + 120)
        if operation.state not in {State.READY, State.UNCERTAIN}:
            break
        if not is_alive:
            for _ in range(2):
                await floor.pace.admit()
                floor.pace.note(Answer(Meaning.UNAVAILABLE, 503))
        await (await floor.conversation()).run()
        if is_alive:
            await floor.pace.admit(ELSEWHERE)
            floor.pace.note(Answer(Meaning.DONE, 201), ELSEWHERE)
    return (await floor.operation(reference)).state


async def test_a_record_that_keeps_failing_while_others_succeed_is_held(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = failing(500, "POST")

    assert await fail_often(floor, reference, is_alive=True) is State.HELD
    operation = await floor.operation(reference)
    assert (operation.failures, operation.possibly_sent) == (FAILURES_MAX, True)


@pytest.mark.parametrize("status", [500, 503, None])
async def test_a_record_alone_is_not_held_for_a_service_that_takes_no_writes(
    floor: Floor, status: int | None
) -> None:
    reference = await floor.institution("A")
    register = register_of(floor)
    register.before = failing(status, "POST") if status else unheard
    states = set()
    for _ in range(3 * FAILURES_MAX):
        await (await floor.conversation()).run()
        states.add((await floor.operation(reference)).state)
        advance(floor, 60)
    failures = (await floor.operation(reference)).failures
    register.before = lambda _: None
    await (await floor.conversation()).run()

    assert (states, failures) == ({State.UNCERTAIN}, 0)
    assert (await floor.operation(reference)).state is State.DONE
    assert len(register.rows) == 1


async def test_nothing_is_held_in_an_outage(floor: Floor) -> None:
    reference = await floor.institution("A")
    register_of(floor).before = failing(503)

    assert await fail_often(floor, reference, is_alive=False) is State.READY
    assert (await floor.operation(reference)).failures == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_asks_for_no_pause_gets_one(floor: Floor, status: int) -> None:
    reference = await floor.institution("A")
    meaning = Meaning.THROTTLED if status == 429 else Meaning.UNAVAILABLE
    register_of(floor).before = lambda _: Answer(meaning, status, retry_after_seconds=0.0)
    await (await floor.conversation()).run()

    operation = await floor.operation(reference)
    assert operation.not_before >= floor.ledger.clock.now().timestamp() + 1


async def test_one_conversation_is_one_retry_however_much_it_carries(floor: Floor) -> None:
    reference = await floor.institution("A")
    unheard_of = Settlement(
        (await floor.operation(reference)).key, Outcome.RETRY, Reason.UNAVAILABLE
    )
    judge = Judge(floor.ledger, floor.pace, settle_seconds=30)
    conversation = [(await floor.operation(reference), unheard_of)] * 50

    longest = []
    for _ in range(int(Budget().retries) + 1):
        rests = [verdict.rest_seconds for verdict in await judge.judge(conversation)]
        longest.append(max(rests))
    assert max(longest[:-1]) <= PAUSE_SECONDS_MIN * (1 + JITTER)
    assert longest[-1] >= PAUSE_SECONDS_MAX
