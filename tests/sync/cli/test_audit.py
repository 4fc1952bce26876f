import sqlite3
from pathlib import Path

import pytest

from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command

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


def test_a_changed_byte_is_found(ledger: Command, tmp_path: Path) -> None:
    ledger("ingest", "-", typed=event())
    with sqlite3.connect(tmp_path / "dokstamp-ledger.db") as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE events SET type = 'student.removed' WHERE position = 1")
    connection.close()

    answer = ledger("audit", "verify", "--json")

    assert answer.code == 6
    assert answer.json["first_bad_position"] is not None
