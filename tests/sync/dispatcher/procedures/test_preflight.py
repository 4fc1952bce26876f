"""The one read before the first write of a run."""

import pytest

from ledger.reference import TargetId
from sync.dispatcher.procedures import preflight
from sync.dispatcher.reasons import Reason
from tests.sync.dispatcher.procedures.transcript import (
    Reply,
    answered,
    fails,
    lists,
    missing,
    play_steps,
    shows,
    throttled,
    unauthorised,
    unreachable,
)

BOUND = TargetId("i-1")
READ = "GET /institutions/i-1"
LIST = "GET /institutions"


def test_the_bound_institution_answers() -> None:
    played = play_steps(preflight(BOUND), [(READ, shows({"uuid": "i-1", "status": "active"}))])

    assert played.result.is_ready
    assert not played.result.is_suspended


def test_without_a_bound_institution_one_row_of_the_list_is_asked_for() -> None:
    played = play_steps(preflight(None), [(LIST, lists())])

    assert played.result.is_ready
    assert ("per_page", "1") in played.requests[0].query


@pytest.mark.parametrize("reply", [missing(), unauthorised(), answered(403)])
def test_a_wrong_tenant_or_credential_stops_the_run(reply: Reply) -> None:
    played = play_steps(preflight(BOUND), [(READ, reply)])

    assert not played.result.is_ready
    assert played.result.reason == Reason.UNAUTHORISED


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (throttled(4), Reason.THROTTLED),
        (unreachable(), Reason.UNAVAILABLE),
        (fails(503), Reason.UNAVAILABLE),
        (answered(200, {"data": "what"}), Reason.UNAVAILABLE),
    ],
)
def test_trouble_on_the_way_is_no_fault_of_the_settings(reply: Reply, reason: str) -> None:
    at_record = play_steps(preflight(BOUND), [(READ, reply)])
    at_list = play_steps(preflight(None), [(LIST, reply)])

    assert not at_record.result.is_ready
    assert at_record.result.reason == at_list.result.reason == reason


def test_a_suspended_institution_is_told() -> None:
    suspended = shows({"uuid": "i-1", "status": "suspended"})

    played = play_steps(preflight(BOUND), [(READ, suspended)])

    assert played.result.is_ready
    assert played.result.is_suspended


def test_an_institution_that_cannot_be_read_alone_is_looked_for_in_the_list() -> None:
    no_route = (READ, missing(405))

    found = play_steps(preflight(BOUND), [no_route, (LIST, lists({"uuid": "I-1"}))])
    absent = play_steps(preflight(BOUND), [no_route, (LIST, lists({"uuid": "i-2"}))])

    assert found.result.is_ready
    assert absent.result.reason == Reason.UNAUTHORISED
