from dataclasses import replace

import pytest
from sqlalchemy import Connection, select, text

from ledger.outbox import lease_store
from ledger.outbox.operation import Move, Priority, State
from ledger.reference import Scope
from ledger.schema.tables import leases
from tests.ledger.outbox.histories import MUCH_LATER, NOW, Outbox, claim, settle, terms
from tests.ledger.rows import LEDGER_SCOPE

LATER = NOW + 61
WRITTEN = {
    "sqlite": "SELECT total_changes()",
    # Only a transaction that writes gets a number.
    "postgresql": "SELECT pg_current_xact_id_if_assigned()::text",
}


def lanes(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(leases.c.lane, leases.c.host))
    return {row.lane: row.host for row in rows}


def test_the_oldest_cause_is_claimed_first(outbox: Outbox) -> None:
    for name in "zyx":
        outbox.plan(name)

    assert claim(outbox, terms(lanes_max=2)) == [["z"], ["y"]]
    assert claim(outbox, terms(lanes_max=2)) == [["x"]]
    assert claim(outbox, terms(lanes_max=2)) == []


def test_what_is_blocked_held_or_not_due_is_not_claimed(outbox: Outbox) -> None:
    outbox.plan("a", held="mass_change")
    outbox.plan("b")
    outbox.put("b", State.READY, not_before_seconds=NOW + 1)
    outbox.plan("c")
    outbox.put("c", State.BLOCKED)

    assert claim(outbox, terms(now=NOW)) == []
    assert claim(outbox, terms(now=NOW + 1)) == [["b"]]


def test_every_class_gets_its_turn(outbox: Outbox) -> None:
    for number in range(7):
        for name, priority in (("rest", 2), ("issue", 1), ("revoke", 0)):
            outbox.plan(f"{name} {number}", priority=priority)

    turns = [claim(outbox, terms(lanes_max=1))[0][0].split()[0] for _ in range(6)]

    assert {name: turns.count(name) for name in ("revoke", "issue", "rest")} == {
        "revoke": 3,
        "issue": 2,
        "rest": 1,
    }


def test_a_class_without_work_leaves_its_turn_to_others(outbox: Outbox) -> None:
    for name in "abc":
        outbox.plan(name, priority=Priority.REST)

    assert claim(outbox, terms()) == [["a"], ["b"], ["c"]]


def test_a_lane_has_one_conversation(outbox: Outbox) -> None:
    outbox.plan("a", lane="shared")
    outbox.plan("b", lane="shared")
    outbox.plan("c", lane="other")

    assert claim(outbox, terms()) == [["a"], ["c"]]
    assert claim(outbox, terms()) == []
    settle(outbox, "a", Move.FINISH)
    assert claim(outbox, terms()) == [["b"]]


def test_an_operation_with_two_lanes_needs_both(outbox: Outbox, connection: Connection) -> None:
    outbox.plan("first", lane="new")
    claim(outbox, terms())
    outbox.plan("a", "C-1", lane="old")
    settle_on_start = outbox.plan("b", "C-1", lane="new", supersedes="a")

    before = claim(outbox, terms())
    settle(outbox, "first", Move.FINISH)
    after = claim(outbox, terms())

    assert settle_on_start.lanes == ("new", "old")
    assert (before, after) == ([], [["b"]])
    assert lanes(connection) == {"new": "host a", "old": "host a"}


@pytest.mark.parametrize("lane", ["new", "old"])
def test_nobody_works_in_either_lane_of_an_operation(outbox: Outbox, lane: str) -> None:
    outbox.plan("a", "C-1", lane="old")
    outbox.plan("b", "C-1", lane="new", supersedes="a")
    outbox.plan("c", lane=lane)

    assert claim(outbox, terms()) == [["b"]]
    assert claim(outbox, terms()) == []
    settle(outbox, "b", Move.FINISH)
    assert claim(outbox, terms()) == [["c"]]


def test_one_conversation_may_carry_several_operations_of_its_lane(outbox: Outbox) -> None:
    for name in "abcd":
        outbox.plan(name, lane="shared")
    outbox.plan("urgent", lane="shared", priority=Priority.ISSUE)
    outbox.plan("removal", lane="shared")
    outbox.put("removal", State.READY, kind="retire")
    outbox.put("b", State.READY, not_before_seconds=NOW + 1)

    groups = claim(outbox, terms(groups=True))
    settle(outbox, "urgent", Move.FINISH)
    groups += claim(outbox, terms(groups=True))

    assert groups == [["urgent"], ["a", "c", "d"]]


def test_a_group_is_bounded_and_of_one_kind(outbox: Outbox) -> None:
    for name in "abcd":
        outbox.plan(name, lane="shared")
    outbox.put("b", State.READY, kind="retire")

    assert claim(outbox, terms(groups=True, group_max=2)) == [["a", "c"]]


def test_what_is_in_doubt_comes_first_and_alone(outbox: Outbox) -> None:
    outbox.plan("old")
    outbox.plan("doubted", lane="shared")
    outbox.plan("beside", lane="shared")
    outbox.put("old", State.READY, not_before_seconds=LATER)
    claim(outbox, terms(lanes_max=1))
    settle(outbox, "doubted", Move.DOUBT, not_before=LATER)

    assert claim(outbox, terms(now=LATER - 1, groups=True)) == []
    assert claim(outbox, terms(now=LATER, groups=True, lanes_max=1)) == [["doubted"]]
    assert outbox.the("doubted").possibly_sent


