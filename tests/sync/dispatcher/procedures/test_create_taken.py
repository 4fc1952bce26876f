"""A create whose key DokStamp calls taken: something is there, whatever the lists show."""

import pytest

from ledger.reference import SourceRef
from sync.dispatcher.procedures import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from tests.sync.dispatcher.procedures.samples import row, upsert
from tests.sync.dispatcher.procedures.transcript import (
    Line,
    Reply,
    lists,
    made,
    missing,
    play,
    refuses,
    throttled,
    unreachable,
)

SEARCH = "GET /students?where[email]=ana+sis@example.edu"
POST = "POST /students"
TAKEN: list[Line] = [(SEARCH, lists()), (POST, refuses("email"))]
HELD_FOR_SEVERAL = (Outcome.HELD, Reason.SEVERAL_MATCHES)
OTHER_NAME = row("student", "u-9", name="Somebody Else")


def looking() -> Work:
    """Return a create that found its key taken a settle window ago."""
    return upsert("student", progress={"taken": ["email"]}, possibly_sent=True)


def test_a_taken_key_that_no_list_shows_is_looked_for_once_more_later() -> None:
    script = [
        (SEARCH, lists()),
        (POST, refuses("email")),
        (SEARCH, lists()),
        ("GET /students", lists()),
    ]

    played = play(upsert("student"), script, rules=Rules(settle_seconds=7))

    settlement = played.settlement
    assert (settlement.outcome, settlement.reason) == (Outcome.UNCERTAIN, Reason.NOT_LISTED)
    assert (settlement.retry_seconds, settlement.counts_as_failure) == (7, False)
    assert played.facts == {"taken": ["email"]}


def test_a_taken_key_that_still_no_list_shows_is_held_and_not_sent_again() -> None:
    script = [(SEARCH, lists()), ("GET /students", lists())]

    played = play(looking(), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.HIDDEN_RECORD
    assert not played.settlement.in_doubt
    assert played.settlement.fields == ("email",)
    assert played.facts == {"taken": None}


def test_a_taken_key_that_a_list_shows_later_is_adopted() -> None:
    script = [(SEARCH, lists(row("student", "u-3")))]

    played = play(looking(), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "u-3")


def test_a_person_who_says_retry_has_a_taken_key_sent_anew() -> None:
    script = [(SEARCH, lists()), (POST, made("u-1"))]

    played = play(upsert("student", progress={"taken": None}), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "u-1")


@pytest.mark.parametrize("reply", [throttled(), unreachable()])
def test_a_taken_key_stays_in_doubt_while_the_list_cannot_be_read(reply: Reply) -> None:
    at_once = play(upsert("student"), [*TAKEN, (SEARCH, reply)])
    later = play(upsert("student", progress={"taken": ["email"]}), [(SEARCH, reply)])

    assert at_once.settlement.outcome is Outcome.UNCERTAIN
    assert later.settlement.outcome is Outcome.UNCERTAIN
    assert later.progress == []


@pytest.mark.parametrize("reply", [throttled(), unreachable()])
def test_a_duplicate_without_fields_stays_in_doubt_while_the_list_cannot_be_read(
    reply: Reply,
) -> None:
    played = play(
        upsert("student"), [(SEARCH, lists()), (POST, refuses(status=409)), (SEARCH, reply)]
    )

    assert played.settlement.outcome is Outcome.UNCERTAIN


def test_a_hold_of_the_second_look_forgets_that_the_key_was_taken() -> None:
    played = play(looking(), [(SEARCH, lists(row("student", "u-1"), row("student", "u-2")))])

    assert (played.settlement.outcome, played.settlement.reason) == HELD_FOR_SEVERAL
    assert played.settlement.in_doubt
    assert played.facts == {"taken": None}


@pytest.mark.parametrize("work", [upsert("student"), looking()])
def test_a_taken_key_that_a_record_like_it_explains_is_held_without_doubt(work: Work) -> None:
    before = [] if work.progress else TAKEN

    played = play(work, [*before, (SEARCH, lists(OTHER_NAME))])

    assert played.settlement.reason == Reason.IDENTITY_DIFFERS
    assert not played.settlement.in_doubt


def test_a_taken_key_that_stands_for_another_record_is_held_without_doubt() -> None:
    holders = {"u-3": SourceRef("student", "S-2")}

    played = play(looking(), [(SEARCH, lists(row("student", "u-3")))], holders=holders)

    assert played.settlement.reason == Reason.HELD_BY_ANOTHER
    assert not played.settlement.in_doubt
    assert played.facts == {"taken": None}


def test_a_refused_reference_that_is_gone_leaves_no_doubt() -> None:
    search = (
        "GET /enrollments?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
    )
    script = [
        (search, lists()),
        ("POST /enrollments", refuses("student_uuid")),
        ("GET /students/student-S-1-uuid", missing()),
        ("GET /students", lists()),
    ]

    played = play(upsert("enrollment"), script)

    assert played.settlement.reason == Reason.REFERENCE_MISSING
    assert not played.settlement.in_doubt
