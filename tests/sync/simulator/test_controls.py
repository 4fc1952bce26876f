"""The practice controls under a prefix that the real service cannot have."""

import json
from typing import Any

import pytest

from sync.simulator import FOREIGN_TENANT, PRACTICE_TENANT
from tests.sync.simulator.practice import Pairs, Practice, decoded


def _get(practice: Practice, name: str, query: Pairs = ()) -> Any:
    return decoded(practice.send("GET", f"/_simulator/{name}", query=query))


def _post(practice: Practice, name: str, body: object) -> tuple[int, Any]:
    response = practice.send("POST", f"/_simulator/{name}", body=json.dumps(body).encode())
    return response.status, decoded(response)


def test_the_journal_can_be_read_in_pieces() -> None:
    practice = Practice()
    practice.certificate()

    whole = _get(practice, "journal")
    rest = _get(practice, "journal", (("after", "2"), ("limit", "1")))

    assert whole.keys() == {"requests", "writes", "notifications"}
    assert len(whole["notifications"]) == 1
    assert [entry["number"] for entry in rest["requests"]] == [3]
    assert {entry["request"] for entry in rest["writes"]} == {3}


def test_the_verdict_is_read_as_json() -> None:
    practice = Practice()
    practice.student()

    verdict = _get(practice, "verdict")

    assert (verdict["is_clean"], verdict["faults"]) == (True, {})
    assert verdict["records"]["students"] == 1


def test_records_show_the_whole_truth() -> None:
    practice = Practice()
    student = practice.student()
    practice.call("DELETE", f"/students/{student}")

    live = _get(practice, "records/students")["data"]
    every = _get(practice, "records/students", (("deleted", "1"),))["data"]

    assert live == []
    assert (every[0]["uuid"], every[0]["email"]) == (student, "one@example.org")
    assert every[0]["deleted_at"] is not None


def test_an_outage_is_switched_on_for_a_while_and_off() -> None:
    practice = Practice()
    headers = practice.headers()

    _post(practice, "outage", {"on": True, "mode": "503", "seconds": 10})
    down = practice.send("GET", "/courses", headers=headers).status
    practice.wait(10)
    over = practice.send("GET", "/courses", headers=headers).status
    _post(practice, "outage", {})
    cut = practice.send("GET", "/courses", headers=headers).cut
    _post(practice, "outage", {"on": False})
    up = practice.send("GET", "/courses", headers=headers).status

    assert (down, over, cut, up) == (503, 200, True, 200)


@pytest.mark.parametrize(
    "faults",
    ["error_before:nth=1", ["error_before:nth=1"], [{"kind": "error_before", "nth": 1}]],
)
def test_faults_are_set_in_any_spelling(faults: object) -> None:
    practice = Practice()

    status, _ = _post(practice, "faults", {"faults": faults, "search_lag_seconds": 3})

    response = practice.call("POST", "/institutions", {"name": "U", "country": "Brazil"})
    assert (status, response.status) == (200, 500)
    assert practice.simulator.world.search_lag_seconds == 3


def test_switches_are_read_and_set() -> None:
    practice = Practice()

    status, switches = _post(practice, "switches", {"grade_type": "string"})

    assert (status, switches["grade_type"]) == (200, "string")
    assert _get(practice, "switches") == switches


def test_the_platform_acts_on_request() -> None:
    practice = Practice()
    uuid = practice.certificate()
    body = {"action": "expire", "table": "certificates", "uuid": uuid}

    status, record = _post(practice, "platform", body)

    assert (status, record["status"]) == (200, "expired")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("switches", {"colour": "red"}),
        ("switches", []),
        ("faults", {"faults": 3}),
        ("faults", {"search_lag_seconds": "x"}),
        ("outage", {"mode": "strike"}),
        ("outage", {"seconds": -1}),
        ("platform", {}),
    ],
)
def test_a_wrong_wish_is_refused_with_a_hint(name: str, body: object) -> None:
    status, answer = _post(Practice(), name, body)

    assert status == 422
    assert len(answer["message"]) > 10


@pytest.mark.parametrize("path", ["records/stars", "journal"])
def test_a_wrong_question_is_refused_with_a_hint(path: str) -> None:
    response = Practice().send("GET", f"/_simulator/{path}", query=(("after", "x"),))

    assert response.status == 422


def test_the_overview_tells_the_practice_credentials() -> None:
    overview = _get(Practice(), "")

    assert [tenant["domain"] for tenant in overview["tenants"]] == [
        PRACTICE_TENANT.domain,
        FOREIGN_TENANT.domain,
    ]
    assert overview["tenants"][0]["client_secret"] == PRACTICE_TENANT.client_secret


def test_an_unknown_control_names_the_known_ones() -> None:
    response = Practice().send("GET", "/_simulator/magic")

    assert response.status == 404
    assert "GET /_simulator/verdict" in decoded(response)["message"]


def test_controls_are_in_no_journal() -> None:
    practice = Practice()

    _get(practice, "verdict")

    assert not practice.simulator.journal.requests
