"""What certificates forbid: changes of the enrollments that they name."""

import pytest

from ledger.reference import Json
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.samples import ENROLLMENT, change, removal, row
from tests.sync.dispatcher.procedures.transcript import (
    lists,
    play,
    shows,
)

ENROLLMENT_PATH = "/enrollments/enrollment-E-1-uuid"

CERTIFICATES = "GET /certificates?where[student_uuid]=student-S-1-uuid"


@pytest.mark.parametrize(
    "wanted",
    [{"cohort_id": "CS-2025"}, {"completion_status": "enrolled", "completed_at": None}],
    ids=["moved", "taken back"],
)
def test_an_enrollment_that_a_certificate_names_stays_as_it_is(wanted: dict[str, Json]) -> None:
    named = {"uuid": "c-1", "status": "revoked", "enrollment": {"uuid": "enrollment-E-1-uuid"}}

    played = play(change("enrollment", wanted=wanted), [(CERTIFICATES, lists(named))])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.CERTIFICATE_NAMES_IT


def test_an_enrollment_that_our_own_certificate_names_stays_whatever_a_list_shows() -> None:
    moved = {"cohort_id": "CS-2025"}

    changed = play(change("enrollment", wanted=moved, is_certified=True))
    removed = play(removal("enrollment", is_certified=True))

    assert changed.settlement.reason == Reason.CERTIFICATE_NAMES_IT
    assert removed.settlement.reason == Reason.CERTIFICATE_NAMES_IT
    assert (changed.calls, removed.calls) == ([], [])


def test_an_enrollment_moves_to_another_cohort_when_no_certificate_names_it() -> None:
    work = change("enrollment", wanted={"cohort_id": "CS-2025"})
    other = {"uuid": "c-1", "status": "issued", "enrollment": {"uuid": "another"}}
    moved = row("enrollment", cohort={"uuid": "cohort-CS-2025-uuid", "code": "x"})
    script = [(CERTIFICATES, lists(other)), (f"PATCH {ENROLLMENT_PATH}", shows(moved))]

    played = play(work, script)

    assert played.body(f"PATCH {ENROLLMENT_PATH}") == {"cohort_uuid": "cohort-CS-2025-uuid"}
    assert played.settlement.outcome is Outcome.DONE


def test_a_move_that_was_not_followed_is_held() -> None:
    work = change("enrollment", wanted={"cohort_id": "CS-2025"})
    script = [
        (CERTIFICATES, lists()),
        (f"PATCH {ENROLLMENT_PATH}", shows(row("enrollment"))),
    ]

    played = play(work, script)

    assert played.settlement.reason == Reason.NOT_TAKEN
    assert played.settlement.fields == ("cohort_uuid",)


def test_a_completion_is_sent_without_asking_for_certificates() -> None:
    before = {**ENROLLMENT, "completion_status": "enrolled", "grade": None, "completed_at": None}

    played = play(
        change("enrollment", sent=before),
        [(f"PATCH {ENROLLMENT_PATH}", shows(row("enrollment", grade="8.750")))],
    )

    assert played.settlement.outcome is Outcome.DONE
