"""A term at a small university, against the practice service and everything it can do."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from ledger.reference import Json
from sync.dispatcher.procedures import DeletePolicy, IssueStyle, Rules
from sync.simulator import Fault, alternatives
from tests.sync.dispatcher.procedures.practice_university import University
from tests.sync.simulator.practice import Practice

Data = dict[str, Json]

COURSE: Data = {"institution_id": "U", "name": "Computing", "code": "CS", "status": "active"}
GROUP: Data = {"course_id": "CS", "name": "First", "order": 1}
MODULE: Data = {"institution_id": "U", "name": "Algebra", "code": "MA1", "workload": 60}
COHORT: Data = {"course_id": "CS", "code": "CS-24", "modality": "presential"}
STUDENT: Data = {"name": "Ana Souza", "email": "ana+1@x.edu", "date_of_birth": "2001-05-03"}
ENROLLMENT: Data = {
    "student_id": "S1",
    "course_id": "CS",
    "cohort_id": "H",
    "enrolled_at": "2024-02-01",
    "completion_status": "enrolled",
}
COMPLETED: Data = {
    **ENROLLMENT,
    "completion_status": "completed",
    "completed_at": "2025-12-01",
    "grade": "8.75",
}
CERTIFICATE: Data = {
    "institution_id": "U",
    "course_id": "CS",
    "student_id": "S1",
    "enrollment_id": "E1",
    "document": {"sha256": "ab" * 32},
}


def attachment(module: str, **changes: Json) -> Data:
    return {"course_id": "CS", "module_id": module, "module_group_id": "G1", "order": 1, **changes}


def begin(university: University) -> None:
    university.upsert("institution", U={"name": "Demo", "country": "Brazil", "tax_id": "1"})
    university.upsert("organization", O={"institution_id": "U", "name": "Science", "code": "SC"})
    university.upsert("course", CS=COURSE)
    university.upsert("module", MA1=MODULE)
    university.upsert("module", MA2={**MODULE, "code": "MA2", "is_active": False})
    university.upsert("module", MA3={**MODULE, "code": "MA3"})
    university.upsert("module_group", G1=GROUP, G2={**GROUP, "name": "Second"})
    university.upsert(
        "course_module", A1=attachment("MA1"), A2=attachment("MA2"), A3=attachment("MA3")
    )
    university.upsert("cohort", H=COHORT)
    university.upsert("student", S1=STUDENT)
    university.upsert("student", S2={**STUDENT, "name": "Rui", "email": "rui@x.edu"})
    university.upsert("enrollment", E1=ENROLLMENT)
    university.upsert("enrollment", E2={**ENROLLMENT, "student_id": "S2"})


def go_on(university: University) -> None:
    university.upsert("course", CS={**COURSE, "name": "Computer Science", "organization_id": "O"})
    university.upsert("course_module", A1=attachment("MA1", order=2, module_group_id="G2"))
    university.upsert("cohort", H={**COHORT, "start_date": "2024-02-01T00:00:00Z"})
    university.upsert("student", S2={**STUDENT, "name": "Rui", "email": "rui.costa@x.edu"})
    university.upsert("enrollment", E1=COMPLETED)
    university.issue("C1", CERTIFICATE, b"%PDF-1.7 one")
    university.revoke("C1", "data_correction")
    university.issue("C2", CERTIFICATE, b"%PDF-1.7 two")


def end(university: University) -> None:
    university.remove("course_module", "A2", "A3")
    university.remove("module", "MA3")
    university.upsert("course_module", A2=attachment("MA2"))
    university.remove("module_group", "G2")
    university.remove("enrollment", "E2")
    university.remove("student", "S2")
    university.remove("cohort", "H")
    university.remove("course", "CS")


def spend_a_term(university: University) -> University:
    begin(university)
    go_on(university)
    end(university)
    return university


def check(university: University) -> None:
    """Check the service's own truth: everything there once, as wanted, and nothing repeated."""
    simulator = university.practice.simulator
    verdict = simulator.verdict()
    faults = {name: n for name, n in verdict.faults.items() if not name.startswith("missing")}
    assert faults == {}, faults
    assert verdict.notifications == 2
    [course] = simulator.records("courses")
    assert (course["name"], course["status"]) == ("Computer Science", "archived")
    statuses = Counter(str(row["status"]) for row in simulator.records("certificates"))
    assert statuses == {"revoked": 1, "issued": 1}
    enrolled = Counter(str(row["completion_status"]) for row in simulator.records("enrollments"))
    assert enrolled == {"completed": 1, "dropped": 1}
    modules = {str(row["uuid"]): str(row["code"]) for row in simulator.records("modules")}
    attached = {modules[str(row["module_uuid"])]: row for row in simulator.records("attachments")}
    assert set(attached) == {"MA1", "MA2"}
    assert attached["MA1"]["order"] == 2


