from sqlalchemy import Connection, select

from ledger.outbox import lease_store
from ledger.reference import Scope
from ledger.schema.tables import leases
from tests.ledger.outbox.histories import MUCH_LATER, NOW, Outbox, claim, terms


def test_ending_the_leases_of_others_spares_ones_own(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    claim(outbox, terms())

    assert lease_store.expire_others(connection, scope, host="host a", now=NOW) == 0


def test_epochs_rise_and_fence_off_who_lost_a_lane(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a", lane="shared")
    claim(outbox, terms(host="first"))
    first = outbox.the("a").epoch
    held = [
        lease_store.holds(connection, scope, lanes=["shared"], host=host, epoch=epoch)
        for host, epoch in (("first", first), ("second", first), ("first", first + 1))
    ]
    claim(outbox, terms(host="second", now=MUCH_LATER))
    second = outbox.the("a").epoch

    assert held == [True, False, False]
    assert second > first
    assert not lease_store.holds(connection, scope, lanes=["shared"], host="first", epoch=first)
    assert lease_store.holds(connection, scope, lanes=["shared"], host="second", epoch=second)


def test_holding_means_holding_every_lane(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b")
    claim(outbox, terms(lanes_max=1))
    epoch = outbox.the("a").epoch

    assert lease_store.holds(connection, scope, lanes=["a", "a"], host="host a", epoch=epoch)
    assert not lease_store.holds(connection, scope, lanes=["a", "b"], host="host a", epoch=epoch)


def test_leases_are_prolonged_while_they_last(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b")
    claim(outbox, terms(lanes_max=1))
    claim(outbox, terms(host="other", lanes_max=1))
    among = {outbox.the("a").epoch, outbox.the("b").epoch}

    lease_store.extend(connection, scope, host="host a", among=among, now=NOW + 59, until=NOW + 119)
    too_late = lease_store.extend(
        connection, scope, host="other", among=among, now=NOW + 60, until=NOW + 200
    )

    assert not too_late
    untils = dict(connection.execute(select(leases.c.lane, leases.c.until_seconds)).all())
    assert untils == {"a": NOW + 119, "b": NOW + 60}


def test_a_lease_whose_conversation_is_over_is_not_prolonged(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    outbox.plan("b")
    claim(outbox, terms(lanes_max=1))
    claim(outbox, terms(lanes_max=1))

    among = {outbox.the("b").epoch}
    lease_store.extend(connection, scope, host="host a", among=among, now=NOW + 59, until=NOW + 119)

    untils = dict(connection.execute(select(leases.c.lane, leases.c.until_seconds)).all())
    assert untils == {"a": NOW + 60, "b": NOW + 119}
