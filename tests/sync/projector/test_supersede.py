from dataclasses import replace

import pytest

from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey
from sync.projector.supersede import (
    FATES,
    STANDINGS,
    Fate,
    Newcomer,
    Standing,
    standing,
    succeed,
    wait_for_all,
)
from tests.sync.projector.worlds import COURSE


def operation(state: State, *, possibly_sent: bool = False, cause: int = 3) -> Operation:
    return Operation(
        key=OperationKey(f"{cause}"),
        cause=cause,
        reference=COURSE,
        kind="upsert",
        state=state,
        possibly_sent=possibly_sent,
        attempts=int(possibly_sent),
    )


@pytest.mark.parametrize("newcomer", list(Newcomer))
@pytest.mark.parametrize(
    ("state", "possibly_sent", "fate"),
    [
        (State.BLOCKED, False, Fate.GIVES_WAY),
        (State.READY, False, Fate.GIVES_WAY),
        (State.READY, True, Fate.GOES_FIRST),
        (State.LEASED, False, Fate.GOES_FIRST),
        (State.UNCERTAIN, True, Fate.GOES_FIRST),
        (State.HELD, False, Fate.GIVES_WAY),
        (State.HELD, True, Fate.GOES_FIRST),
        (State.DEAD, False, Fate.GIVES_WAY),
        (State.DEAD, True, Fate.GOES_FIRST),
        (State.DONE, False, Fate.IS_PAST),
    ],
)
def test_what_may_have_been_sent_goes_first_and_the_rest_gives_way(
    state: State, *, possibly_sent: bool, fate: Fate, newcomer: Newcomer
) -> None:
    earlier = operation(state, possibly_sent=possibly_sent)

    assert FATES[standing(earlier)][newcomer] is fate


@pytest.mark.parametrize("state", [State.BLOCKED, State.READY, State.HELD, State.DEAD])
def test_what_only_the_lost_part_of_a_log_may_have_sent_is_found_by_the_latest_state(
    state: State,
) -> None:
    doubted = replace(operation(state, possibly_sent=True), attempts=0)

    assert FATES[standing(doubted)][Newcomer.STATE] is Fate.GIVES_WAY
    assert FATES[standing(doubted)][Newcomer.REMOVAL] is Fate.GOES_FIRST


def test_every_state_has_a_standing_and_every_standing_a_fate() -> None:
    assert set(STANDINGS) == set(State)
    assert {(a, b) for a in FATES for b in FATES[a]} == {(a, b) for a in Standing for b in Newcomer}


def test_a_newcomer_stands_where_the_oldest_of_what_it_supersedes_stood() -> None:
    leased, held = operation(State.LEASED, cause=1), operation(State.HELD, cause=4)

    succession = succeed([leased, operation(State.BLOCKED), held], Newcomer.STATE)

    assert [each.cause for each in succession.ahead] == [1]
    assert succession.place == 3


def test_waiting_for_all_supersedes_nothing() -> None:
    succession = wait_for_all([operation(State.BLOCKED), operation(State.DONE)])

    assert [each.state for each in succession.ahead] == [State.BLOCKED]
    assert succession.gone == ()
    assert succession.place is None
