"""What a refused write is about."""

import pytest

from sync.dispatcher.reasons import Reason, explain
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.samples import upsert
from tests.sync.dispatcher.procedures.transcript import (
    fails,
    lists,
    missing,
    play,
    refuses,
    shows,
)

SEARCH = "GET /courses?where[code]=CS"


ENROLLMENT_SEARCH = (
    "GET /enrollments?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
)


def test_a_reference_that_is_gone_holds_the_record() -> None:
    script = [
        (SEARCH, lists()),
        ("POST /courses", refuses("institution_uuid")),
        ("GET /institutions/institution-DEMO-uuid", missing()),
        ("GET /institutions", lists()),
    ]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
    assert played.settlement.fields == ("institution_uuid",)


def test_a_reference_that_cannot_be_read_now_puts_the_record_off() -> None:
    script = [
        (SEARCH, lists()),
        ("POST /courses", refuses("institution_uuid")),
        ("GET /institutions/institution-DEMO-uuid", fails(503)),
    ]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.RETRY


def test_a_refused_reference_that_exists_is_a_refused_record() -> None:
    script = [
        (ENROLLMENT_SEARCH, lists()),
        ("POST /enrollments", refuses("cohort_uuid")),
        ("GET /cohorts/cohort-CS-2024-uuid", shows({"uuid": "cohort-CS-2024-uuid"})),
        (ENROLLMENT_SEARCH, lists()),
        ("GET /enrollments", lists()),
    ]

    played = play(upsert("enrollment"), script)

    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.fields == ("cohort_uuid",)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_content_is_dead_with_its_fields_and_not_sent_again(status: int) -> None:
    script = [(SEARCH, lists()), ("POST /courses", refuses("workload_hours", status=status))]

    played = play(upsert("course"), script)

    assert played.settlement.outcome is Outcome.DEAD
    assert played.settlement.fields == ("workload_hours",)
    assert "workload_hours" in explain(played.settlement.reason, played.settlement.fields)
