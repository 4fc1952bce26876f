"""Statements that ask for many rows at once find each by an index."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from ledger.log import store as log_store
from ledger.mapping import store as mapping_store
from ledger.outbox import record_store
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.gate_judge_store import GateJudge
from ledger.reference import SourceRef
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
    plans: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def explain(_: Connection, cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values))

    look(connection)

    searches = [plan for plan in plans if "USING INDEX" in plan]
    assert searches
    assert all("source_id=?)" in plan or "event_id=?)" in plan for plan in searches)
