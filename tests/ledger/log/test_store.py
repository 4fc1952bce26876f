import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.log import store
from ledger.log.envelope import fault
from ledger.log.merkle import CompactRange
from ledger.schema.tables import events
from tests.ledger.rows import LEDGER_SCOPE
from tests.ledger.steps import SOURCE, Told, in_step, offers, prepared

LEDGER = LEDGER_SCOPE.ledger


def write(connection: Connection, *told: Told) -> None:
    in_step(connection, lambda transaction: transaction.append(offers(*told)))


@pytest.fixture
def log(connection: Connection) -> Connection:
    """Give a log of five source events on two records, with an outcome event at position 3."""
    write(connection, Told("a"), Told("b", "C-2"), Told("c"))
    in_step(connection, lambda transaction: transaction.record("ingest.finished", public={}))
    write(connection, Told("d", "C-2"), Told("e"))
    return connection


def test_events_are_read_page_by_page_in_order(log: Connection) -> None:
    first = store.read_page(log, LEDGER, after=-1, limit=4)
    rest = store.read_page(log, LEDGER, after=first[-1].position, limit=4)

    assert [event.position for event in first + rest] == [0, 1, 2, 3, 4, 5]


def test_one_kind_of_event_can_be_read_and_up_to_a_position(log: Connection) -> None:
    sources = store.read_page(log, LEDGER, after=0, limit=9, through=4, is_outcome=False)
    outcomes = store.read_page(log, LEDGER, after=-1, limit=9, is_outcome=True)

    assert [event.id for event in sources] == ["b", "c", "d"]
    assert [event.type for event in outcomes] == ["ingest.finished"]


def test_a_stored_event_agrees_with_its_leaf(log: Connection) -> None:
    stored = store.read_page(log, LEDGER, after=-1, limit=9)

    assert [fault(event) for event in stored] == [None] * 6
    assert stored[0].leaf == prepared(Told("a")).leaf
    assert stored[0].sealed == b"content"


def test_events_are_found_by_position(log: Connection) -> None:
    at = store.read_at(log, LEDGER, positions=[5, 1, 1, 99])

    assert [event.id for event in at] == ["b", "e"]


def test_known_events_are_found_by_source_and_id_in_any_number(log: Connection) -> None:
    asked = [(SOURCE, "c"), ("urn:other", "a"), *((SOURCE, f"new {n}") for n in range(1000))]

    known = store.find_known(log, LEDGER, names=[*asked, (SOURCE, "a")])

    assert {name[1]: event.position for name, event in known.items()} == {"c": 2, "a": 0}
    assert known[SOURCE, "a"].content_digest == b"content"


def test_source_events_that_wait_are_counted(log: Connection) -> None:
    assert store.count_sources(log, LEDGER, after=1) == (3, 5)
    assert store.count_sources(log, LEDGER, after=5) == (0, None)


def test_the_head_is_the_tree_over_every_leaf(log: Connection) -> None:
    leaves = [event.leaf for event in store.read_page(log, LEDGER, after=-1, limit=9)]

    assert store.read_head(log, LEDGER) == CompactRange().extend(leaves)


@pytest.mark.parametrize(
    "change",
    [
        events.update().values(type="other"),
        events.update().where(events.c.position == 1).values(sealed=None),
        events.delete(),
        events.delete().where(events.c.position == 5),
    ],
    ids=["update", "update one", "delete", "delete one"],
)
def test_the_log_refuses_to_be_changed(log: Connection, change: object) -> None:
    before = store.read_page(log, LEDGER, after=-1, limit=9)

    refusal = pytest.raises(DBAPIError, match="never changed: append an event that corrects it")
    with refusal, log.begin_nested():
        log.execute(change)  # type: ignore[call-overload]

    assert store.read_page(log, LEDGER, after=-1, limit=9) == before
