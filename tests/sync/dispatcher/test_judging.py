import pytest

from ledger.reference import OperationKey
from sync.dispatcher.judging import FAILURES_MAX, hold_if_stuck, pause_seconds
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Settlement

KEY = OperationKey("key")
BACK_OFF = 7.0


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
