import pytest

from sync.cli.exits import Exit
from tests.sync.cli.commands import at_work, event
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


@pytest.mark.parametrize("words", [("rebuild",), ("rebuild", "--check")])
def test_a_second_rebuild_touches_nothing_while_one_is_under_way(
    ledger: Command, words: tuple[str, ...]
) -> None:
    ledger("ingest", "-", typed=event())
    with at_work("rebuild"):
        refused = ledger(*words)

    assert refused.code == Exit.LATER
    assert "another `rebuild` folds this ledger" in refused.err
    assert ledger(*words).code == Exit.DONE
