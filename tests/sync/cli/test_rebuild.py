from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command


def test_a_rebuild_finds_what_is_there(ledger: Command, practice: dict[str, str]) -> None:
    ledger("ingest", "-", typed=event())
    ledger("sync", **practice)

    checked = ledger("rebuild", "--check", "--json")
    swapped = ledger("rebuild", "--json")

    assert (checked.code, swapped.code) == (0, 0)
    assert set(checked.json) == {"size", "compared", "first_difference"}
    assert checked.json["first_difference"] is None
    assert ledger("sync", "--json").json["calls"] == {}
