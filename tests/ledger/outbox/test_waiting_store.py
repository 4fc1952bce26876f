"""Who waits for whom, directly and through others."""

from sqlalchemy import Connection

from ledger.outbox import waiting_store
from ledger.outbox.operation import State
from ledger.reference import Scope
from tests.ledger.outbox.histories import Outbox, after, key


def test_followers_are_all_that_wait_through_others_too(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b", gates=(after("a"),))
    outbox.plan("c", gates=(after("b"), after("a")))
    outbox.plan("d", gates=(after("e"),))
    outbox.plan("e", gates=(after("d"),))
    outbox.plan("gone", gates=(after("a"),))
    outbox.put("gone", State.SUPERSEDED)

    assert waiting_store.followers(connection, scope, keys=[key("a")]) == {"b", "c"}
    assert waiting_store.followers(connection, scope, keys=[key("d")]) == {"d", "e"}
    assert waiting_store.followers(connection, scope, keys=[]) == frozenset()


def test_waiters_and_awaited_are_the_two_ends_of_a_gate(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b", gates=(after("a"),))

    assert waiting_store.waiting_for(connection, scope, key=key("a")) == {"b"}
    assert waiting_store.awaited_by(connection, scope, key=key("b")) == {"a"}
    assert waiting_store.awaited_by(connection, scope, key=key("a")) == frozenset()
