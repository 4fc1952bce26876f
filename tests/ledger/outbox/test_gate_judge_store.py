import pytest
from sqlalchemy import Connection

from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.gate_judge_store import GateJudge
from ledger.outbox.operation import State
from ledger.reference import Scope, TargetId
from tests.ledger.outbox.histories import Outbox, after, bound, complete, record
from tests.ledger.rows import LEDGER_SCOPE

TROUBLE = {
    State.BLOCKED: Why.MOVING,
    State.READY: Why.MOVING,
    State.LEASED: Why.MOVING,
    State.UNCERTAIN: Why.MOVING,
    State.HELD: Why.HELD,
    State.DEAD: Why.DEAD,
}


def why(outbox: Outbox, gate: Gate) -> Why | None:
    """Ask about a gate for an operation that is planned now."""
    waiter = outbox.plan("waiter", held="waits")
    return GateJudge(outbox.connection, LEDGER_SCOPE).why_closed(gate, waiter=waiter)


def bind(
    connection: Connection, scope: Scope, state: BindingState, *, is_complete: bool = False
) -> None:
    binding = Binding(
        record("parent"),
        TargetId("t"),
        state=state,
        position=1,
        sent=None,
        is_complete=is_complete,
    )
    mapping_store.write(connection, scope, binding=binding)


@pytest.mark.parametrize("state", BindingState)
def test_a_record_can_be_named_while_it_stands_in_the_remote_system(
    outbox: Outbox, connection: Connection, scope: Scope, state: BindingState
) -> None:
    outbox.plan("parent")
    outbox.put("parent", State.DONE)
    bind(connection, scope, state)

    stands = state in {BindingState.LIVE, BindingState.RETIRED}
    assert why(outbox, bound("parent")) is (None if stands else Why.MOVING)


def test_a_record_that_was_never_seen_is_missing(outbox: Outbox) -> None:
    assert why(outbox, bound("parent")) is Why.MISSING


def test_a_record_that_nothing_is_done_for_is_missing(outbox: Outbox) -> None:
    outbox.see("parent")

    assert why(outbox, bound("parent")) is Why.MISSING


def test_a_record_removed_earlier_is_removed(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    outbox.put("parent", State.SUPERSEDED)
    bind(connection, scope, BindingState.RETIRED)
    outbox.plan("removal", "parent", removes=True)

    assert why(outbox, bound("parent")) is Why.REMOVED


def test_a_record_removed_later_still_counts(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    bind(connection, scope, BindingState.LIVE)
    waiter = outbox.plan("waiter")
    outbox.plan("removal", "parent", removes=True)

    judge = GateJudge(connection, scope)

    assert judge.why_closed(bound("parent"), waiter=waiter) is None


def test_a_removed_record_that_returned_counts_again(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    bind(connection, scope, BindingState.LIVE)
    outbox.plan("removal", "parent", removes=True)
    outbox.plan("return", "parent")

    assert why(outbox, bound("parent")) is None


@pytest.mark.parametrize(("state", "expected"), TROUBLE.items())
def test_an_unbound_record_tells_how_its_operation_stands(
    outbox: Outbox, state: State, expected: Why
) -> None:
    outbox.plan("parent")
    outbox.put("parent", state)

    assert why(outbox, bound("parent")) is expected


@pytest.mark.parametrize(
    ("state", "expected"), [*TROUBLE.items(), (State.DONE, None), (State.DISCARDED, None)]
)
def test_an_operation_is_waited_for_until_it_came_to_an_end(
    outbox: Outbox, state: State, expected: Why | None
) -> None:
    outbox.plan("earlier")
    outbox.put("earlier", state)

    assert why(outbox, after("earlier")) is expected


@pytest.mark.parametrize("gate", [after("nothing"), Gate(GateKind.AFTER, record("parent"))])
def test_an_operation_that_does_not_exist_is_not_waited_for(outbox: Outbox, gate: Gate) -> None:
    assert why(outbox, gate) is None


def test_a_record_is_complete_once_it_was_sent_as_complete(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    missing = why(outbox, complete("parent"))
    outbox.plan("parent")
    moving = GateJudge(connection, scope).why_closed(
        complete("parent"), waiter=outbox.the("waiter")
    )
    bind(connection, scope, BindingState.LIVE)
    incomplete = GateJudge(connection, scope).why_closed(
        complete("parent"), waiter=outbox.the("waiter")
    )
    bind_again = Binding(
        record("parent"), TargetId("t"), BindingState.LIVE, 2, sent=1, is_complete=True
    )
    mapping_store.write(connection, scope, binding=bind_again)
    done = GateJudge(connection, scope).why_closed(complete("parent"), waiter=outbox.the("waiter"))

    assert [missing, moving, incomplete, done] == [Why.MISSING, Why.MOVING, Why.MOVING, None]
