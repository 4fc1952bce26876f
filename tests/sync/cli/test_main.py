from pathlib import Path

import pytest

from sync.cli.program import VERBS
from tests.sync.cli.commands import start
from tests.sync.cli.conftest import Command


def test_the_help_names_every_verb(command: Command) -> None:
    answer = command("--help")

    assert answer.code == 0
    assert all(f"\n  {verb} " in answer.out for verb in VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_a_help_of_its_own(command: Command, verb: str) -> None:
    answer = command(verb, "--help")

    assert answer.code == 0
    assert answer.out.startswith("Usage: ")


def test_an_unknown_verb_is_a_usage_error(command: Command) -> None:
    answer = command("synk")

    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert "synk" in answer.err
    assert answer.err.endswith("(`dokstamp-ledger --help` tells more)\n")


def test_without_a_verb_the_help_is_shown(command: Command) -> None:
    answer = command()

    assert answer.code == 2
    assert answer.err.startswith("Usage: ")


def test_an_error_is_an_object_for_who_asked_for_json(command: Command) -> None:
    answer = command("sync", "--json")

    assert answer.code == 7
    assert answer.json["error"]["code"] == "migration_needed"
    assert "run `dokstamp-ledger init` first" in answer.json["error"]["message"]
    assert answer.err == f"error: {answer.json['error']['message']}\n"


def test_every_wrong_setting_is_told_on_a_line_of_its_own(command: Command) -> None:
    answer = command("config", "show", page_size="none", tenants="x")

    assert answer.code == 5
    assert sorted(line.split(" ")[:2] for line in answer.err.splitlines()) == [
        ["error:", "PAGE_SIZE"],
        ["error:", "TENANTS"],
    ]


def test_debug_shows_where_an_error_comes_from(command: Command) -> None:
    assert "Traceback" not in command("sync").err
    assert "Traceback" in command("--debug", "sync").err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    with start("config", "show", folder=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, told) == (0, "")


def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")

    with full.open("w") as stdout, start("config", "show", folder=tmp_path, stdout=stdout) as one:
        _, told = one.communicate()

    assert one.returncode == 74
    assert "No space left on device" in told
