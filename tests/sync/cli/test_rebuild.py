import asyncio

import pytest
from sqlalchemy import delete

from ledger.schema.tables import bindings
from sync.cli.exits import Exit
from sync.runtime import Settings
from tests.sync.cli.commands import at_work, event
from tests.sync.cli.conftest import Command


async def lose_a_binding() -> None:
    database = Settings.load(environment={}).address.main()
    await database.run(lambda connection: connection.execute(delete(bindings)))
    await database.close()


def test_a_rebuild_finds_what_is_there(ledger: Command, practice: dict[str, str]) -> None:
    ledger("ingest", "-", typed=event())
    ledger("sync", **practice)

    checked = ledger("rebuild", "--check", "--json")
    swapped = ledger("rebuild", "--json")

    assert (checked.code, swapped.code) == (0, 0)
    assert set(checked.json) == {"size", "compared", "first_difference"}
    assert checked.json["first_difference"] is None
    assert ledger("sync", "--json").json["calls"] == {}


def test_a_difference_is_named(ledger: Command, practice: dict[str, str]) -> None:
    ledger("ingest", "-", typed=event())
    ledger("sync", **practice)
    asyncio.run(lose_a_binding())

    told, answer = ledger("rebuild", "--check"), ledger("rebuild", "--check", "--json")
    ledger("rebuild")

    assert (told.code, answer.code) == (Exit.DIFFERENT, Exit.DIFFERENT)
    assert "first difference: {'table': 'bindings'" in told.out
    assert answer.json["first_difference"] == {
        "table": "bindings",
        "key": {"entity": "student", "source_id": "S-1"},
        "column": None,
        "live": "no such row",
        "rebuilt": "a row",
    }
    assert ledger("rebuild", "--check").code == Exit.DONE


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
