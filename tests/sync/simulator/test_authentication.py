"""Both ways in, and how tokens end."""

import json

import pytest

from sync.simulator import PRACTICE_TENANT, Fault, SimulatedResponse, Simulator
from tests.sync.simulator.practice import Practice, decoded, errors


def _post(practice: Practice, path: str, **body: object) -> SimulatedResponse:
    headers = {"Content-Type": "application/json"}
    return practice.send("POST", path, headers=headers, body=json.dumps(body).encode())


def _login(practice: Practice) -> dict[str, object]:
    response = _post(
        practice, "/auth/login", email=PRACTICE_TENANT.email, password=PRACTICE_TENANT.password
    )
    tokens: dict[str, object] = decoded(response)
    return tokens


def test_a_service_token_is_bare_and_lives_twelve_hours() -> None:
    body = decoded(Practice().log_in())

    assert body.keys() == {"token_type", "expires_in", "access_token"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 43_200)


@pytest.mark.parametrize("wrong", ["client_id", "client_secret"])
def test_wrong_credentials_are_refused_in_their_own_shape(wrong: str) -> None:
    fields = {
        "grant_type": "client_credentials",
        "client_id": PRACTICE_TENANT.client_id,
        "client_secret": PRACTICE_TENANT.client_secret,
        wrong: "wrong",
    }

    response = Practice().form("/oauth/token", **fields)

    assert response.status == 401
    assert decoded(response).keys() == {"error", "error_description", "message"}
    assert decoded(response)["error"] == "invalid_client"


def test_a_token_request_must_be_a_form() -> None:
    response = _post(Practice(), "/oauth/token", grant_type="client_credentials")

    assert response.status == 400


def test_a_token_ends_with_its_time_and_a_new_one_leaves_others_valid() -> None:
    practice = Practice()
    headers = practice.headers()
    practice.log_in()

    practice.wait(43_199)
    valid = practice.send("GET", "/courses", headers=headers)
    practice.wait(1)
    expired = practice.send("GET", "/courses", headers=headers)

    assert (valid.status, expired.status) == (200, 401)
    assert decoded(expired) == {"success": False, "message": "Unauthenticated."}


def test_a_lifetime_can_be_shortened() -> None:
    simulator = Simulator(token_seconds=5)
    practice = Practice()
    practice.simulator = simulator

    assert decoded(practice.log_in())["expires_in"] == 5


def test_a_login_gives_a_year_and_a_refresh_token() -> None:
    body = _login(Practice(edition="old"))

    assert body["expires_in"] == 31_536_000
    assert body.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}


def test_a_wrong_login_says_so_and_an_empty_one_names_its_fields() -> None:
    practice = Practice(edition="old")

    wrong = _post(practice, "/auth/login", email="a@b.org", password="x")
    empty = _post(practice, "/auth/login")

    assert (wrong.status, decoded(wrong).keys()) == (401, {"message"})
    assert errors(empty).keys() == {"email", "password"}


def test_a_refresh_token_is_spent_by_its_use() -> None:
    practice = Practice(edition="mixed")
    first = _login(practice)["refresh_token"]

    second = _post(practice, "/auth/refresh", refresh_token=first)
    again = _post(practice, "/auth/refresh", refresh_token=first)

    assert decoded(second)["refresh_token"] != first
    assert (second.status, again.status) == (200, 401)


def test_logging_out_voids_the_token() -> None:
    practice = Practice(edition="old")
    headers = practice.headers()

    statuses = [
        practice.send("POST", "/auth/logout", headers=headers).status,
        practice.send("GET", "/courses", headers=headers).status,
    ]

    assert statuses == [200, 401]


@pytest.mark.parametrize(
    ("edition", "ids"), [("old", {"id"}), ("new", {"uuid"}), ("mixed", {"id", "uuid"})]
)
def test_me_shows_the_identifiers_of_the_edition(edition: str, ids: set[str]) -> None:
    practice = Practice(edition=edition, me_for_service_token="200")

    data = decoded(practice.call("GET", "/auth/me"))["data"]

    assert data.keys() - {"name", "email", "tenant"} == ids
    assert data["tenant"].keys() - {"name", "domain"} == ids
    assert data["tenant"]["domain"] == PRACTICE_TENANT.domain


def test_all_tokens_can_expire_in_mid_run() -> None:
    practice = Practice(Fault(kind="expire_tokens", method="any", nth=2))
    headers = practice.headers()

    statuses = [practice.send("GET", "/courses", headers=headers).status for _ in range(3)]

    assert statuses == [200, 401, 401]


def test_no_secret_is_in_a_tenants_representation() -> None:
    shown = repr(PRACTICE_TENANT)

    assert PRACTICE_TENANT.client_secret not in shown
    assert PRACTICE_TENANT.password not in shown
