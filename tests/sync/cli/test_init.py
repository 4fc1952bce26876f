import asyncio
import stat
from pathlib import Path

import pytest

from sync.runtime import Settings
from tests.places import make_older, settings_in
from tests.sync.cli.conftest import Command


def test_init_makes_the_ledger_and_a_key_for_its_owner_alone(place: Command, home: Path) -> None:
    answer = place("init", "--json")

    assert answer.code == 0
    assert answer.json == {
        "ledger": answer.json["ledger"],
        "database": str(Settings.load(environment={}).address.place),
        "key_file": "dokstamp-ledger.key",
        "created": True,
        "migrated": {},
    }
    assert stat.S_IMODE((home / "dokstamp-ledger.key").stat().st_mode) == 0o600
    assert "keep a copy" in answer.err


def test_init_again_changes_nothing(ledger: Command, tmp_path: Path) -> None:
    key = (tmp_path / "dokstamp-ledger.key").read_bytes()

    answer = ledger("init", "--json")

    assert (answer.code, answer.json["created"], answer.err) == (0, False, "")
    assert answer.json["migrated"] == {}
    assert (tmp_path / "dokstamp-ledger.key").read_bytes() == key


def test_init_tells_what_it_migrated(ledger: Command) -> None:
    asyncio.run(grow_older())
    refused = ledger("status")
    told = ledger("init", "--json")
    asyncio.run(grow_older())

    answer = ledger("init")

    assert refused.code == 7
    assert told.json["migrated"] == {"ledger": {"from": "main_0003", "to": "main_0004"}}
    assert (answer.code, answer.err) == (0, "")
    assert " migrated (ledger main_0003 to main_0004): " in answer.out
    assert ledger("rebuild", "--check").code == 0


async def grow_older() -> None:
    database = Settings.load(environment={}).address.main()
    await database.run(make_older)
    await database.close()


@pytest.mark.one_database("A file can lie in any folder.")
def test_a_ledger_can_live_anywhere(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    assert command("--database", "sqlite:///data/uni.db", "init").code == 0
    assert (tmp_path / "data" / "uni.db").exists()
    assert (tmp_path / "data" / "dokstamp-ledger.key").exists()


@pytest.mark.one_database("A server has no folder.")
def test_a_folder_that_is_not_there_is_told(command: Command) -> None:
    answer = command("--database", "nowhere/uni.db", "init")

    assert answer.code == 74
    assert answer.err.startswith("error: ")


def test_the_key_of_another_ledger_is_refused(
    command: Command, home: Path, elsewhere: Path
) -> None:
    command("init", **settings_in(elsewhere))
    command("init", **settings_in(home))

    answer = command("init", ledger_key_file=str(elsewhere / "ledger.key"))

    assert answer.code == 5
    assert "LEDGER_KEY_FILE" in answer.err


def test_a_lost_key_is_not_replaced(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "dokstamp-ledger.key").unlink()

    answer = ledger("init")

    assert answer.code == 5
    assert "restore" in answer.err


def test_a_key_that_others_can_read_is_refused(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "dokstamp-ledger.key").chmod(0o644)

    answer = ledger("ingest", "-")

    assert answer.code == 5
    assert "chmod 600" in answer.err
