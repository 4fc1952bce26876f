"""What is in doubt once an older ledger was accepted."""

import pytest
from sqlalchemy import Connection

from ledger.outbox import doubt_store, look_store
from ledger.outbox.operation import State
from ledger.reference import Scope
from tests.ledger.outbox.histories import Outbox, key


@pytest.mark.parametrize("state", [State.BLOCKED, State.READY, State.HELD, State.DEAD])
def test_what_is_unfinished_counts_as_sent_by_the_lost_part(
    outbox: Outbox, connection: Connection, scope: Scope, state: State
) -> None:
    outbox.plan("a")
    outbox.put("a", state, attempts=3)

    doubt_store.doubt_all(connection, scope)

    assert (outbox.the("a").possibly_sent, outbox.the("a").attempts) == (True, 0)


@pytest.mark.parametrize("state", [State.LEASED, State.UNCERTAIN])
def test_what_was_in_doubt_by_itself_keeps_its_tries(
    outbox: Outbox, connection: Connection, scope: Scope, state: State
) -> None:
    outbox.plan("a")
    outbox.put("a", state, attempts=3)

    doubt_store.doubt_all(connection, scope)

    assert (outbox.the("a").possibly_sent, outbox.the("a").attempts) == (True, 3)


@pytest.mark.parametrize("state", [State.BLOCKED, State.READY, State.LEASED, State.HELD])
def test_a_look_is_never_in_doubt(
    outbox: Outbox, connection: Connection, scope: Scope, state: State
) -> None:
    of = outbox.plan("a")
    look_store.plan(connection, scope, of=of, key=key("look"), not_before=500, position=1)
    outbox.put("look", state, attempts=1)

    doubt_store.doubt_all(connection, scope)

    assert (outbox.the("look").possibly_sent, outbox.the("look").attempts) == (False, 1)
