from pathlib import Path

from sync.runtime.settings import Settings
from tests.sync.cli.conftest import Command


def test_every_setting_is_shown_with_its_origin_and_no_secret(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "dokstamp-ledger.toml").write_text("page_size = 10\n")

    answer = command("config", "show", "--json", client_secret="open sesame")

    rows = {row["setting"]: row for row in answer.json["settings"]}
    assert answer.code == 0
    assert list(rows) == [name.upper() for name in Settings.model_fields]
    assert rows["PAGE_SIZE"] == {
        "setting": "PAGE_SIZE", "value": 10, "origin": "dokstamp-ledger.toml",
    }  # fmt: skip
    assert rows["CLIENT_SECRET"]["value"] == "********"
    assert rows["CLIENT_SECRET"]["origin"] == "environment DOKSTAMP_CLIENT_SECRET"
    assert rows["PASSWORD"]["value"] is None
    assert rows["LEDGER_KEY_FILE"]["value"] == "dokstamp-ledger.key"
    assert "open sesame" not in answer.out


def test_people_read_a_line_for_each_setting(command: Command) -> None:
    answer = command("config", "show", client_secret="open sesame")

    assert "PAGE_SIZE = 50  (default)" in answer.out.splitlines()
    assert "open sesame" not in answer.out


def test_another_config_file_can_be_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("page_size = 10\n")

    assert "PAGE_SIZE = 10  (other.toml)" in command("--config", "other.toml", "config", "show").out
    assert command("--config", "missing.toml", "config", "show").code == 5
