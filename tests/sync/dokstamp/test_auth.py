import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from sync.dokstamp.answer import Answer, Fault, Meaning, classify
from sync.dokstamp.auth import (
    ClientCredentials,
    Denial,
    Login,
    Token,
    read_token,
    token_requests,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVICE = ClientCredentials("app", "s3cret&+")
USER = Login("ana@example.org", "pa ss")
GRANT = {"access_token": "abc.def", "token_type": "Bearer", "expires_in": 43_200}


def answered(status: int | None, body: Any = None, **others: Any) -> Answer:
    return Answer(classify("POST", status=status), status, body, **others)


def read(
    answer: Answer, credentials: ClientCredentials | Login = SERVICE
) -> Token | Denial | Answer:
    request = token_requests(credentials)[0]
    return read_token(credentials, request, answer, now=NOW)


def test_a_service_token_is_asked_for_by_a_form() -> None:
    (request,) = token_requests(SERVICE, refresh="unused")

    assert (request.path, request.content_type) == (
        "/oauth/token",
        "application/x-www-form-urlencoded",
    )
    assert parse_qs(request.content.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": ["s3cret&+"],
    }


def test_a_scope_is_sent_only_if_configured() -> None:
    (request,) = token_requests(ClientCredentials("app", "s", scope="a b"))

    assert parse_qs(request.content.decode())["scope"] == ["a b"]


def test_a_user_logs_in_with_json() -> None:
    (request,) = token_requests(USER)

    assert (request.path, request.content_type) == ("/auth/login", "application/json")
    assert json.loads(request.content) == {"email": "ana@example.org", "password": "pa ss"}


def test_a_refresh_token_is_tried_before_the_password() -> None:
    first, second = token_requests(USER, refresh="r-1")

    assert (first.path, first.is_refresh) == ("/auth/refresh", True)
    assert json.loads(first.content) == {"refresh_token": "r-1"}
    assert (second.path, second.is_refresh) == ("/auth/login", False)


@pytest.mark.parametrize(
    ("expires_in", "lifetime", "margin"),
    [
        (43_200, 43_200, 60),
        (31_536_000, 31_536_000, 60),
        (600, 600, 60),
        (100, 100, 10),
        (1, 1, 0.1),
        ("3600", 3_600, 60),
        (None, 3_600, 60),
        (0, 3_600, 60),
        (-5, 3_600, 60),
        (True, 3_600, 60),
        (10**30, 31_536_000, 60),
    ],
)
def test_a_token_is_renewed_ahead_of_its_end(expires_in: Any, lifetime: int, margin: float) -> None:
    token = read(answered(200, GRANT | {"expires_in": expires_in}))

    assert isinstance(token, Token)
    assert token.expires_at == NOW + timedelta(seconds=lifetime)
    assert token.renew_at == NOW + timedelta(seconds=lifetime - margin)
    assert token.is_fresh(NOW)
    assert not token.is_fresh(token.renew_at)
    assert not token.is_expired(token.renew_at)
    assert token.is_expired(token.expires_at)


def test_a_login_keeps_the_refresh_token() -> None:
    token = read(answered(200, GRANT | {"refresh_token": "r-2"}), USER)

    assert isinstance(token, Token)
    assert token.refresh == "r-2"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "token",
        {},
        {"data": GRANT},
        GRANT | {"access_token": ""},
        GRANT | {"access_token": 7},
        GRANT | {"access_token": "a\r\nX-Other: b"},
        GRANT | {"access_token": "é"},
        GRANT | {"token_type": "mac"},
        GRANT | {"token_type": None},
    ],
)
def test_an_answer_without_a_usable_token_is_trouble_for_now(body: Any) -> None:
    assert read(answered(200, body)) == Answer(Meaning.UNAVAILABLE, None, fault=Fault.TOKEN)


def test_the_type_of_a_token_may_be_left_out_or_in_small_letters() -> None:
    without = {key: value for key, value in GRANT.items() if key != "token_type"}

    assert isinstance(read(answered(200, without)), Token)
    assert isinstance(read(answered(200, GRANT | {"token_type": "bearer"})), Token)


@pytest.mark.parametrize("status", [None, 302, 408, 500, 502, 503])
def test_an_unreachable_endpoint_makes_the_request_unavailable(status: int | None) -> None:
    found = read(answered(status, retry_after_seconds=4.0))

    assert found == Answer(Meaning.UNAVAILABLE, None, retry_after_seconds=4.0, fault=Fault.TOKEN)


def test_a_throttled_endpoint_makes_the_request_throttled() -> None:
    found = read(answered(429, retry_after_seconds=4.0))

    assert found == Answer(Meaning.THROTTLED, 429, retry_after_seconds=4.0, fault=Fault.TOKEN)


@pytest.mark.parametrize(
    ("credentials", "status", "settings"),
    [
        (SERVICE, 400, ["DOKSTAMP_CLIENT_ID", "DOKSTAMP_CLIENT_SECRET"]),
        (SERVICE, 401, ["DOKSTAMP_CLIENT_ID", "DOKSTAMP_CLIENT_SECRET"]),
        (SERVICE, 403, ["DOKSTAMP_CLIENT_ID", "DOKSTAMP_CLIENT_SECRET"]),
        (USER, 401, ["DOKSTAMP_EMAIL", "DOKSTAMP_PASSWORD"]),
        (USER, 422, ["DOKSTAMP_EMAIL", "DOKSTAMP_PASSWORD"]),
        (USER, 404, ["DOKSTAMP_BASE_URL", "DOKSTAMP_AUTH_MODE"]),
        (SERVICE, 405, ["DOKSTAMP_BASE_URL", "DOKSTAMP_AUTH_MODE"]),
        (SERVICE, 301, ["DOKSTAMP_BASE_URL"]),
        (SERVICE, 308, ["DOKSTAMP_BASE_URL"]),
    ],
)
def test_a_refusal_names_the_settings_to_check_and_no_secret(
    credentials: ClientCredentials | Login, status: int, settings: list[str]
) -> None:
    found = read(answered(status, {"message": "no"}), credentials)

    assert isinstance(found, Denial)
    assert all(setting in found.message for setting in settings)
    assert str(status) in found.message
    assert "s3cret" not in found.message
    assert "ana@" not in found.message


def test_nothing_that_opens_anything_is_shown() -> None:
    token = read(answered(200, GRANT | {"refresh_token": "r-2"}))

    shown = repr([SERVICE, USER, token, *token_requests(SERVICE), *token_requests(USER, "r-1")])

    assert not any(
        secret in shown for secret in ("s3cret", "pa ss", "ana@", "abc.def", "r-1", "r-2")
    )
