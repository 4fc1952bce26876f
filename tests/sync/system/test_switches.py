"""Every answer that the documentation leaves open, many at once: the outcome is always the same.

They come in mixtures that a real service might have, and in rows in which every two positions meet;
`scripts/switches` also tries each position and each pair by itself.
"""

from pathlib import Path
from typing import Any

import pytest

from sync.simulator import Simulator, alternatives
from tests.sync.system.practice import practising
from tests.sync.system.strangers import UnfilteredSimulator
from tests.sync.system.switching.pairs import covering
from tests.sync.system.switching.trial import CHOICES, trial
from tests.sync.system.university import FIRST_TERM, SECOND_TERM

OLD = {
    "edition": "old",
    "missing_tenant": "404",
    "missing_accept": "json",
    "meta_style": "laravel",
    "per_page_max": "15",
    "nested_lists": "all",
    "unknown_filter": "422",
    "default_order": "shuffled",
    "delete_with_dependants": "409",
    "unique_counts_deleted": "no",
    "get_deleted": "200",
    "course_code_unique": "institution",
    "enrollment_unique": "student_course",
    "attach_status": "201",
    "attach_batch": "partial_422",
    "issue_fields": "status",
    "file_used_status": "409",
    "double_revoke": "200_unchanged",
    "grade_type": "string",
    "patch_put": "put_clears",
}
STRICT = {
    "edition": "mixed",
    "missing_tenant": "per_endpoint",
    "unknown_filter": "500",
    "filter_case": "exact",
    "per_page_max": "422",
    "delete_with_dependants": "422",
    "course_code_unique": "tenant",
    "enrollment_unique": "student_course_cohort",
    "certificate_unique": "student_course",
    "attach_batch": "partial_200",
    "attach_status": "204",
    "attachable_hides_inactive": "yes",
    "issue_async_s": "2",
    "file_used_status": "400",
    "dedup_of_deleted": "new",
    "double_revoke": "200_new_time",
    "reference_consistency": "422",
    "me_for_service_token": "200",
    "rate_limit": "60",
}
LAX = {
    "page_param": "ignored",
    "cohort_code_scope": "course",
    "delete_with_dependants": "204",
    "write_status": "200",
    "dedup_scope": "none",
    "grade_max": "none",
    "rate_limit": "60_silent",
}
MIXTURES = {"old": OLD, "strict": STRICT, "lax": LAX}
HARMFUL = {
    ("issue_fields", "finish"),
    ("issue_fields", "finish_strict"),
    ("issue_fields", "status_strict"),
}
"""Positions under which something else has to come out."""
ROWS = covering(CHOICES)
"""Positions of all switches, so that every pair of positions is in some row."""


@pytest.mark.one_database("what DokStamp answers does not depend on where the ledger is kept")
@pytest.mark.parametrize("number", range(len(ROWS)))
async def test_no_two_answers_left_open_change_the_outcome(tmp_path: Path, number: int) -> None:
    assert await trial(tmp_path, ROWS[number]) == []


@pytest.mark.parametrize("name", MIXTURES)
async def test_no_answer_left_open_changes_the_outcome(home: Path, name: str) -> None:
    settings: dict[str, Any] = {"auth_mode": "login"} if name == "old" else {}
    async with practising(home, switches=MIXTURES[name], **settings) as practice:
        for term in (FIRST_TERM, SECOND_TERM):
            report = await practice.tell(term)
            assert (report.exit, await practice.faults()) == (0, [])

        assert (await practice.sync()).calls == {}


def test_the_mixtures_hold_every_position() -> None:
    every = {(name, each) for name, found in alternatives().items() for each in found[1:]}
    mixed = {pair for mixture in MIXTURES.values() for pair in mixture.items()}
    faults = {pair for pair in every if pair[0] == "fault_injection"}

    assert every - faults - HARMFUL == mixed


@pytest.mark.parametrize("position", ["finish_strict", "status_strict"])
async def test_a_refused_way_to_issue_holds_certificates_and_nothing_else(
    home: Path, position: str
) -> None:
    switches = {"issue_fields": position}
    async with practising(home, switches=switches) as practice:
        report = await practice.tell(FIRST_TERM)
        certificates = ("D-1", "D-2", "D-3")
        held = {f"{name} issue": "held issue_style_refused" for name in certificates}

        assert (report.exit, report.held, await practice.unsettled()) == (3, 3, held)
        assert await practice.faults(except_for=certificates) == []
        assert (await practice.sync()).calls == {}


async def test_dokstamp_may_date_a_certificate_itself(home: Path) -> None:
    async with practising(home, switches={"issue_fields": "finish"}) as practice:
        report = await practice.tell(FIRST_TERM)
        faults = await practice.faults()

        assert (report.exit, len(faults)) == (0, 3)
        assert all("issued_at is" in each for each in faults)


@pytest.mark.parametrize(
    ("kind", "answer", "switches"),
    [
        (Simulator, 200, {"per_page_max": "15", "default_order": "shuffled"}),
        (UnfilteredSimulator, 200, {"per_page_max": "15", "meta_style": "laravel"}),
        (UnfilteredSimulator, 500, {"per_page_max": "15"}),
    ],
)
async def test_strangers_are_neither_taken_nor_touched(
    home: Path, kind: Any, answer: int, switches: dict[str, str]
) -> None:
    async with practising(home, kind=kind, switches=switches) as practice:
        practice.add_strangers()
        if isinstance(practice.simulator, UnfilteredSimulator):
            practice.simulator.answer = answer
        report = await practice.tell(FIRST_TERM)

        assert (report.exit, await practice.unsettled()) == (0, {})
        assert await practice.faults() == []
