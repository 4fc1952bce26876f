from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sync.errors import InputError
from sync.sources.event_reader import Rules
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest
from sync.sources.item import Checked, Item, Refused
from sync.sources.oneroster_reader import Reading, read_oneroster
from sync.sources.oneroster_records import Options
from tests.sync.sources.fakes import MemoryLedger
from tests.sync.sources.packages import WHOLE, write_folder, write_zip


def read(path: Path, **options: Any) -> Reading:
    options.setdefault("country", "Brazil")
    return read_oneroster(path, options=Options(**options), rules=Rules())


def events(items: list[Item]) -> list[tuple[str, str]]:
    return [
        (item.outcome.event.type, item.outcome.event.subject.source_id)
        for item in items
        if isinstance(item.outcome, Checked) and item.outcome.event.subject
    ]


def refusals(items: list[Item]) -> list[tuple[str, int, str]]:
    return [
        (item.origin, item.line, reason.code)
        for item in items
        if isinstance(item.outcome, Refused)
        for reason in item.outcome.reasons
    ]


async def take(ledger: MemoryLedger, reading: Reading) -> IngestReport:
    return await ingest(reading.items, ledger, name=reading.source)


EXPECTED = [
    ("organization.upserted", "dep"),
    ("institution.upserted", "uni"),
    ("course.upserted", "C1"),
    ("cohort.upserted", "K1"),
    ("cohort.upserted", "K2"),
    ("student.upserted", "U1"),
    ("student.upserted", "U2"),
    ("enrollment.upserted", "E1"),
    ("enrollment.upserted", "E2"),
]


def test_folder_and_archive_give_the_same_events(tmp_path: Path) -> None:
    folder = read(write_folder(tmp_path / "package"))
    archive = read(write_zip(tmp_path / "x.zip", {f"x/{k}": v for k, v in WHOLE.items()}))

    found, packed = list(folder.items), list(archive.items)

    assert events(found) == EXPECTED
    assert [item.outcome for item in packed] == [item.outcome for item in found]
    assert folder.source == "urn:oneroster:Demo%20SIS"
    assert folder.notes == ()


async def test_every_row_is_counted_once(tmp_path: Path) -> None:
    report = await take(MemoryLedger(), read(write_folder(tmp_path / "package")))

    assert (report.lines, report.taken, report.quarantined) == (9, 9, 0)
    assert report.skipped == {
        "academicsessions.drawn_on": 2,
        "demographics.drawn_on": 2,
        "enrollments.not_a_student": 1,
        "roles.drawn_on": 3,
        "users.not_a_student": 1,
    }


async def test_the_same_package_twice_adds_nothing_and_a_change_adds_its_event(
    tmp_path: Path,
) -> None:
    ledger = MemoryLedger()
    await take(ledger, read(write_folder(tmp_path / "package")))
    before = list(ledger.log)

    again = await take(ledger, read(write_folder(tmp_path / "package")))
    unchanged = list(ledger.log) == before
    users = WHOLE["users.csv"].replace("ada@example.org", "ada2@example.org")
    changed = await take(ledger, read(write_folder(tmp_path / "package", users=users)))

    assert (again.taken, again.duplicate, unchanged) == (0, 9, True)
    assert (changed.taken, changed.duplicate) == (1, 8)


def test_no_password_gets_anywhere(tmp_path: Path) -> None:
    users = WHOLE["users.csv"] + "U4,D,,E,d@example.org,,s3cret,s3cret,x\n"
    folder = write_folder(tmp_path / "package", users=users, demographics=None)

    items = list(read(folder).items)

    assert Counter(refusals(items)) == {
        ("users.csv", 2, "required"): 1,
        ("users.csv", 3, "required"): 1,
        ("users.csv", 5, "row_broken"): 1,
    }
    assert all(b"s3cret" not in item.raw for item in items)
    assert "s3cret" not in str([vars_of(item) for item in items])


