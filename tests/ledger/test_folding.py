from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from ledger import folding
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import store
from ledger.outbox.operation import State
from ledger.reference import Json, Scope, SourceRef, TargetId
from ledger.schema.tables import quarantine
from tests.ledger.histories import History
from tests.ledger.outbox.histories import Outbox, claim, key, record, terms
from tests.ledger.refolding import difference, rows_of
from tests.ledger.rows import LEDGER_SCOPE, Memory
from tests.ledger.stages import OpenStage

ENDINGS = {
    "done": State.DONE,
    "retry": State.READY,
    "uncertain": State.UNCERTAIN,
    "held": State.HELD,
    "dead": State.DEAD,
}


def fold(
    outbox: Outbox, event_type: str, public: Mapping[str, Json], subject: SourceRef | None = None
) -> int:
    outbox.planned += 1
    outcome = folding.Outcome(outbox.planned, event_type, subject, dict(public))
    folding.fold_outcome(outbox.connection, LEDGER_SCOPE, outcome=outcome)
    return outbox.planned


def settled(outbox: Outbox, name: str, outcome: str, **more: Json) -> int:
    public = {"operation": name, "outcome": outcome, **more}
    return fold(outbox, "operation.settled", public, record(name))


def binding(outbox: Outbox, name: str) -> Binding | None:
    return mapping_store.find(outbox.connection, LEDGER_SCOPE, reference=record(name))


@pytest.fixture
def leased(outbox: Outbox) -> Outbox:
    """Give an outbox in which operation `a` was claimed."""
    outbox.plan("a", completes=True)
    claim(outbox, terms())
    return outbox


@pytest.mark.parametrize(("outcome", "state"), ENDINGS.items())
def test_a_settlement_moves_its_operation(leased: Outbox, outcome: str, state: State) -> None:
    settled(leased, "a", outcome, reason="because", not_before=2500, failed=True)

    operation = leased.the("a")
    assert operation.state is state
    assert (operation.reason, operation.not_before, operation.failures) == ("because", 2.5, 1)
    assert operation.possibly_sent is (outcome == "uncertain")


def test_a_claim_counts_attempts_and_keeps_doubt(leased: Outbox) -> None:
    first = leased.the("a")
    settled(leased, "a", "uncertain")
    claim(leased, terms(now=500))

    second = leased.the("a")
    assert (first.attempts, first.possibly_sent) == (1, False)
    assert (second.attempts, second.possibly_sent) == (2, True)
    assert second.epoch > first.epoch


def test_what_is_held_in_doubt_stays_in_doubt_when_it_goes_on(leased: Outbox) -> None:
    settled(leased, "a", "held", in_doubt=True)
    fold(leased, "operator.approved", {"operations": ["a"]})
    claim(leased, terms(now=500))

    assert leased.the("a").possibly_sent


def test_what_is_done_is_bound_and_told(leased: Outbox) -> None:
    position = settled(leased, "a", "done", target="T", after="live")

    found = binding(leased, "a")
    assert found is not None
    assert (found.target, found.state, found.position) == ("T", "live", position)
    assert (found.sent, found.is_complete) == (leased.the("a").cause, True)


def test_what_is_known_to_exist_is_bound_before_it_was_told(leased: Outbox) -> None:
    settled(leased, "a", "retry", target="T")

    found = binding(leased, "a")
    assert found is not None
    assert (found.target, found.sent, found.is_complete) == ("T", None, False)


@pytest.mark.parametrize("after", [state.value for state in BindingState if state != "live"])
def test_a_settlement_tells_how_its_record_stands_now(leased: Outbox, after: str) -> None:
    fold(leased, "mapping.bound", {"target": "T"}, record("a"))

    settled(leased, "a", "done", after=after)

    found = binding(leased, "a")
    assert found is not None
    assert (found.target, found.state) == ("T", after)


def test_a_settlement_without_a_target_binds_nothing(leased: Outbox) -> None:
    settled(leased, "a", "done")

    assert binding(leased, "a") is None


def test_progress_binds_what_it_made_and_is_remembered(leased: Outbox) -> None:
    bound = fold(leased, "operation.progressed", {"operation": "a", "bind": "T"}, record("a"))
    more = fold(leased, "operation.progressed", {"operation": "a"}, record("a"))
    exchange = fold(leased, "exchange.recorded", {"operation": "a"})

    told = store.events_of(leased.connection, LEDGER_SCOPE, keys=[key("a")])
    found = binding(leased, "a")
    assert {bound, more, exchange} <= told.keys()
    assert found is not None
    assert (found.target, found.state) == ("T", "live")


def test_another_target_was_told_nothing_yet(leased: Outbox) -> None:
    settled(leased, "a", "done", target="T", after="live")

    fold(leased, "mapping.bound", {"target": "t"}, record("a"))
    same = binding(leased, "a")
    fold(leased, "mapping.bound", {"target": "other"}, record("a"))
    other = binding(leased, "a")

    assert same is not None
    assert other is not None
    assert (same.sent, same.is_complete) == (leased.the("a").cause, True)
    assert (other.sent, other.is_complete) == (None, False)


