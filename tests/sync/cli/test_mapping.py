import pytest

from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command

UUID = "4fe30c9a-5371-4f57-be9c-f84f09f6048f"
KEYS = {"entity", "source_id", "target_id", "state", "position"}


@pytest.fixture
def synced(ledger: Command, practice: dict[str, str]) -> Command:
    """Give a ledger with one student bound."""
    ledger("ingest", "-", typed=event())
    assert ledger("sync", **practice).code == 0
    return ledger


def test_the_mapping_is_told_both_ways(synced: Command) -> None:
    (row,) = synced("mapping", "list", "--jsonl").lines

    there = synced("mapping", "find", "student", "S-1", "--json")
    back = synced("mapping", "find", "--target", row["target_id"].upper(), "--json")

    assert set(row) == KEYS
    assert (row["entity"], row["source_id"], row["state"]) == ("student", "S-1", "live")
    assert there.json == back.json == {"items": [row]}
    assert row["target_id"] in synced("mapping", "list").out


def test_a_person_can_release_and_bind(synced: Command) -> None:
    asked = synced("mapping", "release", "student", "S-1")
    released = synced("mapping", "release", "student", "S-1", "--yes", "--json")
    bound = synced("mapping", "bind", "student", "S-1", UUID, "--reason", "found it", "--json")

    assert asked.code == 2
    assert released.json["state"] == "released"
    assert (bound.json["state"], bound.json["target_id"]) == ("live", UUID)


def test_what_is_bound_to_nothing_is_told(synced: Command) -> None:
    answer = synced("mapping", "find", "student", "S-2", "--json")

    assert (answer.code, answer.json) == (0, {"items": []})
    assert answer.err == "nothing is bound to student S-2\n"


def test_a_question_without_a_record_is_a_usage_error(ledger: Command) -> None:
    assert ledger("mapping", "find", "student").code == 2
    assert ledger("mapping", "find").code == 2
    assert ledger("mapping", "bind", "planet", "P-1", UUID).code == 2
