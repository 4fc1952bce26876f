import pytest

from ledger.outbox.operation import State
from ledger.outbox.plan import Hold
from ledger.reference import OperationKey
from tests.ledger.outbox.histories import Outbox, record


def test_an_operation_works_in_the_lane_of_its_record(outbox: Outbox) -> None:
    assert outbox.plan("a", lane="key").lanes == ("key",)
    assert outbox.plan("b", lane="").lanes == ("course b",)


def test_a_changed_key_takes_the_lane_of_the_old_one_too(outbox: Outbox) -> None:
    outbox.plan("a", "C-1", lane="old")
    outbox.put("a", State.DONE)

    assert outbox.plan("b", "C-1", lane="new").lanes == ("new", "old")
    assert outbox.plan("c", "C-1", lane="new").lanes == ("new",)


@pytest.mark.parametrize(
    ("lane", "lanes"), [("new", ("new", "old")), ("newest", ("newest", "old")), ("old", ("old",))]
)
def test_what_gives_way_hands_on_the_key_that_the_remote_still_has(
    outbox: Outbox, lane: str, lanes: tuple[str, ...]
) -> None:
    outbox.plan("a", "C-1", lane="old")
    outbox.put("a", State.DONE)
    outbox.plan("b", "C-1", lane="new")

    assert outbox.plan("c", "C-1", lane=lane, supersedes="b").lanes == lanes


def test_a_removal_works_in_the_lane_of_the_last_state(outbox: Outbox) -> None:
    outbox.plan("a", "C-1", lane="key")
    outbox.put("a", State.DONE)

    assert outbox.plan("b", "C-1", lane="other", removes=True).lanes == ("key",)


def test_a_hold_stops_what_was_planned_earlier_and_says_why(outbox: Outbox) -> None:
    outbox.plan("a")
    hold = Hold(OperationKey("a"), "cycle", (record("b"),))

    outbox.plan("b", holds=(hold,))

    operation = outbox.the("a")
    assert (operation.state, operation.reason) == (State.HELD, "cycle")
    assert operation.concerns == (record("b"),)


def test_a_hold_on_what_is_held_already_takes_the_place_of_the_old_reason(
    outbox: Outbox,
) -> None:
    outbox.plan("a", held="mass_change")

    outbox.plan("b", holds=(Hold(OperationKey("a"), "cycle", ()),))

    assert (outbox.the("a").reason, outbox.the("a").concerns) == ("cycle", ())


def test_what_gives_way_names_its_successor(outbox: Outbox) -> None:
    outbox.plan("a", "C-1")
    outbox.plan("b", "C-1", supersedes="a")

    old = outbox.the("a")
    assert (old.state, old.superseded_by) == (State.SUPERSEDED, "b")
