"""Headers, token and tenant, before any handler runs."""

import pytest

from sync.simulator import FOREIGN_TENANT
from tests.sync.simulator.practice import Practice, decoded


@pytest.mark.parametrize("accept", ["", "*/*", "text/html"])
def test_without_the_accept_header_a_caller_is_sent_to_the_login_page(accept: str) -> None:
    practice = Practice()
    headers = practice.headers() | {"Accept": accept}

    response = practice.send("POST", "/institutions", headers=headers, body=b"{}")

    assert (response.status, response.headers["Location"]) == (302, "/login")
    assert response.headers["Content-Type"].startswith("text/html")
    assert practice.send("GET", "/login").status == 200
    assert practice.simulator.records("institutions") == []


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic dXNlcg=="])
def test_without_a_valid_token_nothing_is_answered(authorization: str) -> None:
    practice = Practice()
    headers = practice.headers() | {"Authorization": authorization}

    assert practice.send("GET", "/courses", headers=headers).status == 401


@pytest.mark.parametrize("tenant", ["", "Practice University", "1"])
def test_the_tenant_is_its_domain_and_nothing_else(tenant: str) -> None:
    practice = Practice()
    headers = practice.headers() | {"X-Tenant": tenant}

    assert practice.send("GET", "/courses", headers=headers).status == 401


def test_a_token_is_good_for_its_own_tenant_only() -> None:
    practice = Practice()
    headers = practice.headers() | {"X-Tenant": FOREIGN_TENANT.domain}

    response = practice.send("GET", "/courses", headers=headers)

    assert response.status == 403


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_another_tenants_record_is_not_found_by_path(method: str) -> None:
    practice = Practice()
    student = practice.student()
    practice.speak_as(FOREIGN_TENANT)

    assert practice.call(method, f"/students/{student}", {}).status == 404


def test_another_tenants_record_is_invalid_in_a_body() -> None:
    practice = Practice()
    institution = practice.institution()
    practice.speak_as(FOREIGN_TENANT)

    response = practice.call("POST", "/courses", {"name": "C", "institution_uuid": institution})

    assert decoded(response)["errors"] == {
        "institution_uuid": ["The selected institution uuid is invalid."]
    }


def test_two_tenants_may_use_the_same_keys() -> None:
    practice = Practice()
    practice.student()
    practice.speak_as(FOREIGN_TENANT)

    practice.student()

    assert practice.simulator.verdict().is_clean


@pytest.mark.parametrize(
    ("edition", "closed"),
    [("new", ["/auth/login", "/auth/refresh"]), ("old", ["/oauth/token"]), ("mixed", [])],
)
def test_an_edition_closes_the_other_ways_in(edition: str, closed: list[str]) -> None:
    practice = Practice(edition=edition)

    statuses = {
        path: practice.send("POST", path).status
        for path in ("/auth/login", "/auth/refresh", "/oauth/token")
    }

    assert [path for path, status in statuses.items() if status == 404] == closed
