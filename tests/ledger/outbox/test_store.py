from typing import Any

import pytest
from sqlalchemy import Connection, event

from ledger.errors import IntegrityError
from ledger.outbox import store
from ledger.outbox.operation import FINAL, MOVES, Move, State
from ledger.reference import Scope
from tests.ledger.outbox.histories import Outbox, key, record

LEGAL = [(state, move) for state, moves in MOVES.items() for move in moves]


@pytest.mark.parametrize(("state", "move"), LEGAL)
def test_an_operation_moves_along_the_table(
    outbox: Outbox, connection: Connection, scope: Scope, state: State, move: Move
) -> None:
    outbox.plan("a")
    outbox.put("a", state)

    reached = store.move(connection, scope, operation=outbox.the("a"), move=move, reason="why")

    found = outbox.the("a")
    assert (found.state, found.reason) == (MOVES[state][move], "why")
    assert reached is found.state


@pytest.mark.parametrize("state", State)
def test_a_move_that_is_not_in_the_table_is_refused(
    outbox: Outbox, connection: Connection, scope: Scope, state: State
) -> None:
    outbox.plan("a")
    outbox.put("a", state)
    operation = outbox.the("a")

    for move in set(Move) - MOVES[state].keys():
        with pytest.raises(IntegrityError, match=f"is {state} and cannot {move}: run `rebuild"):
            store.move(connection, scope, operation=operation, move=move)

    assert outbox.the("a") == operation


def test_what_may_have_been_sent_cannot_be_superseded_or_discarded() -> None:
    doubted = [MOVES[state] for state in (State.LEASED, State.UNCERTAIN)]

    assert not any({Move.SUPERSEDE, Move.DISCARD} & moves.keys() for moves in doubted)


def test_nothing_leaves_a_final_state() -> None:
    assert [state for state in State if not MOVES[state]] == sorted(FINAL, key=list(State).index)


def test_operations_are_found_by_any_number_of_keys(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b")

    found = store.find(
        connection, scope, keys=[key(str(number)) for number in range(1200)] + [key("b")]
    )

    assert list(found) == ["b"]


def test_the_operations_of_a_record_are_told_in_order(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("z", "C-1")
    outbox.plan("b", "C-1", supersedes="z")
    outbox.plan("other")
    outbox.plan("a", "C-1", held="mass_change")

    every = store.of_record(connection, scope, reference=record("C-1"))
    still_open = store.open_of_record(connection, scope, reference=record("C-1"))

    assert [each.key for each in every] == ["z", "b", "a"]
    assert [each.key for each in still_open] == ["b", "a"]


def test_open_operations_that_name_a_record_are_found(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a", names=("parent",))
    outbox.plan("b", names=("parent", "uncle"))
    outbox.plan("c", names=("uncle",))
    outbox.put("a", State.DONE)

    naming = store.open_naming(connection, scope, reference=record("parent"))
    others = store.open_naming(connection, scope, reference=record("parent"), entity="module")

    assert [each.key for each in naming] == ["b"]
    assert others == ()


def test_an_operation_names_what_its_record_named_before_too(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a", "C-1", names=("old",))
    outbox.plan("b", "C-1", names=("new",), supersedes="a")

    named = store.named_records(connection, scope, keys=[key("b")])

    assert named == {record("old"), record("new")}


def test_operations_are_paged_by_cause(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    for name in "zyxwv":
        outbox.plan(name)
    outbox.put("x", State.DONE)

    first = store.read_page(connection, scope, states=[State.READY], limit=2)
    place = (first[-1].cause, first[-1].key)
    rest = store.read_page(connection, scope, states=[State.READY], after=place, limit=9)

    assert [each.key for each in first + rest] == ["z", "y", "w", "v"]
    assert store.read_page(connection, scope, entity="module", limit=9) == []


def test_operations_are_counted_by_state(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b")
    outbox.plan("c", held="mass_change")

    assert store.count_by_state(connection, scope) == {State.READY: 2, State.HELD: 1}


def test_a_plan_of_several_parts_tells_of_an_operation_once(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a", "C-1")
    outbox.planned -= 1
    outbox.plan("b", "C-1", supersedes="a")

    told = store.events_of(connection, scope, keys=[key("a")])

    assert told == {outbox.planned: "a"}


@pytest.mark.parametrize("staging", ["sqlite"], indirect=True)
@pytest.mark.parametrize("entity", [None, "enrollment"])
def test_who_names_a_record_is_found_without_reading_what_everybody_names(
    connection: Connection, scope: Scope, entity: str | None
) -> None:
    plans: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def explain(_: Connection, cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values))

    store.open_naming(connection, scope, reference=record("C-1"), entity=entity)

    assert any("to_entity=? AND to_source_id=?" in plan for plan in plans)
