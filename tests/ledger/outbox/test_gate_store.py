from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import gate_store
from ledger.outbox.operation import Move, State
from ledger.reference import Scope, TargetId
from ledger.schema.tables import gates, wakes
from tests.ledger.outbox.histories import Outbox, after, bound, claim, record, settle, terms
from tests.ledger.rows import LEDGER_SCOPE
from tests.ledger.stages import OpenStage, Stage

READY, BLOCKED = State.READY, State.BLOCKED


def bind(outbox: Outbox, name: str, state: BindingState = BindingState.LIVE) -> None:
    binding = Binding(
        record(name), TargetId(f"target {name}"), state=state, position=outbox.planned, sent=None
    )
    outbox.planned += 1
    mapping_store.write(outbox.connection, LEDGER_SCOPE, binding=binding)
    gate_store.wake_record(outbox.connection, LEDGER_SCOPE, reference=record(name))


def wakes_left(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(wakes)).scalar_one()


def test_an_operation_without_gates_is_ready_at_once(outbox: Outbox) -> None:
    assert outbox.plan("a").state is READY


def test_an_operation_whose_gates_are_open_already_is_ready_at_once(outbox: Outbox) -> None:
    outbox.plan("parent")
    bind(outbox, "parent")

    assert outbox.plan("a", gates=(bound("parent"),)).state is READY


def test_binding_wakes_what_waits_for_it_and_touches_nothing_itself(outbox: Outbox) -> None:
    outbox.plan("parent")
    outbox.plan("a", gates=(bound("parent"), bound("uncle")))
    outbox.plan("b", gates=(bound("parent"),))
    bind(outbox, "parent")
    before = outbox.states()

    outbox.drain()

    assert (before["a"], before["b"]) == (BLOCKED, BLOCKED)
    assert (outbox.the("a").state, outbox.the("b").state) == (BLOCKED, READY)
    assert outbox.waits("a") == ["missing"]


def test_an_operation_waits_for_all_its_gates(outbox: Outbox) -> None:
    outbox.plan("parent")
    outbox.plan("uncle")
    outbox.plan("a", gates=(bound("parent"), bound("uncle")))
    bind(outbox, "parent")
    outbox.drain()
    half = outbox.the("a").state
    bind(outbox, "uncle")
    outbox.drain()

    assert (half, outbox.the("a").state) == (BLOCKED, READY)


def test_an_operation_that_ends_wakes_what_waits_for_it(outbox: Outbox) -> None:
    outbox.plan("a", "C-1")
    outbox.plan("b", "C-1", gates=(after("a"),))
    claim(outbox, terms())

    for move in (Move.RETRY, Move.FINISH):
        settle(outbox, "a", move)
        outbox.drain()
        claim(outbox, terms(lanes_max=1))

    assert outbox.the("a").state is State.DONE
    assert outbox.the("b").state is State.LEASED


def test_held_and_superseded_operations_are_not_made_ready(outbox: Outbox) -> None:
    outbox.plan("parent")
    outbox.plan("a", gates=(bound("parent"),), held="mass_change")
    outbox.plan("b", "C-1", gates=(bound("parent"),))
    outbox.plan("c", "C-1", supersedes="b")
    bind(outbox, "parent")

    outbox.drain()

    assert (outbox.the("a").state, outbox.the("b").state) == (State.HELD, State.SUPERSEDED)


def test_gates_on_what_is_superseded_pass_to_its_successor(outbox: Outbox) -> None:
    outbox.plan("a", "C-1")
    outbox.plan("waiting", "C-2", gates=(after("a"),))
    outbox.plan("b", "C-1", gates=(after("a"),), supersedes="a")
    outbox.drain()
    still = outbox.the("waiting").state
    claimed = claim(outbox, terms())
    settle(outbox, "b", Move.FINISH)
    outbox.drain()

    assert (still, claimed) == (BLOCKED, [["b"]])
    assert outbox.the("waiting").state is READY


