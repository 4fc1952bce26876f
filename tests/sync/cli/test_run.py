import json
import signal
from pathlib import Path

from ledger.testing import SERVED
from tests.sync.cli.commands import event, start
from tests.sync.cli.conftest import Command


def test_run_follows_what_others_ingest_until_it_is_stopped(
    ledger: Command, practice: dict[str, str], home: Path
) -> None:
    with start("--log-level", "debug", "run", folder=home, settings=practice) as process:
        assert process.stderr is not None
        assert "at work" in process.stderr.readline()
        ledger("ingest", "-", typed=event())

        settled = next(line for line in process.stderr if "operation_settled" in line)
        busy = ledger("sync", **practice)
        process.send_signal(signal.SIGTERM)
        told = process.stderr.read()

    assert json.loads(settled)["outcome"] == "done"
    # On a server several may work at once.
    assert busy.code == (0 if (home / SERVED).exists() else 75)
    assert process.returncode == 130
    assert "interrupted" in told
    assert ledger("status", "--json").json["operations"]["leased"] == 0


def test_run_without_settings_says_which_are_missing(ledger: Command) -> None:
    answer = ledger("run")

    assert answer.code == 5
    assert "DOKSTAMP_TENANT" in answer.err