def test_a_settlement_on_another_target_does_not_inherit_what_the_old_one_was_told(
    leased: Outbox,
) -> None:
    old = Binding(record("a"), TargetId("old"), BindingState.LIVE, position=1, sent=1)
    mapping_store.write(leased.connection, LEDGER_SCOPE, binding=old)

    settled(leased, "a", "retry", target="new")

    found = binding(leased, "a")
    assert found is not None
    assert (found.target, found.sent) == ("new", None)


def test_a_released_target_is_free(leased: Outbox) -> None:
    fold(leased, "mapping.bound", {"target": "T"}, record("a"))
    fold(leased, "mapping.released", {"target": "T"}, record("a"))
    fold(leased, "mapping.bound", {"target": "T"}, record("b"))

    first, second = binding(leased, "a"), binding(leased, "b")
    assert first is not None
    assert second is not None
    assert (first.state, second.state) == ("released", "live")


def test_a_settlement_does_not_bind_again_what_was_released_meanwhile(leased: Outbox) -> None:
    fold(leased, "mapping.bound", {"target": "T"}, record("a"))
    fold(leased, "mapping.released", {"target": "T"}, record("a"))

    settled(leased, "a", "done", after="live")

    found = binding(leased, "a")
    assert found is not None
    assert found.state is BindingState.RELEASED


@pytest.mark.parametrize("kind", ["operator.approved", "operator.retried"])
@pytest.mark.parametrize("outcome", ["held", "dead"])
def test_a_person_lets_an_operation_go_on(leased: Outbox, kind: str, outcome: str) -> None:
    settled(leased, "a", outcome, failed=True, not_before=9000)

    fold(leased, kind, {"operations": ["a"]})

    operation = leased.the("a")
    assert (operation.state, operation.failures, operation.not_before) == (State.READY, 0, 0.0)
    assert operation.reason is None


def test_a_person_gives_an_operation_up(leased: Outbox) -> None:
    settled(leased, "a", "dead")

    fold(leased, "operator.discarded", {"operations": ["a"]})

    assert leased.the("a").state is State.DISCARDED


def test_refused_events_are_remembered_until_released(
    outbox: Outbox, connection: Connection
) -> None:
    reasons: list[Json] = [{"code": "unknown_field"}, {"code": "bad_date"}, {"code": "bad_date"}]
    fold(outbox, "event.quarantined", {"key": "k", "reasons": reasons})
    before = connection.execute(select(quarantine)).one()
    fold(outbox, "quarantine.released", {"key": "k"})
    after = connection.execute(select(quarantine)).one()

    assert (before.state, before.codes) == ("refused", "bad_date unknown_field")
    assert after.state == "released"


def test_an_event_that_changes_no_table_is_left_out(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    before = rows_of(connection, scope)

    fold(outbox, "ingest.finished", {"lines": 3})

    assert rows_of(connection, scope) == before


OFTEN = ["take"] * 6 + ["work"] * 6 + ["claim", "settle", "decide", "decide", "decide", "subject"]
SELDOM = ["progress", "bind", "quarantine", "crash", "accept_older", "compare_older", "subject"]
COMMANDS = st.tuples(
    st.sampled_from([*OFTEN, *SELDOM]),
    st.integers(0, 5),
    st.integers(0, 12),
    st.integers(0, 3),
)
Commands = list[tuple[str, int, int, int]]
COMMAND_LISTS = st.lists(COMMANDS, min_size=10, max_size=30)


def require_the_same_rows_after_every_step(connection: Connection, commands: Commands) -> None:
    history = History(connection)
    beside = history.fold_again(1)
    for number, (command, first, second, pages) in enumerate(commands):
        history.play(command, first, second, pages=pages)
        beside.go_on()
        assert not difference(connection, LEDGER_SCOPE, beside.scope), (number, command)
    # Without what the erasures on the way took along.
    again = history.fold_again(2)
    assert not difference(connection, LEDGER_SCOPE, again.scope)


@settings(max_examples=5)
@given(commands=COMMAND_LISTS)
def test_folding_the_log_again_gives_the_same_rows_after_every_step(
    open_stage: OpenStage, commands: Commands
) -> None:
    with open_stage() as stage, stage.begin() as connection:
        require_the_same_rows_after_every_step(connection, commands)


@pytest.mark.one_database("The same as above, with more histories than a server has time for.")
@settings(max_examples=25)
@given(commands=COMMAND_LISTS)
def test_folding_many_logs_again_gives_the_same_rows_after_every_step(commands: Commands) -> None:
    with Memory() as memory, memory.begin() as connection:
        require_the_same_rows_after_every_step(connection, commands)
