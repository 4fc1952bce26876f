import json
import signal
import socket
from pathlib import Path

from tests.sync.cli.commands import start
from tests.sync.cli.conftest import Command


def test_the_practice_service_tells_its_settings_and_ends_when_asked(tmp_path: Path) -> None:
    process = start(
        "simulator", "--json", "--switch", "delete_with_dependants=409", folder=tmp_path
    )
    assert process.stdout is not None

    settings = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()

    assert set(settings) == {"base_url", "tenant", "client_id", "client_secret"}
    assert settings["base_url"].startswith("http://127.0.0.1:")
    assert process.returncode == 130
    assert "Traceback" not in told


def test_a_port_in_use_is_told(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = command("simulator", "--port", str(taken.getsockname()[1]))

    assert answer.code == 2
    assert "choose another --port" in answer.err


def test_an_unknown_switch_is_told(command: Command) -> None:
    answer = command("simulator", "--switch", "colour=red")

    assert answer.code == 2
    assert "There is no switch 'colour'" in answer.err
