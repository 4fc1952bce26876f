"""Statements that ask for many rows at once find each by an index."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from ledger.log import store as log_store
from ledger.mapping import store as mapping_store
from ledger.outbox import gate_store, record_store
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.gate_judge_store import GateJudge
from ledger.outbox.operation import State
from ledger.reference import SourceRef
from ledger.schema.statements import pages
from tests.ledger.outbox.histories import Outbox, key
from tests.ledger.rows import LEDGER_SCOPE

MANY = [SourceRef("course", "C-1"), SourceRef("module", "M-1"), SourceRef("course", "C-2")]
NAMES = [("urn:sis", "e-1"), ("urn:sis", "e-2")]
GATES = [Gate(GateKind.BOUND, each) for each in MANY]
LOOKS: dict[str, Callable[[Connection], object]] = {
    "events": lambda c: log_store.find_known(c, LEDGER_SCOPE.ledger, names=NAMES),
    "bindings": lambda c: mapping_store.find_all(c, LEDGER_SCOPE, references=MANY),
    "records": lambda c: record_store.find_all(c, LEDGER_SCOPE, references=MANY),
    "gates": lambda c: GateJudge(c, LEDGER_SCOPE).look_up(GATES),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_pairs_are_found_without_reading_the_whole_table(
    connection: Connection, look: Callable[[Connection], object]
) -> None:
    plans = explained(connection)

    look(connection)

    searches = [plan for plan in plans if is_search(plan)]
    assert searches
    assert all("source_id" in plan or "event_id" in plan for plan in searches)


@pytest.mark.one_database("SQLite chooses an index by its columns, a server by counting rows")
@pytest.mark.parametrize("staging", ["sqlite"], indirect=True)
def test_gates_of_one_operation_are_found_without_reading_all_gates(
    connection: Connection, outbox: Outbox
) -> None:
    outbox.plan("a")
    outbox.plan("b", gates=(Gate(GateKind.AFTER, MANY[0], operation=key("a")),))
    outbox.put("a", State.DONE)
    gate_store.wake_operation(connection, LEDGER_SCOPE, key=key("a"))
    plans = explained(connection)

    while gate_store.open_page(connection, LEDGER_SCOPE, limit=9):
        pass

    assert outbox.the("b").state is State.READY
    assert not [plan for plan in plans if "gates" in plan and plan.endswith("generation=?)")]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_pages_hold_every_item_once_and_no_more_than_the_limit(count: int) -> None:
    items = list(range(count))

    found = list(pages(items, 3))

    assert [item for page in found for item in page] == items
    assert [len(page) for page in found[:-1]] == [3] * (len(found) - 1)
    assert all(1 <= len(page) <= 3 for page in found)


def explained(connection: Connection) -> list[str]:
    """Return the list that the steps of each statement's query plan go to from now on."""
    plans: list[str] = []
    is_server = connection.dialect.name == "postgresql"
    if is_server:
        # The tables are so small that reading all of them would be right.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    @event.listens_for(connection, "before_cursor_execute")
    def explain(_: Connection, cursor: Any, statement: str, values: Any, *more: Any) -> None:
        given = values[0] if more[-1] else values
        if not is_server:
            found = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given)
            plans.extend(row[3] for row in found)
        elif not statement.startswith("SET"):
            cursor.execute(f"EXPLAIN {statement}", given)
            plans.extend(steps(row[0] for row in cursor.fetchall()))

    return plans


def steps(lines: Iterable[str]) -> list[str]:
    """Return the steps of a server's plan, each in one line with its conditions."""
    plan = "\n".join(lines)
    return [" ".join(step.split()) for step in re.split(r"\n? *-> ", plan)]


def is_search(step: str) -> bool:
    """Tell whether a step finds its rows by an index."""
    return "USING INDEX" in step or "Index Cond" in step
