import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.cli.commands import event, spoil
from tests.sync.cli.conftest import Command

VERIFIER = Path(__file__).parents[3] / "scripts" / "verify_proof.py"
KEYS = {"position", "time", "type", "summary", "operation", "exchanges"}


@pytest.fixture
def synced(ledger: Command, practice: dict[str, str]) -> Command:
    """Give a ledger with one student told to DokStamp."""
    ledger("ingest", "-", typed=event())
    assert ledger("sync", **practice).code == 0
    return ledger


def test_the_timeline_tells_a_record_from_event_to_answer(synced: Command) -> None:
    rows = synced("audit", "timeline", "student", "S-1", "--jsonl").lines

    assert all(set(row) == KEYS for row in rows)
    assert rows[0]["type"] == "student.upserted"
    exchanges = [each for row in rows for each in row["exchanges"]]
    assert [each["method"] for each in exchanges] == ["GET", "POST"]
    assert set(exchanges[0]) == {"method", "path", "status", "started_at", "seconds"}
    assert "POST /students: 201" in synced("audit", "timeline", "student", "S-1").out
    assert synced("audit", "timeline", "student", "S-1", "--json").json == {"items": rows}


def test_the_timeline_of_an_unknown_record_says_that_there_is_none(synced: Command) -> None:
    ended = synced("audit", "timeline", "student", "S-404")

    assert (ended.code, ended.out) == (2, "")
    assert "does not tell of student S-404" in ended.err


def test_a_uuid_leads_back_to_its_source_record(synced: Command) -> None:
    (row,) = synced("mapping", "list", "--jsonl").lines

    found = synced("audit", "target", row["target_id"], "--json")
    unknown = synced("audit", "target", "nobody")

    assert found.json["records"][0]["source_id"] == "S-1"
    assert "student S-1 (live)" in synced("audit", "target", row["target_id"]).out
    assert unknown.code == 2


def test_a_whole_log_verifies(synced: Command) -> None:
    answer = synced("audit", "verify", "--json")

    assert answer.code == 0
    assert set(answer.json) >= {"size", "root", "checked", "first_bad_position"}
    assert answer.json["size"] == answer.json["checked"]
    assert answer.json["first_bad_position"] is None
    assert synced("audit", "verify").out.startswith("whole: ")


def test_a_changed_byte_is_found(ledger: Command) -> None:
    ledger("ingest", "-", typed=event())
    spoil("UPDATE events SET type = 'student.removed' WHERE position = 1")

    answer = ledger("audit", "verify", "--json")

    assert answer.code == 6
    assert answer.json["first_bad_position"] is not None


def test_a_checkpoint_is_signed_for_others_to_keep(ledger: Command, tmp_path: Path) -> None:
    ledger("ingest", "-", typed=event())
    (tmp_path / "kept").mkdir()

    written = ledger("audit", "checkpoint", "--to", "kept", "--json")
    shown = ledger("audit", "checkpoint")
    key = ledger("audit", "key", "--json").json["key"]

    size = written.json["size"]
    assert (tmp_path / "kept" / f"checkpoint.{size}").read_text() == written.json["checkpoint"]
    assert shown.out == written.json["checkpoint"]
    assert shown.out.splitlines()[0] == key.partition("+")[0]
    assert ledger("audit", "key").out.strip() == key
    assert (tmp_path / "dokstamp-ledger.key.checkpoint").read_text() == shown.out


def test_the_log_must_continue_its_checkpoints(ledger: Command, tmp_path: Path) -> None:
    ledger("ingest", "-", typed=event())
    ledger("audit", "checkpoint", "--to", "first")
    ledger("ingest", "-", typed=event(id="evt-2", subject="S-2"))
    ledger("audit", "checkpoint", "--to", "second")

    whole = ledger("audit", "verify", "--checkpoint", "first", "--checkpoint", "second", "--json")
    (tmp_path / "first").write_text((tmp_path / "first").read_text().replace("=", "A", 1))
    forged = ledger("audit", "verify", "--checkpoint", "first")

    assert whole.code == 0
    # Both of them, and the newest one that is kept beside the key file.
    assert len(whole.json["checkpoints"]) == 3
    assert forged.code == 6


@pytest.mark.one_database("Only files are put back that easily.")
def test_a_log_that_was_cut_off_is_known_by_the_kept_checkpoint(
    command: Command, tmp_path: Path
) -> None:
    command("init")
    command("ingest", "-", typed=event())
    copies = {file.name: file.read_bytes() for file in tmp_path.glob("dokstamp-ledger*.db*")}
    command("ingest", "-", typed=event(id="evt-2", subject="S-2"))
    command("audit", "checkpoint")
    for file in tmp_path.glob("dokstamp-ledger*.db*"):
        file.unlink()
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content)

    answer = command("audit", "verify", "--json")

    assert answer.code == 6
    assert answer.json["first_bad_position"] == answer.json["size"]
    assert "when a checkpoint was made" in answer.json["what"]


def test_a_proof_is_written_and_checked(ledger: Command, tmp_path: Path) -> None:
    ledger("ingest", "-", typed=event())

    answer = ledger("audit", "prove", "student", "S-1", "--out", "bundle.json", "--json")
    shown = ledger("audit", "prove", "student", "S-1", "--disclose")
    nobody = ledger("audit", "prove", "student", "S-9")
    key = ledger("audit", "key").out.strip()

    assert (answer.code, nobody.code) == (0, 2)
    assert answer.json["bytes"] == len((tmp_path / "bundle.json").read_bytes())
    assert json.loads(shown.out)["events"][0]["disclosed"]["salt"]
    command = [sys.executable, "-I", str(VERIFIER), str(tmp_path / "bundle.json"), "--key", key]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_folder_for_checkpoints_has_to_be_there(ledger: Command, tmp_path: Path) -> None:
    answer = ledger("audit", "checkpoint", "--to", "audit/")

    assert answer.code == 74
    assert "there is no folder audit/: make or mount it" in answer.err
    assert not (tmp_path / "audit").exists()
    assert "slash at the end" in " ".join(ledger("audit", "checkpoint", "--help").out.split())
