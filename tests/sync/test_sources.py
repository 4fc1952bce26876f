"""The sample sets are real and have real faults: each is read to its end, exactly so."""

import csv
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sync.sources.event_reader import Rules
from sync.sources.ingest_worker import ingest
from sync.sources.oneroster_reader import read_oneroster
from sync.sources.oneroster_records import Options
from tests.sync.sources.fakes import MemoryLedger

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
MOODLE = SHARED / "oneroster-moodle"
SDS = SHARED / "microsoft-sds"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the sample data is not here")


@dataclass(frozen=True)
class Outcome:
    events: dict[str, int]
    refused: set[tuple[str, str, str]]
    skipped: dict[str, int]


# A department whose parent is absent; students without birth dates; a teacher enrolled as student.
FULL = Outcome(
    events={"cohort.upserted": 1, "cohort.removed": 1, "enrollment.upserted": 2},
    refused={
        ("org-sch-222-456", "data.institution_id", "institution_unknown"),
        ("usr-222-66778899", "data.date_of_birth", "required"),
        ("usr-222-1234561232", "data.date_of_birth", "required"),
        ("usr-222-567891", "data.date_of_birth", "required"),
        ("enr-s-222-12345-987654", "data.student_id", "role_disagrees"),
        ("enr-s-222-12345-987532", "data.student_id", "role_disagrees"),
    },
    skipped={
        "academicsessions.drawn_on": 5,
        "users.not_a_student": 3,
        "enrollments.not_a_student": 2,
    },
)
# The same without e-mail addresses and without a status, so that nothing is removed.
MINIMAL = Outcome(
    events={"cohort.upserted": 2, "enrollment.upserted": 2},
    refused={
        *FULL.refused,
        ("usr-222-66778899", "data.email", "required"),
        ("usr-222-1234561232", "data.email", "required"),
        ("usr-222-567891", "data.email", "required"),
    },
    skipped=FULL.skipped,
)
# Its only student has a birth date but no address, and a username that is none either.
SMALL = Outcome(
    events={
        "institution.upserted": 1,
        "course.upserted": 1,
        "cohort.upserted": 1,
        "enrollment.upserted": 1,
    },
    refused={("USER_0", "data.email", "required")},
    skipped={
        "academicsessions.drawn_on": 1,
        "roles.drawn_on": 1,
        "demographics.drawn_on": 1,
        "userprofiles.not_used": 1,
    },
)
MICROSOFT = Outcome(
    events={
        "institution.upserted": 2,
        "organization.upserted": 2,
        "course.upserted": 3,
        "cohort.upserted": 2,
        "student.upserted": 4,
        "enrollment.upserted": 4,
    },
    refused=set(),
    skipped={
        "academicsessions.drawn_on": 2,
        "roles.drawn_on": 7,
        "demographics.drawn_on": 6,
        "users.not_a_student": 4,
        "enrollments.not_a_student": 2,
        "relationships.not_used": 3,
        "userflags.not_used": 3,
    },
)
EXPECTED = {
    "Test_full_data_set": FULL,
    "v1p2_full_dataset": replace(
        FULL, skipped={**FULL.skipped, "roles.drawn_on": 7, "userprofiles.not_used": 7}
    ),
    "Test_minimal_data_set": MINIMAL,
    "oneroster_test_data": SMALL,
    "v2.1": MICROSOFT,
}
PATHS = [
    *(MOODLE / f"{name}{ending}" for name in EXPECTED for ending in ("", ".zip") if name != "v2.1"),
    SDS / "v2.1",
]


def rows_in(folder: Path) -> int:
    """Count the rows of all files but the manifest by another way than the reader's."""
    files = [path for path in folder.glob("*.csv") if path.stem != "manifest"]
    return sum(
        sum(1 for row in list(csv.reader(path.read_text().splitlines()))[1:] if any(row))
        for path in files
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
async def test_a_sample_set_is_read_to_its_end(path: Path) -> None:
    ledger = MemoryLedger()
    expected = EXPECTED[path.name.removesuffix(".zip")]

    reading = read_oneroster(path, options=Options(country="Brazil"), rules=Rules())
    report = await ingest(reading.items, ledger, name=reading.source)

    assert Counter(event.type for event in ledger.events.values()) == expected.events
    assert {
        (entry.subject, reason.field, reason.code)
        for entry in ledger.entries.values()
        for reason in entry.reasons
    } == expected.refused
    assert report.skipped == expected.skipped
    rows = rows_in(path.with_suffix("") if path.suffix == ".zip" else path)
    assert rows == report.taken + report.quarantined + sum(report.skipped.values())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
async def test_a_sample_set_read_twice_adds_no_event(path: Path) -> None:
    ledger = MemoryLedger()
    options = Options(country="Brazil")

    first, second = [
        await ingest(
            read_oneroster(path, options=options, rules=Rules()).items, ledger, name="sample"
        )
        for _ in range(2)
    ]

    assert second.taken == 0
    assert second.duplicate == first.taken
    assert ledger.log.count("started sample") == 1


async def test_the_students_of_the_microsoft_sample_have_their_username_as_address() -> None:
    ledger = MemoryLedger()

    reading = read_oneroster(SDS / "v2.1", options=Options(country="USA"), rules=Rules())
    await ingest(reading.items, ledger, name="sds")

    students = [e for e in ledger.events.values() if e.type == "student.upserted"]
    assert next(event.private and event.private["data"] for event in students) == {
        "name": "Jack Craig",
        "email": "jcraig@classrmtest31.org",
        "date_of_birth": "2001-07-02",
    }
    assert reading.notes == ("the package has no manifest; all its files are read as whole",)
    assert "P@ssword123" not in str([event.private for event in ledger.events.values()])