def test_what_waits_goes_on_when_nothing_had_to_be_done(outbox: Outbox) -> None:
    outbox.plan("a", "C-1")
    outbox.plan("waiting", gates=(after("a"),))

    outbox.plan("b", "C-1", removes=True, supersedes="a", finished="never_made")
    outbox.drain()

    assert outbox.the("b").state is State.DONE
    assert outbox.the("waiting").state is READY


def test_wakes_are_worked_off_in_pages_that_can_be_resumed(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    for number in range(7):
        outbox.plan(f"a{number}", gates=(bound("parent"),))
    bind(outbox, "parent")

    seen = []
    while gate_store.open_page(connection, scope, limit=3):
        seen.append(list(outbox.states().values()).count(READY))

    # The parent itself is ready from the start.
    assert seen == [4, 7, 8]
    assert wakes_left(connection) == 0


def test_a_page_that_fits_exactly_ends_with_an_empty_one(
    outbox: Outbox, connection: Connection
) -> None:
    outbox.plan("parent")
    for number in range(4):
        outbox.plan(f"a{number}", gates=(bound("parent"),))
    bind(outbox, "parent")

    assert outbox.drain(limit=2) == 3
    assert wakes_left(connection) == 0


def test_a_second_wake_looks_at_passed_gates_again(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    for number in range(4):
        outbox.plan(f"a{number}", gates=(bound("parent"),))
    gate_store.wake_record(connection, scope, reference=record("parent"))
    gate_store.open_page(connection, scope, limit=2)

    bind(outbox, "parent")
    outbox.drain(limit=2)

    assert set(outbox.states().values()) == {READY}


def test_there_is_nothing_to_open_without_a_wake(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a", gates=(bound("parent"),))

    assert not gate_store.has_wakes(connection, scope)
    assert not gate_store.open_page(connection, scope, limit=10)


def test_a_sweep_finds_what_nobody_was_woken_for(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("parent")
    for number in range(5):
        outbox.plan(f"a{number}", gates=(bound("parent"), bound("parent")))
    bind(outbox, "parent")
    connection.execute(wakes.delete())

    place, pages = gate_store.START, 0
    while following := gate_store.sweep_page(connection, scope, after=place, limit=3):
        place, pages = following, pages + 1

    assert pages == 3
    assert set(outbox.states().values()) == {READY}


PARENTS = [f"p{number}" for number in range(4)]
WAITERS = st.lists(st.lists(st.sampled_from([*PARENTS, "w0", "w1", "w2"]), max_size=4), max_size=8)
EVENTS = st.lists(st.sampled_from([*PARENTS, "w0", "w1", "w2", "page"]), max_size=20)


def open_gates(stage: Stage, waiters: list[list[str]], events: list[str], limit: int) -> object:
    """Play a history, working off pages of this size where it says so and at the end."""
    with stage.begin() as connection:
        outbox = Outbox(connection)
        for name in PARENTS:
            outbox.plan(name)
        for number, waits_for in enumerate(waiters):
            waiting = tuple(
                after(name) if name.startswith("w") else bound(name) for name in waits_for
            )
            outbox.plan(f"w{number}", gates=waiting)
        ended = {f"w{number}" for number in range(len(waiters))}
        for name in events:
            if name == "page":
                gate_store.open_page(connection, LEDGER_SCOPE, limit=limit)
            elif name in PARENTS:
                bind(outbox, name)
            elif name in ended:
                # Whatever its own gates say: what matters here is who waits for it.
                outbox.put(name, State.LEASED)
                settle(outbox, name, Move.FINISH)
                ended.remove(name)
        outbox.drain(limit)
        rows = connection.execute(select(gates).order_by(gates.c.operation, gates.c.number))
        return outbox.states(), [tuple(row) for row in rows]


@settings(max_examples=6)
@given(waiters=WAITERS, events=EVENTS, limit=st.integers(1, 3))
def test_opening_in_small_pages_equals_opening_at_once(
    open_stage: OpenStage, waiters: list[list[str]], events: list[str], limit: int
) -> None:
    with open_stage() as first, open_stage() as second:
        in_pages = open_gates(first, waiters, events, limit)
        without_pages = [name for name in events if name != "page"]
        at_once = open_gates(second, waiters, without_pages, 10_000)

    assert in_pages == at_once
