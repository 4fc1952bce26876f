"""The master key on the command line: rotated, given, lost, damaged."""

import base64
import stat
from pathlib import Path

import pytest

from ledger.testing import SERVED
from tests.sync.cli.commands import Answer, event
from tests.sync.cli.conftest import Command

OLD = base64.b64encode(b"o" * 32).decode()
NEW = base64.b64encode(b"n" * 32).decode()
KEY_FILE = "dokstamp-ledger.key"


def state(command: Command) -> dict[str, object]:
    """Return the log as it stands, and what the vault opens of it."""
    verified = command("audit", "verify", "--json")
    assert verified.code == 0
    assert command("rebuild", "--check", "--json").code == 0
    timeline = command("audit", "timeline", "student", "S-1", "--jsonl")
    return {"root": verified.json["root"], "timeline": timeline.lines}


def told(answer: Answer) -> str:
    assert answer.code == 5
    assert answer.err.startswith("error: ")
    assert OLD not in answer.err
    assert NEW not in answer.err
    return answer.err


def test_a_rotated_key_file_opens_everything_and_the_log_is_untouched(
    ledger: Command, home: Path
) -> None:
    ledger("ingest", "-", typed=event())
    before, old = state(ledger), (home / KEY_FILE).read_bytes()

    answer = ledger("key", "rotate", "--yes", "--json")

    new = home / KEY_FILE
    assert answer.code == 0
    assert answer.json.keys() == {"ledger", "key_file", "generation_file", "rewrapped"}
    # On a server only the generation file is wrapped by the master key.
    is_served = (home / SERVED).exists()
    wrapped = (answer.json["generation_file"], answer.json["rewrapped"])
    assert answer.json["key_file"] == KEY_FILE
    assert wrapped == ((f"{KEY_FILE}.generation", 0) if is_served else (None, 2))
    assert "keep a copy" in answer.err
    assert new.read_bytes() != old
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert state(ledger) == before
    assert ledger("ingest", "-", typed=event()).code == 0
    new.write_bytes(old)
    assert "after a rotation that is the new one" in told(ledger("status"))


def test_a_rotation_asks_first(ledger: Command, tmp_path: Path) -> None:
    before = (tmp_path / KEY_FILE).read_bytes()

    answer = ledger("key", "rotate")

    assert answer.code == 2
    assert "--yes" in answer.err
    assert (tmp_path / KEY_FILE).read_bytes() == before


def test_a_given_key_needs_no_file_and_is_followed_by_the_next(
    place: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = place("init", "--json", ledger_key=OLD)
    place("ingest", "-", typed=event())
    before = state(place)
    refused = place("key", "rotate", "--yes")
    answer = place("key", "rotate", "--yes", "--json", ledger_key_next=NEW)

    assert (made.code, made.json["key_file"], made.err) == (0, None, "")
    assert "LEDGER_KEY_NEXT" in told(refused)
    assert (answer.code, answer.json["key_file"]) == (0, None)
    assert "set LEDGER_KEY to the value of LEDGER_KEY_NEXT" in answer.err
    assert state(place) == before
    monkeypatch.delenv("DOKSTAMP_LEDGER_KEY_NEXT")
    assert "set LEDGER_KEY to the right one" in told(place("status"))
    monkeypatch.setenv("DOKSTAMP_LEDGER_KEY", NEW)
    assert state(place) == before
    kept = [f"{KEY_FILE}.generation"] if (home / SERVED).exists() else []
    assert [path.name for path in home.glob(f"{KEY_FILE}*")] == kept


def test_a_given_key_beside_another_key_file_is_refused(ledger: Command) -> None:
    assert "use one of the two" in told(ledger("status", ledger_key=NEW))


def test_given_keys_stay_hidden(command: Command) -> None:
    answer = command("config", "show", "--json", ledger_key=OLD, ledger_key_next=NEW)

    rows = {row["setting"]: row for row in answer.json["settings"]}
    assert rows["LEDGER_KEY"]["value"] == rows["LEDGER_KEY_NEXT"]["value"] == "********"
    assert OLD not in answer.out
    assert NEW not in answer.out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ledger_key": OLD[:-8]}, "openssl rand -base64 32"),
        ({"ledger_key": "not base64 at all"}, "openssl rand -base64 32"),
        ({"ledger_key_next": NEW}, "needs LEDGER_KEY"),
    ],
)
def test_what_cannot_be_a_key_is_refused_unseen(
    command: Command, settings: dict[str, str], words: str
) -> None:
    refusal = told(command("init", **settings))

    assert words in refusal
    assert not any(value in refusal for value in settings.values())


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def bare(path: Path) -> None:
    path.chmod(0o644)


def swap(path: Path) -> None:
    path.write_text(f"dokstamp-ledger master key 1\n{NEW}\n")


@pytest.mark.parametrize(
    ("harm", "words"),
    [(lose, "restore"), (cut, "not a whole key file"), (bare, "chmod 600"), (swap, "not the one")],
)
def test_a_key_file_that_cannot_be_used_is_told_and_nothing_is_lost(
    ledger: Command, tmp_path: Path, harm: object, words: str
) -> None:
    path = tmp_path / KEY_FILE
    ledger("ingest", "-", typed=event())
    before, kept = state(ledger), path.read_bytes()
    assert callable(harm)
    harm(path)
    answers = [ledger("status"), ledger("init"), ledger("ingest", "-", typed=event(id="e-2"))]
    path.write_bytes(kept)
    path.chmod(0o600)

    assert all(words in told(answer) for answer in answers)
    assert state(ledger) == before


@pytest.mark.one_database("Only files can be moved about.")
def test_a_vault_without_its_rows_is_told(command: Command, tmp_path: Path) -> None:
    command("init")
    for path in tmp_path.glob("dokstamp-ledger.vault.db*"):
        path.unlink()
    lost = command("status")
    (tmp_path / "other").mkdir()
    command("--database", "other/other.db", "init")
    for path in (tmp_path / "other").glob("other.vault.db*"):
        path.rename(tmp_path / path.name.replace("other", "dokstamp-ledger"))
    other_key = command("status")
    (tmp_path / "other" / KEY_FILE).rename(tmp_path / KEY_FILE)
    other_vault = command("status")

    assert "restore" in told(lost)
    assert "not the one this ledger is wrapped by" in told(other_key)
    assert "the vault belongs to another ledger" in told(other_vault)
