"""The route list of the contract, whole."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.simulator.refusal import RefusedError
from sync.simulator.routes import ENTITIES, ROUTES, STANDARD, Route, find_route
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


NAMES = sorted({name for entity in ENTITIES for name in entity.by_name} | {"modules", "uuids"})
TEXTS = st.text(max_size=8) | st.sampled_from(["", "2026-02-30", "draft", "1e999", "a@b.c"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("uuid"), inner),
    max_leaves=5,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6) | VALUES
STATUSES = {200, 201, 204, 302, 400, 404, 405, 409, 422, 500}


@given(route=st.sampled_from(ROUTES), body=BODIES, is_known=st.booleans(), word=TEXTS)
def test_no_request_breaks_the_service(
    route: Route,
    body: object,
    is_known: bool,  # noqa: FBT001
    word: str,
) -> None:
    practice = Practice(grade_max="none", course_code_unique="tenant", certificate_unique="no")
    fields = practice.graduate()
    names = [str(fields["course_uuid"]), str(fields["student_uuid"]), str(fields["file_uuid"])]
    uuid = next((name for name in names if is_known), word)
    path = "/" + "/".join(re.sub("{.*}", uuid.replace("\\", ""), part) for part in route.pattern)
    if isinstance(body, dict) and is_known:
        body = {**fields, **body}
    headers = practice.headers() | {"Content-Type": "application/json"}
    query = (("where[code]", word), ("page", word), ("sort[column]", "code"))
    content = json.dumps(body).replace("Infinity", "1e999").encode()

    response = practice.send(route.method, path, query=query, headers=headers, body=content)

    assert response.status in STATUSES
    if response.headers.get("Content-Type") == "application/json":
        response.decoded()
