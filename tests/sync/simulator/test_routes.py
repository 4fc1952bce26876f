"""The route list of the contract, whole."""

import pytest

from sync.simulator.refusal import RefusedError
from sync.simulator.routes import ROUTES, STANDARD, find_route
from tests.sync.simulator.practice import Practice

LISTED = [
    ("GET", "/courses/u/attach/modules"),
    ("POST", "/courses/u/attach/modules"),
    ("DELETE", "/courses/u/detach/modules"),
    ("GET", "/courses/u/modules/groups"),
    ("POST", "/courses/u/modules/groups"),
    ("GET", "/courses/u/modules/groups/g"),
    ("PATCH", "/courses/u/modules/groups/g"),
    ("PUT", "/courses/u/modules/groups/g"),
    ("DELETE", "/courses/u/modules/groups/g"),
    ("POST", "/files"),
    ("GET", "/files"),
    ("GET", "/files/u"),
    ("PATCH", "/files/u"),
    ("DELETE", "/files/u"),
    ("GET", "/files/u/download"),
    ("GET", "/certificates"),
    ("POST", "/certificates"),
    ("GET", "/certificates/u"),
    ("PUT", "/certificates/u/revoke"),
    ("DELETE", "/certificates/batch/destroy"),
    ("GET", "/students/u/pages"),
    ("POST", "/students/u/pages"),
    ("PATCH", "/students/u/pages/p"),
    ("GET", "/students/u/pages/p/items"),
    ("POST", "/students/u/pages/p/items"),
    ("PATCH", "/students/u/pages/p/items/i"),
    ("GET", "/institutions/u/badges/issuers"),
    *(
        (method, f"/{resource}{rest}")
        for resource in STANDARD
        for method, rest in (
            ("GET", ""),
            ("POST", ""),
            ("GET", "/u"),
            ("PATCH", "/u"),
            ("PUT", "/u"),
            ("DELETE", "/u"),
            ("DELETE", "/batch/destroy"),
        )
    ),
]


def test_every_listed_call_has_a_route_and_there_are_no_others() -> None:
    found = {id(find_route(method, path)[0]) for method, path in LISTED}

    assert found == {id(route) for route in ROUTES}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/courses/u", 405),
        ("DELETE", "/courses", 405),
        ("GET", "/documents", 404),
        ("GET", "/courses/", 404),
        ("GET", "/", 404),
    ],
)
def test_other_calls_are_refused(method: str, path: str, status: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        find_route(method, path)

    assert refusal.value.status == status


def test_a_path_that_nobody_serves_needs_no_token_to_be_refused() -> None:
    assert Practice().send("GET", "/webhooks").status == 404
