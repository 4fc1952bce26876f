import asyncio
import json
from hashlib import sha256

import pytest

from ledger.clock import ManualClock
from sync.dokstamp.answer import Fault, Meaning
from sync.dokstamp.auth import ClientCredentials
from sync.dokstamp.client import Connection, DokStampClient
from sync.dokstamp.request import Request, Upload
from sync.errors import ConfigurationError
from tests.sync.dokstamp.raw_server import Received, http, json_http
from tests.sync.dokstamp.talking import (
    CREATE,
    GRANT,
    READ,
    always,
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
