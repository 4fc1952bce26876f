"""Whatever is changed in a ledger's file is found, and where it begins; `scripts/damage` does all.

The file is SQLite's for the statements that harm it; what is checked is the same on PostgreSQL.
"""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from ledger.audit.verification import Head
from tests.ledger.audit.damage import (
    COLUMNS,
    Harm,
    Victim,
    byte_changes,
    key_changes,
    row_changes,
    tree_changes,
    victim,
    write_ledger,
)

SIZE = 300
SEED = 3


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("ledger")
    asyncio.run(write_ledger(folder, SIZE))
    with victim(folder / "ledger.db") as opened:
        yield opened


def missed(damaged: Victim, harms: Iterator[Harm]) -> list[str]:
    """Return what was not found, or found elsewhere."""
    wrong: list[str] = []
    for harm in harms:
        found = damaged.verified(harm).first_bad_position
        if found is None or (harm.first_bad >= 0 and found != harm.first_bad):
            wrong.append(f"{harm.name}: found {found}, not {harm.first_bad}")
    return wrong


def test_an_unharmed_ledger_raises_no_alarm(damaged: Victim) -> None:
    found = damaged.verified()

    assert (found.size, found.checked, found.first_bad_position) == (SIZE, SIZE, None)


def test_every_column_of_an_event_is_covered(damaged: Victim) -> None:
    assert {"ledger", "position", *COLUMNS} == set(damaged.rows("events")[0]._fields)


def test_a_changed_byte_is_found_where_it_is(damaged: Victim) -> None:
    rng, rows = Random(SEED), damaged.rows("events")

    assert not missed(damaged, byte_changes(rows, rng, count=6))
    assert not missed(damaged, key_changes(rows, rng, count=6))


def test_rows_that_come_go_or_change_places_are_found_where_that_begins(damaged: Victim) -> None:
    assert not missed(damaged, row_changes(SIZE, Random(SEED), count=6))


def test_a_tree_that_was_tampered_with_is_found(damaged: Victim) -> None:
    (head,) = damaged.rows("heads")
    harms = tree_changes(damaged.rows("tiles"), SIZE, compact_range=head.compact_range, step=9)

    assert not missed(damaged, harms)


def test_what_was_written_anew_with_great_care_is_found_by_a_checkpoint(damaged: Victim) -> None:
    (head,) = damaged.rows("heads")
    true = Head(SIZE, bytes(32))
    early = Head(SIZE - 50, bytes(32))

    found = damaged.verified(None, true, early)

    assert damaged.verified().first_bad_position is None
    assert head.size == SIZE
    assert found.first_bad_position == 0
    assert f"between here and {early.size - 1}" in str(found.what)
