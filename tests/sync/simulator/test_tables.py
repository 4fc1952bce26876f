"""Tables: indexes stay true through changes, deletion and restoring."""

from datetime import UTC, datetime
from random import Random

from sync.simulator.tables import Record, Store, Table, fold, mint_uuid, stamp

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def _store() -> tuple[Store, Table, list[Record]]:
    store = Store([Table("students", indexed=("email",))])
    rng = Random(1)
    records = [
        store.make("students", "t", values={"email": f"S{n}@x.org"}, now=NOW, rng=rng)
        for n in range(3)
    ]
    return store, store.table("students"), records


def test_records_are_found_by_index_whatever_their_case() -> None:
    _, table, records = _store()

    assert list(table.find("t", "email", "s1@X.ORG ")) == [records[1]]
    assert list(table.find("other", "email", "s1@x.org")) == []


def test_a_changed_record_is_found_by_its_new_value_only() -> None:
    _, table, records = _store()

    table.change(records[0], {"email": "new@x.org", "name": "N"})

    assert list(table.find("t", "email", "s0@x.org")) == []
    assert list(table.find("t", "email", "new@x.org")) == [records[0]]


def test_a_deleted_record_leaves_the_lists_and_comes_back_in_its_place() -> None:
    _, table, records = _store()

    table.delete(records[1], NOW)
    without = list(table.live("t"))
    table.restore(records[1])

    assert without == [records[0], records[2]]
    assert table.live("t") == records


def test_values_are_spelled_as_a_query_spells_them() -> None:
    assert [fold(value) for value in (True, 5, "Ab ")] == ["true", "5", "ab"]
    assert stamp(NOW) == "2026-01-02T03:04:05.000678Z"


def test_uuids_follow_from_the_dice() -> None:
    assert mint_uuid(Random(4)) == mint_uuid(Random(4))
