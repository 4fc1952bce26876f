import signal
import socket
from itertools import takewhile
from pathlib import Path

import pytest

from tests.sync.cli.commands import at_work, event, start
from tests.sync.cli.conftest import Command

KEYS = ("done", "waiting", "held", "dead", "uncertain", "late_looks", "calls", "seconds", "exit")


def test_sync_brings_dokstamp_up_to_date_and_then_has_nothing_to_do(
    ledger: Command, practice: dict[str, str]
) -> None:
    ledger("ingest", "-", typed=event())

    first = ledger("sync", "--json", **practice)
    second = ledger("sync", "--json")

    assert (first.code, second.code) == (0, 0)
    assert tuple(first.json) == KEYS
    assert (first.json["done"], first.json["exit"]) == (1, 0)
    assert first.json["calls"]["POST"] == 1
    assert (second.json["done"], second.json["calls"]) == (0, {})


def test_without_credentials_the_settings_are_named(ledger: Command) -> None:
    answer = ledger("sync")

    assert answer.code == 5
    assert "DOKSTAMP_CLIENT_SECRET" in answer.err


def test_a_wrong_secret_and_a_wrong_tenant_are_configuration(
    ledger: Command, practice: dict[str, str]
) -> None:
    ledger("ingest", "-", typed=event())

    secret = ledger("sync", "--json", **{**practice, "client_secret": "guessed"})
    tenant = ledger("sync", "--json", **{**practice, "tenant": "elsewhere"})

    assert (secret.code, tenant.code) == (5, 5)
    assert "guessed" not in secret.err + secret.out
    assert secret.json["error"]["code"] == "configuration"


def test_a_service_that_is_down_is_tried_later(ledger: Command, practice: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ledger("ingest", "-", typed=event())

    answer = ledger("sync", "--patience", "0.2", "--json", **{**practice, "base_url": address})

    assert (answer.code, answer.json["exit"]) == (75, 75)
    assert (answer.json["done"], answer.json["waiting"]) == (0, 1)
    assert "again later" in answer.err


@pytest.mark.one_database("On a server several may work at once.")
def test_a_second_process_is_sent_away(command: Command, practice: dict[str, str]) -> None:
    command("init")
    with at_work("sync"):
        answer = command("sync", **practice)

    assert answer.code == 75
    assert "another `sync` or `run`" in answer.err


def test_what_was_interrupted_is_finished_by_the_next_run(
    ledger: Command, practice: dict[str, str], tmp_path: Path
) -> None:
    events = [event(id=f"e-{each}", subject=f"S-{each}", data={
        "name": f"Person {each}", "email": f"p{each}@example.edu", "date_of_birth": "2000-01-01",
    }) for each in range(30)]  # fmt: skip
    ledger("ingest", "-", typed="".join(events))

    process = start("--log-level", "debug", "sync", folder=tmp_path, settings=practice)
    assert process.stderr is not None
    lines = list(
        takewhile(lambda line: "call_made" not in line or "POST" not in line, process.stderr)
    )
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate()
    second = ledger("sync", "--json", **practice)

    assert process.returncode == 130, lines[-9:]
    assert "the same command again finishes the work" in rest
    assert second.code == 0
    assert ledger("sync", "--json").json["calls"] == {}
