import asyncio
import json

import pytest

from ledger.clock import ManualClock
from sync.dokstamp.answer import Fault, Meaning
from sync.dokstamp.auth import Login
from sync.dokstamp.client import SHUT_OUT_MAX
from sync.errors import ConfigurationError
from tests.sync.dokstamp.raw_server import Received, http, json_http
from tests.sync.dokstamp.talking import (
    CREATE,
    GRANT,
    READ,
    TOKEN_PATHS,
    always,
    answering,
    scripted,
    talk,
)


async def test_one_token_serves_many_requests_at_once() -> None:
    async with talk(always(json_http(200, {}))) as (server, client):
        await asyncio.gather(*(client.send(READ) for _ in range(20)))

    assert server.routes().count("POST /oauth/token") == 1
    assert server.routes().count("GET /courses/U-1") == 20


async def test_a_token_is_renewed_a_minute_ahead() -> None:
    clock = ManualClock()

    async with talk(always(json_http(200, {})), clock=clock) as (server, client):
        await client.send(READ)
        clock.advance(43_139)
        await client.send(READ)
        clock.advance(1)
        await client.send(READ)

    routes = server.routes()
    assert [route.startswith("POST") for route in routes] == [True, False, False, True, False]


async def test_a_401_is_answered_with_a_new_token_and_one_replay() -> None:
    answers = iter([json_http(401, {"message": "Unauthenticated."}), json_http(201, {"data": {}})])

    async with talk(answering(lambda _request: next(answers))) as (server, client):
        answer, exchanges = await client.send(CREATE)

    assert answer.status == 201
    assert [exchange.status for exchange in exchanges] == [200, 401, 200, 201]
    assert len(server.received) == 4
    assert server.received[1].content == server.received[3].content


async def test_a_second_401_is_final() -> None:
    async with talk(always(json_http(401, {}))) as (server, client):
        answer, exchanges = await client.send(READ)

    assert (answer.meaning, answer.status) == (Meaning.UNAUTHORISED, 401)
    assert len(server.received) == len(exchanges) == 4


async def test_a_second_401_while_others_are_answered_is_no_wrong_setting() -> None:
    held: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    def respond(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.target.endswith(TOKEN_PATHS):
            writer.write(json_http(200, GRANT))
        elif request.method == "GET":
            writer.write(json_http(200, {}))
        else:
            held.put_nowait(writer)

    async with talk(respond) as (_, client):
        create = asyncio.create_task(client.send(CREATE))
        first = await held.get()
        await client.send(READ)
        first.write(json_http(401, {}))
        (await held.get()).write(json_http(401, {}))
        answer, exchanges = await create

    assert (answer.meaning, answer.fault) == (Meaning.UNAVAILABLE, Fault.TOKEN)
    assert [exchange.status for exchange in exchanges] == [200, 401, 200, 401]


async def test_one_kind_of_call_that_is_never_let_in_is_a_wrong_setting_in_the_end() -> None:
    def script(request: Received) -> bytes:
        if request.target.endswith(TOKEN_PATHS):
            return json_http(200, GRANT)
        return json_http(200 if request.method == "GET" else 401, {})

    async with talk(scripted(script)) as (_, client):

        async def create_beside_others() -> Meaning:
            reading = asyncio.gather(*(client.send(READ) for _ in range(3)))
            (answer, _), _ = await asyncio.gather(client.send(CREATE), reading)
            return answer.meaning

        meanings = [await create_beside_others() for _ in range(SHUT_OUT_MAX + 1)]

    assert meanings[-1] is Meaning.UNAUTHORISED


async def test_a_403_is_final_at_once() -> None:
    async with talk(always(json_http(403, {}))) as (server, client):
        answer, exchanges = await client.send(CREATE)

    assert answer.meaning is Meaning.UNAUTHORISED
    assert len(server.received) == len(exchanges) == 2


async def test_a_revoked_token_is_renewed_once_for_all_who_used_it() -> None:
    grants = iter(f"token-{number}" for number in range(1, 100))

    def script(request: Received) -> bytes:
        if request.target == "/oauth/token":
            return json_http(200, GRANT | {"access_token": next(grants)})
        is_old = request.headers["authorization"] == "Bearer token-1"
        return json_http(401 if is_old else 200, {})

    async with talk(scripted(script)) as (server, client):
        results = await asyncio.gather(*(client.send(READ) for _ in range(8)))

    assert {answer.status for answer, _ in results} == {200}
    assert server.routes().count("POST /oauth/token") == 2


async def test_refused_credentials_stop_everybody_and_are_sent_once() -> None:
    refusal = scripted(lambda _request: json_http(401, {"error": "invalid_client"}))

    async with talk(refusal) as (server, client):
        results = await asyncio.gather(
            *(client.send(READ) for _ in range(5)), return_exceptions=True
        )

    assert all(isinstance(result, ConfigurationError) for result in results)
    assert all("DOKSTAMP_CLIENT_SECRET" in str(result) for result in results)
    assert server.routes() == ["POST /oauth/token"]


@pytest.mark.parametrize("content", [json_http(500, {}), http(200, "<html>"), None])
async def test_trouble_at_the_token_endpoint_leaves_a_write_unsent(content: bytes | None) -> None:
    async with talk(scripted(lambda _request: content)) as (server, client):
        answer, exchanges = await client.send(CREATE)

    assert (answer.meaning, answer.fault) == (Meaning.UNAVAILABLE, Fault.TOKEN)
    assert server.routes() == ["POST /oauth/token"]
    assert len(exchanges) == 1


async def test_a_token_that_is_due_but_not_over_outlives_trouble_with_its_renewal() -> None:
    clock = ManualClock()
    grants = iter([json_http(200, GRANT), json_http(503, {}), json_http(503, {})])

    def script(request: Received) -> bytes:
        return next(grants) if request.target == "/oauth/token" else json_http(200, {})

    async with talk(scripted(script), clock=clock) as (_, client):
        await client.send(READ)
        clock.advance(43_150)
        due, _ = await client.send(READ)
        clock.advance(60)
        over, _ = await client.send(READ)

    assert (due.meaning, over.meaning) == (Meaning.DONE, Meaning.UNAVAILABLE)


async def test_a_login_refreshes_and_falls_back_to_the_password() -> None:
    clock = ManualClock()
    grants = {
        "/auth/login": [json_http(200, GRANT | {"refresh_token": "r-1"})] * 2,
        "/auth/refresh": [json_http(200, GRANT | {"refresh_token": "r-2"}), json_http(401, {})],
    }

    def script(request: Received) -> bytes:
        waiting = grants.get(request.target)
        return waiting.pop(0) if waiting else json_http(200, {})

    credentials = Login("ana@example.org", "secret")
    async with talk(scripted(script), clock=clock, credentials=credentials) as (
        server,
        client,
    ):
        for _ in range(3):
            await client.send(READ)
            clock.advance(50_000)

    tokens = [request for request in server.received if request.target.startswith("/auth")]
    assert [request.target for request in tokens] == [
        "/auth/login",
        "/auth/refresh",
        "/auth/refresh",
        "/auth/login",
    ]
    assert [json.loads(request.content).get("refresh_token") for request in tokens] == [
        None,
        "r-1",
        "r-2",
        None,
    ]
