from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command


def test_status_tells_where_everything_stands(ledger: Command) -> None:
    ledger("ingest", "-", typed=event() + "{\n")

    answer = ledger("status", "--json")

    status = answer.json
    assert answer.code == 0
    assert tuple(status) == (
        "ledger", "tenant", "log", "projection", "operations", "bindings", "quarantine", "circuit",
        "outage", "hosts", "stopped", "late_looks", "accepted_older", "checkpoint",
    )  # fmt: skip
    assert tuple(status["operations"]) == (
        "blocked", "ready", "leased", "uncertain", "done", "held", "dead", "superseded",
    )  # fmt: skip
    assert set(status["log"]) == {"size", "root"}
    assert status["accepted_older"] is None
    assert (status["tenant"], status["quarantine"], status["circuit"]) == (None, 1, "closed")
    assert status["projection"]["lag"] == 1


def test_people_read_it_in_lines(ledger: Command) -> None:
    lines = ledger("status").out.splitlines()

    assert [line.split()[0] for line in lines] == [
        "ledger", "tenant", "log", "to", "operations", "bindings", "quarantine", "circuit",
        "late", "checkpoint",
    ]  # fmt: skip
