import asyncio
import json
from hashlib import sha256

import pytest

from ledger.clock import ManualClock
from sync.dokstamp.answer import Fault, Meaning
from sync.dokstamp.auth import ClientCredentials, Login
from sync.dokstamp.client import Connection, DokStampClient
from sync.dokstamp.request import Request, Upload
from sync.errors import ConfigurationError
from tests.sync.dokstamp.raw_server import Received, http, json_http
from tests.sync.dokstamp.talking import (
    CREATE,
    GRANT,
    READ,
    TOKEN_PATHS,
    always,
    answering,
    resource_requests,
    scripted,
    talk,
)

UPLOAD = Request("POST", "/files", "/files", upload=Upload("d.pdf", b"%PDF-1.4"))


async def test_a_request_carries_tenant_token_and_an_honest_name() -> None:
    async with talk(always(json_http(200, {"data": {}}))) as (server, client):
        answer, exchanges = await client.send(READ)

    headers = server.received[1].headers
    assert answer.meaning is Meaning.DONE
    assert headers["authorization"] == "Bearer token-1"
    assert headers["x-tenant"] == "demo-university"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("dokstamp-ledger/")
    assert headers["user-agent"].endswith(" (+python aiohttp)")
    assert "content-type" not in headers
    assert "cookie" not in headers
    assert [exchange.route for exchange in exchanges] == ["/oauth/token", "/courses/{uuid}"]


async def test_a_token_is_asked_for_without_a_tenant() -> None:
    async with talk(always(json_http(200, {}))) as (server, client):
        await client.send(READ)

    token_request = server.received[0]
    assert token_request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert token_request.headers["accept"] == "application/json"
    assert not {"authorization", "x-tenant"} & token_request.headers.keys()


async def test_an_exchange_is_evidence_that_names_nobody() -> None:
    query = (("where[email]", "ana@example.org"),)
    request = Request("POST", "/files/F-1", "/files/{file}", query=query, body={"name": "Ana"})
    content = json.dumps({"data": {"uuid": "F-1", "name": "Ana"}}).encode()

    async with talk(always(http(201, content))) as (server, client):
        answer, exchanges = await client.send(request)

    token, exchange = exchanges
    assert (exchange.method, exchange.route, exchange.status) == ("POST", "/files/{file}", 201)
    assert exchange.request_sha256 == sha256(server.received[1].content).hexdigest()
    assert exchange.answer_sha256 == sha256(content).hexdigest()
    assert (exchange.bytes_sent, exchange.bytes_received) == (14, len(content))
    assert (token.request_sha256, token.answer_sha256) == ("", "")
    shown = repr((answer, exchanges, request)) + json.dumps([item.to_json() for item in exchanges])
    assert not any(secret in shown for secret in ("Ana", "ana@", "F-1", "token-1", "s3cret"))


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


async def test_nothing_is_sent_when_no_time_is_left() -> None:
    async with talk(always(json_http(200, {}))) as (server, client):
        await client.send(READ)
        answer, exchanges = await client.send(CREATE, timeout_seconds=0)

    assert (answer.meaning, answer.fault) == (Meaning.UNAVAILABLE, Fault.CONNECT)
    assert exchanges == ()
    assert len(resource_requests(server)) == 1


async def test_an_upload_is_not_begun_once_the_time_to_begin_it_is_over() -> None:
    clock = ManualClock()

    def script(request: Received) -> bytes:
        if request.target.endswith("/oauth/token"):
            # A host that was stopped here wakes up without the lease under which it asked.
            clock.advance(21)
            return json_http(200, GRANT)
        return json_http(200, {})

    async with talk(scripted(script), clock=clock, request_timeout_seconds=20.0) as (
        server,
        client,
    ):
        late, _ = await client.send(UPLOAD)
        answer, _ = await client.send(UPLOAD)

    assert (late.meaning, late.fault) == (Meaning.UNAVAILABLE, Fault.CONNECT)
    assert answer.status == 200
    assert len(resource_requests(server)) == 1


async def test_who_waits_for_a_token_waits_no_longer_than_its_own_time() -> None:
    asked = asyncio.Event()
    release = asyncio.Event()

    async def respond(_request: Received, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await release.wait()
        writer.write(json_http(200, GRANT))

    async with talk(respond) as (_, client):
        patient = asyncio.ensure_future(client.send(READ))
        await asked.wait()
        answer, exchanges = await client.send(CREATE, timeout_seconds=0.02)
        release.set()
        patient_answer, _ = await patient

    assert (answer.meaning, answer.fault, exchanges) == (Meaning.UNAVAILABLE, Fault.TOKEN, ())
    assert patient_answer.meaning is Meaning.DONE


@pytest.mark.parametrize(
    "base_url",
    ["", "api.dokstamp.com", "ftp://x", "https://", "https://u:p@x", "https://x?a=b", "http://x:y"],
)
def test_an_address_that_is_none_is_a_wrong_setting(base_url: str) -> None:
    connection = Connection(base_url, "demo", ClientCredentials("a", "b"))

    with pytest.raises(ConfigurationError, match="DOKSTAMP_BASE_URL"):
        DokStampClient(connection, clock=ManualClock())


@pytest.mark.parametrize("tenant", ["", "a b", "a\r\nX: y", "é"])
def test_a_tenant_that_cannot_be_a_header_is_a_wrong_setting(tenant: str) -> None:
    connection = Connection("https://api.dokstamp.com", tenant, ClientCredentials("a", "b"))

    with pytest.raises(ConfigurationError, match="DOKSTAMP_TENANT"):
        DokStampClient(connection, clock=ManualClock())


async def test_a_client_that_is_not_open_says_so() -> None:
    connection = Connection("http://127.0.0.1:1", "demo", ClientCredentials("a", "b"))

    with pytest.raises(RuntimeError, match="async with"):
        await DokStampClient(connection, clock=ManualClock()).send(READ)


async def test_closing_twice_is_safe() -> None:
    connection = Connection("http://127.0.0.1:1", "demo", ClientCredentials("a", "b"))

    async with DokStampClient(connection, clock=ManualClock()) as client:
        await client.close()
