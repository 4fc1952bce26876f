import json
import os
from pathlib import Path

import pytest

from tests.sync.cli.commands import event, start
from tests.sync.cli.conftest import Command

INSTITUTION = event(
    type="institution.upserted",
    subject="UNI",
    data={"name": "University", "country": "Portugal", "legal_name": "University"},
)
LATER = event(
    id="e-3",
    type="institution.upserted",
    subject="UNI-2",
    data={"name": "Second", "country": "Portugal", "legal_name": "Second"},
)
KEYS = {
    "operation", "entity", "source_id", "kind", "state", "attempts", "waits_for", "reason",
}  # fmt: skip


@pytest.fixture
def held(ledger: Command, practice: dict[str, str]) -> Command:
    """Give a ledger with one operation that waits for a person."""
    ledger("ingest", "-", typed=INSTITUTION + event(id="e-2"))
    answer = ledger("sync", "--json", institutions="bind", **practice)
    assert (answer.code, answer.json["held"], answer.json["done"]) == (3, 1, 1)
    assert "needs a person" in answer.err
    return ledger


def test_what_waits_for_a_person_is_listed_and_explained(held: Command) -> None:
    (row,) = held("outbox", "list", "--state", "held", "--jsonl").lines
    shown = held("outbox", "show", row["operation"], "--json")

    assert set(row) == KEYS
    assert (row["entity"], row["source_id"], row["state"]) == ("institution", "UNI", "held")
    assert row["reason"] == "bind_institution"
    assert "mapping bind" in str(shown.json["explanation"])
    assert f"outbox retry {row['operation']}" in shown.json["decisions"]
    assert len(held("outbox", "list", "--json").json["items"]) == 2
    assert held("outbox", "list", "--entity", "student", "--jsonl").lines[0]["state"] == "done"


def test_a_person_can_give_an_operation_up(held: Command) -> None:
    (row,) = held("outbox", "list", "--state", "held", "--jsonl").lines

    asked = held("outbox", "discard", row["operation"])
    done = held("outbox", "discard", row["operation"], "--yes", "--reason", "a test", "--json")

    assert asked.code == 2
    assert "add --yes" in asked.err
    assert done.json == {"operations": [row["operation"]]}
    assert held("outbox", "list", "--state", "discarded", "--jsonl").lines[0]["source_id"] == "UNI"
    assert held("sync").code == 0


def test_operations_can_be_meant_by_their_reason(held: Command) -> None:
    none = held("outbox", "retry", "--code", "mass_change", "--yes")
    asked = held("outbox", "retry", "--code", "bind_institution", "--state", "held")
    one = held("outbox", "retry", "--code", "bind_institution", "--yes", "--json")

    assert asked.code == 2
    assert "1 operation: 1 institution bind_institution" in asked.err
    assert "Retry 1 operation? There is no terminal to ask on: add --yes" in asked.err
    assert (none.code, none.out) == (0, "\n")
    assert "nothing to retry" in none.err
    assert len(one.json["operations"]) == 1


def _read_until(terminal: int, words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 4096)
    return shown


def test_yes_is_said_of_the_operations_that_were_shown_and_of_no_others(
    held: Command, tmp_path: Path
) -> None:
    terminal, theirs = os.openpty()
    words = ("outbox", "retry", "--all", "--reason", "a test", "--json")
    process = start(*words, folder=tmp_path, stdin=theirs, stderr=theirs)
    os.close(theirs)
    asked = _read_until(terminal, b"[y/N]")
    held("ingest", "-", typed=LATER)
    held("sync")

    os.write(terminal, b"y\n")
    printed, _ = process.communicate()
    os.close(terminal)
    (left,) = held("outbox", "list", "--state", "held", "--jsonl").lines

    assert b"1 operation: 1 institution bind_institution" in asked
    assert len(json.loads(printed)["operations"]) == 1
    assert left["source_id"] == "UNI-2"


@pytest.mark.parametrize("words", [(), ("0000", "--all")])
def test_nothing_and_too_much_are_not_guessed_at(ledger: Command, words: tuple[str, ...]) -> None:
    answer = ledger("outbox", "approve", *words)

    assert answer.code == 2
    assert "--entity, --code or --all" in answer.err


def test_an_operation_that_is_not_there_is_told(ledger: Command) -> None:
    answer = ledger("outbox", "show", "0000")

    assert answer.code == 2
    assert "see `outbox list`" in answer.err
