import json
import signal
import tempfile
from pathlib import Path

from tests.sync.cli.commands import start

STUDENTS = "20"
"""Enough for every kind of record and of trouble."""


def test_the_demo_ends_with_nothing_double_and_nothing_lost(tmp_path: Path) -> None:
    process = start("demo", "--json", "--students", STUDENTS, folder=tmp_path)

    printed, told = process.communicate()
    shown = json.loads(printed)
    assert (process.returncode, shown["missed"]) == (0, []), told
    assert (shown["duplicates"], shown["lost"], shown["faults"]) == (0, 0, {})
    assert shown["killed"]["exit"] == -signal.SIGKILL
    assert shown["outage"]["requests"] > 0
    assert shown["records"]["student"] == int(STUDENTS)
    assert (shown["changes"]["archived"], shown["changes"]["revoked"]) == (1, 1)
    assert shown["second_sync"]["calls"] == {}
    assert shown["timeline"][0]["type"] == "certificate.requested"
    assert "public verification url" in shown["timeline"][-1]["summary"]
    assert shown["verify"]["first_bad_position"] is None
    assert shown["rebuild"]["first_difference"] is None
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    process = start("demo", "--students", STUDENTS, folder=tmp_path, settings={"ignored": "1"})
    assert process.stdout is not None
    opening = [process.stdout.readline() for _ in range(2)]
    folder = Path(opening[1].rpartition(" in ")[2].strip().removesuffix("."))
    assert folder.parent == Path(tempfile.gettempdir())
    for line in process.stdout:
        if "taken" in line:
            break

    process.send_signal(signal.SIGINT)
    process.communicate()

    assert process.returncode == 130
    assert not folder.exists()


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")

    process = start("demo", "--directory", str(tmp_path), folder=tmp_path)
    _, told = process.communicate()

    assert process.returncode == 2
    assert "is not empty" in told
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