def test_a_lane_with_doubt_stays_shut(outbox: Outbox, connection: Connection) -> None:
    outbox.plan("a", lane="shared")
    outbox.plan("b", lane="shared")
    claim(outbox, terms())
    settle(outbox, "a", Move.DOUBT, not_before=MUCH_LATER)

    assert claim(outbox, terms(now=MUCH_LATER - 1)) == []
    assert lanes(connection) == {"shared": ""}
    assert claim(outbox, terms(now=MUCH_LATER)) == [["a"]]
    settle(outbox, "a", Move.FINISH)
    assert lanes(connection) == {}
    assert claim(outbox, terms(now=MUCH_LATER)) == [["b"]]


def test_what_a_dead_owner_left_waits_for_the_settle_window(outbox: Outbox) -> None:
    outbox.plan("a", lane="shared")
    outbox.plan("b", lane="shared")
    claim(outbox, terms(host="dead", now=NOW))

    until = NOW + 60
    assert claim(outbox, terms(now=until + 29)) == []
    assert claim(outbox, terms(now=until + 30)) == [["a"]]
    assert outbox.the("a").possibly_sent
    assert outbox.the("a").attempts == 2


def test_the_settle_window_of_a_host_known_to_be_gone_begins_now(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    outbox.plan("a")
    claim(outbox, terms(host="dead", now=NOW))

    ended = lease_store.expire_others(connection, scope, host="host a", now=NOW + 1)

    assert ended == 1
    assert lease_store.next_due(connection, scope, now=NOW + 1, settle_seconds=30) == NOW + 31
    assert claim(outbox, terms(now=NOW + 30)) == []
    assert claim(outbox, terms(now=NOW + 31)) == [["a"]]


def test_a_claim_that_finds_nothing_writes_nothing(outbox: Outbox, connection: Connection) -> None:
    written = text(WRITTEN[connection.dialect.name])
    before = connection.scalar(written)

    claim(outbox, terms())

    assert connection.scalar(written) == before


def test_the_next_moment_is_the_earliest_that_time_alone_brings(
    outbox: Outbox, connection: Connection, scope: Scope
) -> None:
    def due(now: float) -> float | None:
        return lease_store.next_due(connection, scope, now=now, settle_seconds=30)

    nothing = due(NOW)
    for name, moment in (("a", NOW + 7), ("b", NOW + 5), ("c", NOW - 1)):
        outbox.plan(name)
        outbox.put(name, State.READY, not_before_seconds=moment)

    assert nothing is None
    assert [due(NOW), due(NOW + 5), due(NOW + 7)] == [NOW + 5, NOW + 7, None]


def test_work_is_there_for_as_many_lanes_as_are_free(outbox: Outbox) -> None:
    for number in range(9):
        outbox.plan(f"same {number}", lane="crowded")
    outbox.plan("other")

    claimed = claim(outbox, terms(lanes_max=2)) + claim(outbox, terms(lanes_max=2))

    assert claimed == [["same 0"], ["other"]]


def test_a_ready_operation_never_passes_one_in_doubt_whose_lease_is_lost(
    outbox: Outbox, connection: Connection
) -> None:
    outbox.plan("a", lane="shared")
    outbox.plan("b", lane="shared")
    claim(outbox, terms())
    settle(outbox, "a", Move.DOUBT, not_before=LATER)
    # As after a rebuild into a new database: leases are no part of the log.
    connection.execute(leases.delete())

    assert claim(outbox, terms(now=NOW + 1)) == []


def test_while_it_rests_what_is_in_doubt_is_left_alone_and_the_rest_is_not(outbox: Outbox) -> None:
    outbox.plan("doubted")
    outbox.put("doubted", State.UNCERTAIN, not_before_seconds=NOW - 1)
    resting = replace(terms(), watch=lambda _: 9.0).at(NOW)
    connection, scope = outbox.connection, LEDGER_SCOPE

    assert claim(outbox, resting) == []
    assert not lease_store.is_due(connection, scope, terms=resting)
    assert lease_store.seconds_to_due(connection, scope, terms=resting) == 9
    outbox.plan("ready")
    assert lease_store.is_due(connection, scope, terms=resting)
    assert claim(outbox, resting) == [["ready"]]
    assert claim(outbox, terms()) == [["doubted"]]


def test_a_probe_is_for_what_was_tried_longest_ago_in_doubt_or_not(outbox: Outbox) -> None:
    for number, state in enumerate((State.UNCERTAIN, State.UNCERTAIN, State.READY, State.READY)):
        outbox.plan(str(number))
        outbox.put(str(number), state, not_before_seconds=10.0 - number)
    probing = replace(terms(lanes_max=1), is_probe=True)

    tried = [claim(outbox, probing) for _ in range(4)]

    assert sorted(tried[:2]) == [[["1"]], [["3"]]]
    assert sorted(tried[2:]) == [[["0"]], [["2"]]]