def test_a_term_ends_as_wanted_with_few_calls() -> None:
    university = spend_a_term(University(Practice()))

    check(university)
    requests = university.practice.simulator.verdict().requests
    # One of the POSTs is for the token.
    assert requests == {"GET": 23, "POST": 21, "PATCH": 8, "PUT": 1, "DELETE": 2}
    assert sum(requests.values()) - requests["GET"] - 1 == WRITES


@pytest.mark.parametrize(
    ("switch", "position"),
    [(name, position) for name, each in alternatives().items() for position in each[1:]],
)
def test_a_term_ends_as_wanted_under_every_switch(switch: str, position: str) -> None:
    styles = {"finish_strict": IssueStyle.FINISH, "status_strict": IssueStyle.STATUS}
    rules = Rules(issue_poll_seconds=2, issue_style=styles.get(position, IssueStyle.BOTH))

    university = spend_a_term(University(Practice(**{switch: position}), rules))

    check(university)


UNMIXED = frozenset({"fault_injection", "issue_fields", "page_param", "attachable_hides_inactive"})
"""Switches that need other settings, or under which doubt about a module has no witness."""
WRITES = 31
"""How many writes a term takes when nothing goes wrong."""
KINDS: dict[str, dict[str, Any]] = {
    "error_before": {},
    "error_after": {},
    "error_before_503": {"status": 503},
    "cut_before": {},
    "cut_after": {},
    "html_after": {},
    "html_before": {},
    "stall_after": {},
    "stall_before": {},
    "late": {"seconds": 20},
    "throttle": {"retry_after": "seconds"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_term_survives_a_fault_at_every_write(kind: str) -> None:
    for number in range(1, WRITES + 2):
        fault = Fault(kind=kind.removesuffix("_503"), nth=number, **KINDS[kind])

        university = spend_a_term(University(Practice(fault)))

        check(university)


def test_a_term_survives_a_death_at_every_step() -> None:
    steps = spend_a_term(University(Practice())).steps

    for number in range(1, steps + 1):
        university = spend_a_term(University(Practice(), dies_at=number))

        check(university)


@pytest.mark.parametrize("seed", range(40))
def test_a_term_survives_any_mixture(seed: int) -> None:
    rng = Random(seed)
    switches = {
        name: rng.choice(positions)
        for name, positions in alternatives().items()
        if name not in UNMIXED and rng.random() < 0.35
    }
    kinds = [kind for kind in KINDS if "_503" not in kind]
    faults = [
        Fault(kind=rng.choice(kinds), probability=rng.choice([0.02, 0.1, 0.2]), method="any")
        for _ in range(rng.choice([0, 1, 2]))
    ]
    rules = Rules(issue_poll_seconds=2, delete_policy=rng.choice(list(DeletePolicy)))

    practice = Practice(*faults, **switches)
    university = spend_a_term(University(practice, rules, dies_at=rng.randrange(1, 140)))

    check(university)