def vars_of(item: Item) -> object:
    outcome = item.outcome
    if isinstance(outcome, Checked):
        return (outcome.event.private, outcome.event)
    return (outcome.raw, outcome) if isinstance(outcome, Refused) else outcome


def test_a_broken_row_does_not_stop_the_file(tmp_path: Path) -> None:
    courses = WHOLE["courses.csv"] + 'C2,"Quo"ted,CS2,dep\nC3,Third,CS3,dep\nC4,"open,CS4,dep\n'
    folder = write_folder(tmp_path / "package", courses=courses)

    items = list(read(folder).items)

    assert refusals(items) == [("courses.csv", 3, "row_broken"), ("courses.csv", 5, "row_broken")]
    assert [subject for kind, subject in events(items) if kind.startswith("course.")] == [
        "C1",
        "C3",
    ]


def test_every_reason_of_a_record_comes_at_once(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "package",
        users="sourcedId,status,givenName\njane@example.org,gone,Jane\n",
        roles="userSourcedId,role\njane@example.org,student\n",
        demographics="sourcedId,birthDate\njane@example.org,1/2/2001\n",
        enrollments=None,
    )

    [refused] = [item.outcome for item in read(folder).items if isinstance(item.outcome, Refused)]

    assert [(fault.field, fault.code) for fault in refused.reasons] == [
        ("subject", "email_like"),
        ("data.date_of_birth", "date_ambiguous"),
        ("status", "status"),
        ("data.email", "required"),
    ]
    assert (refused.source, refused.subject) == ("urn:oneroster:Demo%20SIS", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_line_ends_and_marks_of_other_programs_are_taken(tmp_path: Path, encoding: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    for name, text in WHOLE.items():
        lines = text.replace("\n", "\r\n").rstrip()
        (folder / name).write_bytes(lines.encode(encoding))

    assert events(list(read(folder).items)) == EXPECTED


def test_western_european_text_is_read_with_a_note(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package")
    (folder / "users.csv").write_bytes(WHOLE["users.csv"].encode("latin-1"))

    reading = read(folder)
    [student] = [
        item.outcome.event
        for item in reading.items
        if isinstance(item.outcome, Checked)
        and item.outcome.event.subject
        and item.outcome.event.subject.source_id == "U2"
    ]

    assert reading.notes == ("users.csv is not UTF-8 and is read as Western European text",)
    assert student.private is not None
    assert "Béla B. Example" in str(student.private)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sourcedId,x\n".encode("utf-16"), r"orgs\.csv is UTF-16; save it as CSV in UTF-8"),
        (b"id;name\n1;x\n", r"orgs\.csv has no column sourcedid; check"),
        (b'"open\n', r"orgs\.csv has no column sourcedid; check"),
    ],
)
def test_a_file_that_is_no_table_stops_before_anything_is_read(
    tmp_path: Path, content: bytes, message: str
) -> None:
    folder = write_folder(tmp_path / "package")
    (folder / "orgs.csv").write_bytes(content)

    with pytest.raises(InputError, match=message):
        read(folder)


def test_the_source_can_be_named_and_the_country_cannot_be_guessed(tmp_path: Path) -> None:
    reading = read(write_folder(tmp_path / "package"), source="urn:sis:demo", country=None)

    items = list(reading.items)

    assert reading.source == "urn:sis:demo"
    assert refusals(items) == [("orgs.csv", 3, "required")]
    assert {item.outcome.event.source for item in items if isinstance(item.outcome, Checked)} == {
        "urn:sis:demo"
    }


async def test_a_file_that_vanishes_midway_leaves_what_was_read(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    reading = read(write_folder(tmp_path / "package"))
    (tmp_path / "package" / "users.csv").unlink()

    with pytest.raises(InputError, match="cannot be read"):
        await take(ledger, reading)
    report = await take(ledger, read(write_folder(tmp_path / "package")))

    assert report.taken + report.duplicate == 9
    assert len(ledger.events) == 9
