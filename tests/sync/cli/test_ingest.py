import subprocess
import sys
from pathlib import Path

import pytest

from ledger.testing import SERVED
from tests.sync.cli.commands import clean_environment, event
from tests.sync.cli.conftest import Command

BAD = event(id="e-2", subject="S-2", data={"name": "Bruno"})


def test_events_of_a_file_are_taken_once(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(event() + event(id="e-3", subject="S-3"))

    first = ledger("ingest", "events.jsonl", "--json")
    second = ledger("ingest", "events.jsonl", "--json")

    assert (first.code, second.code) == (0, 0)
    assert first.json == {
        "lines": 2, "taken": 2, "duplicate": 0, "quarantined": 0, "reasons": {},
    }  # fmt: skip
    assert second.json == {
        "lines": 2, "taken": 0, "duplicate": 2, "quarantined": 0, "reasons": {},
    }  # fmt: skip


def test_a_bad_line_goes_to_quarantine_and_the_rest_goes_on(
    ledger: Command, tmp_path: Path
) -> None:
    (tmp_path / "events.jsonl").write_text("{\n" + BAD + event())

    answer = ledger("ingest", "events.jsonl", "--json")

    assert answer.code == 3
    counts = answer.json
    assert (counts["lines"], counts["taken"], counts["quarantined"]) == (3, 1, 2)
    assert set(counts["reasons"]) == {"json", "required"}
    assert "quarantine list" in answer.err


def test_people_read_the_counts_in_words(ledger: Command) -> None:
    answer = ledger("ingest", "-", typed=event() + BAD)

    assert answer.out.splitlines()[0] == "2 events: 1 taken, 0 known already, 1 in quarantine"


def test_standard_input_is_read(ledger: Command) -> None:
    answer = ledger("ingest", "-", "--json", typed=event())

    assert (answer.code, answer.json["taken"]) == (0, 1)


def test_several_files_are_one_ingest(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(event())
    (tmp_path / "two.jsonl").write_text(event(id="e-2", subject="S-2"))

    assert ledger("ingest", "one.jsonl", "two.jsonl", "--json").json["taken"] == 2


def test_a_missing_file_is_told_before_anything_is_read(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(event())

    answer = ledger("ingest", "one.jsonl", "missing.jsonl")

    assert answer.code == 74
    assert answer.err.startswith("error: missing.jsonl cannot be read")
    assert ledger("ingest", "one.jsonl", "--json").json["taken"] == 1


def test_a_file_of_another_kind_is_refused(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"PK\x03\x04 not events")

    answer = ledger("ingest", "events.jsonl")

    assert answer.code == 2
    assert answer.err.startswith("error: events.jsonl")


def test_without_a_ledger_init_is_asked_for(place: Command, home: Path) -> None:
    served = home / SERVED
    # What tests are lent is migrated already, except for a schema of another name.
    elsewhere = {"ledger_database": f"{served.read_text()}&schema=no"} if served.exists() else {}

    answer = place("ingest", "-", typed=event(), **elsewhere)

    assert answer.code == 7
    assert "run `dokstamp-ledger init` first" in answer.err


def test_without_a_file_nothing_is_done(ledger: Command) -> None:
    assert ledger("ingest").code == 2


def test_options_of_one_format_are_refused_with_another(ledger: Command) -> None:
    answer = ledger("ingest", "-", "--country", "ES")

    assert answer.code == 2
    assert "--format oneroster" in answer.err


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_oneroster_package_is_read_whole_and_once(
    ledger: Command, sample_data: Path, suffix: str
) -> None:
    package = sample_data / "oneroster-moodle" / f"Test_minimal_data_set{suffix}"
    words = ("ingest", "--format", "oneroster", "--country", "ES", str(package), "--json")

    first, second = ledger(*words).json, ledger(*words).json

    assert first["taken"] > 0
    assert first["lines"] == first["taken"] + first["duplicate"] + first["quarantined"]
    assert second["taken"] == 0


def test_a_package_that_is_none_is_refused(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package.zip").write_text("no archive")

    folder = ledger("ingest", "--format", "oneroster", "package")
    archive = ledger("ingest", "--format", "oneroster", "package.zip")
    missing = ledger("ingest", "--format", "oneroster", "missing.zip")

    assert (folder.code, archive.code, missing.code) == (2, 2, 74)


@pytest.mark.one_database("A server has a disk of its own.")
def test_a_full_disk_is_told_and_a_second_run_finishes(command: Command, tmp_path: Path) -> None:
    command("init")
    lines = [event(id=f"e-{each}", subject=f"S-{each}") for each in range(3000)]
    (tmp_path / "events.jsonl").write_text("".join(lines))
    # No file may grow beyond what the shell allows, which is how a disk without room answers.
    limited = f"ulimit -f 1000; exec {sys.executable} -m sync.cli ingest events.jsonl"

    full = subprocess.run(
        ["sh", "-c", limited],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    again = command("ingest", "events.jsonl", "--json")

    assert full.returncode == 74
    assert full.stderr.startswith("error: ")
    assert "Traceback" not in full.stderr
    assert again.code == 0
    assert again.json["taken"] + again.json["duplicate"] == 3000
