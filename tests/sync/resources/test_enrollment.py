"""Enrollments: status and dates agree, and the cohort counts."""

from typing import Any

import pytest

from ledger.reference import Json
from sync.resources import Match, check, resource
from tests.sync.resources.records import COURSE, ENROLLMENT, TARGETS

BASE = {"student_id": "S", "course_id": "C", "enrolled_at": "2026-02-01"}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, []),
        ({"completion_status": "dropped"}, []),
        ({"completion_status": "completed", "completed_at": "2026-02-01"}, []),
        ({"completed_at": "2026-03-01"}, []),
        ({"completion_status": "completed"}, [("data.completed_at", "required")]),
        (
            {"completion_status": "completed", "completed_at": None},
            [("data.completed_at", "required")],
        ),
        (
            {"completion_status": "completed", "completed_at": "soon"},
            [("data.completed_at", "date")],
        ),
        ({"completed_at": "2026-01-31"}, [("data.completed_at", "order")]),
        ({"enrolled_at": "soon", "completed_at": "2026-01-31"}, [("data.enrolled_at", "date")]),
    ],
)
def test_status_and_dates_must_agree(more: dict[str, Any], found: list[tuple[str, str]]) -> None:
    faults = check("enrollment.upserted", "E-1", {**BASE, **more}).faults

    assert [(fault.field, fault.code) for fault in faults] == found


def test_an_enrollment_without_cohort_is_not_one_with_a_cohort() -> None:
    place = {"student": {"uuid": "s-uuid"}, "course": {"uuid": "c-uuid"}}
    data: dict[str, Json] = {"student_id": "S", "course_id": "C", "enrolled_at": "2026-02-01"}

    assert resource("enrollment").match(data, place, TARGETS) is Match.SAME
    assert (
        resource("enrollment").match(data, {**place, "cohort": {"uuid": "k"}}, TARGETS)
        is Match.OTHER
    )


def test_only_a_completed_enrollment_is_complete() -> None:
    assert resource("enrollment").is_complete({**ENROLLMENT, "completion_status": "completed"})
    assert not resource("enrollment").is_complete(ENROLLMENT)
    assert not resource("course").is_complete({**COURSE, "status": "active"})
