"""What an ending makes of the operations that wait for it."""

import pytest
from sqlalchemy import Connection

from ledger.outbox import ending_store
from ledger.outbox.ending_store import Ending
from ledger.outbox.operation import Move, State
from ledger.reference import Scope
from tests.ledger.outbox.histories import Outbox, after, claim, key, settle, terms


@pytest.mark.parametrize("move", [Move.HOLD, Move.BURY])
def test_a_correction_that_waits_takes_the_place_of_what_got_stuck(
    outbox: Outbox, move: Move
) -> None:
    outbox.plan("first", "C-1")
    claim(outbox, terms())
    outbox.plan("second", "C-1", gates=(after("first"),))
    outbox.plan("namer", "C-2", gates=(after("first"),))

    settle(outbox, "first", move)

    assert outbox.the("first").state is State.SUPERSEDED
    assert outbox.the("first").superseded_by == key("second")
    assert outbox.the("second").state is State.READY
    assert outbox.the("namer").state is State.BLOCKED


def test_what_may_have_been_sent_is_never_replaced(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("first", "C-1")
    claim(outbox, terms())
    outbox.plan("second", "C-1", gates=(after("first"),))

    ending = Ending(key("first"), Move.HOLD, reason=None, not_before=0, failed=True, in_doubt=True)
    ending_store.fold_ending(connection, scope, ending=ending, position=outbox.planned)

    assert outbox.the("first").state is State.HELD
    assert outbox.the("second").state is State.BLOCKED


def test_nobody_comes_to_wait_for_itself(outbox: Outbox) -> None:
    outbox.plan("first", "C-1")
    claim(outbox, terms())
    outbox.plan("namer", "C-2", gates=(after("first"),))
    outbox.plan("second", "C-1", gates=(after("first"), after("namer")))

    settle(outbox, "first", Move.HOLD)

    assert outbox.the("first").state is State.HELD


def test_what_ends_well_is_not_replaced(outbox: Outbox) -> None:
    outbox.plan("first", "C-1")
    claim(outbox, terms())
    outbox.plan("second", "C-1", gates=(after("first"),))

    settle(outbox, "first", Move.FINISH)

    assert outbox.the("first").state is State.DONE
