"""What an answer means for an operation."""

import pytest

from ledger.reference import OperationKey, SourceRef
from sync.dispatcher import decide
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Doubt, Unknown
from sync.resources.definition import Kind

WORK = Work(OperationKey("o"), Kind.UPSERT, SourceRef("course", "CS"))
IN_DOUBT = decide.in_doubt(WORK)


@pytest.mark.parametrize(
    ("meaning", "outcome", "reason", "costs"),
    [
        (Meaning.THROTTLED, Outcome.RETRY, Reason.THROTTLED, 0),
        (Meaning.UNAVAILABLE, Outcome.RETRY, Reason.UNAVAILABLE, 0),
        (Meaning.UNAUTHORISED, Outcome.RETRY, Reason.UNAUTHORISED, 0),
        (Meaning.MISSING, Outcome.RETRY, Reason.UNAUTHORISED, 0),
        (Meaning.UNCERTAIN, Outcome.UNCERTAIN, Reason.UNCERTAIN, 1),
        (Meaning.INVALID, Outcome.RETRY, Reason.NOT_UNDERSTOOD, 1),
    ],
)
def test_an_answer_that_decides_nothing_puts_the_operation_off(
    meaning: Meaning, outcome: Outcome, reason: Reason, costs: int
) -> None:
    settlement = decide.put_off(WORK, Answer(meaning, 400, retry_after_seconds=3))

    assert settlement.outcome is outcome
    assert settlement.reason == reason
    assert settlement.retry_seconds == 3
    assert settlement.counts_as_failure == bool(costs)


@pytest.mark.parametrize("meaning", Meaning)
def test_what_is_in_doubt_never_becomes_ready_to_retry(meaning: Meaning) -> None:
    assert decide.put_off(IN_DOUBT, Answer(meaning, None)).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("doubt", Doubt)
def test_an_unknown_list_never_means_absence(doubt: Doubt) -> None:
    listing = Unknown(doubt, Answer(Meaning.DONE, 200))

    ready = decide.put_off_unknown(WORK, listing)
    doubted = decide.put_off_unknown(IN_DOUBT, listing)

    assert ready.outcome in {Outcome.RETRY, Outcome.HELD}
    assert ready.reason == Reason.LIST_UNKNOWN
    assert doubted.outcome is Outcome.UNCERTAIN or doubted.in_doubt


def test_a_list_without_an_answer_waits_like_its_answer() -> None:
    listing = Unknown(Doubt.UNANSWERED, Answer(Meaning.THROTTLED, 429, retry_after_seconds=8))

    settlement = decide.put_off_unknown(WORK, listing)

    assert settlement.reason == Reason.THROTTLED
    assert settlement.retry_seconds == 8


def test_doubt_is_kept_while_a_person_decides() -> None:
    assert decide.held(IN_DOUBT, Reason.SEVERAL_MATCHES).in_doubt
    assert not decide.held(decide.without_doubt(IN_DOUBT), Reason.SEVERAL_MATCHES).in_doubt
