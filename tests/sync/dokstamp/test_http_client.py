import asyncio
import gzip
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from sync.dokstamp.answer import Fault, Meaning
from sync.dokstamp.request import Request, Upload
from sync.errors import ConfigurationError
from tests.sync.dokstamp.certificate import make_certificate
from tests.sync.dokstamp.raw_server import Received, http, json_http, raw_server
from tests.sync.dokstamp.talking import (
    CREATE,
    DETACH,
    GRANT,
    METHODS,
    READ,
    always,
    answering,
    client_at,
    resource_requests,
    scripted,
    talk,
)


async def test_a_plus_in_an_address_survives_the_way() -> None:
    query = (("where[email]", "ana+x y@example.org"), ("page", "1"))
    request = Request("GET", "/students", "/students", query=query)

    async with talk(always(json_http(200, {}))) as (server, client):
        await client.send(request)

    assert server.received[1].target == (
        "/students?where%5Bemail%5D=ana%2Bx%20y%40example.org&page=1"
    )


async def test_an_encoded_path_arrives_as_it_is_below_a_prefix() -> None:
    request = Request("GET", "/courses/U%2F1%20%2B", "/courses/{uuid}")

    async with talk(always(json_http(200, {})), prefix="/prefix/") as (
        server,
        client,
    ):
        client_answer, _ = await client.send(request)

    assert client_answer.status == 200
    assert server.routes()[-1] == "GET /prefix/courses/U%2F1%20%2B"


@pytest.mark.parametrize("request_", METHODS, ids=lambda item: item.method)
async def test_every_method_arrives_once_with_its_body(request_: Request) -> None:
    async with talk(always(json_http(200, {}))) as (server, client):
        await client.send(request_)

    (received,) = resource_requests(server)
    assert received.method == request_.method
    if request_.body is not None:
        assert json.loads(received.content) == request_.body
        assert received.headers["content-type"] == "application/json"


async def test_decimals_arrive_digit_for_digit_and_come_back_so() -> None:
    request = replace(CREATE, body={"grade": Decimal("8.70")})
    echo = answering(lambda received: http(200, received.content))

    async with talk(echo) as (server, client):
        answer, _ = await client.send(request)

    assert server.received[1].content == b'{"grade":8.70}'
    assert repr(answer.body) == "{'grade': Decimal('8.70')}"


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_a_file_is_uploaded_under_the_documented_field(size: int) -> None:
    content = b"%PDF-" + b"x" * size
    request = Request("POST", "/files", "/files", upload=Upload('a "b"/é.pdf', content))

    async with talk(always(json_http(201, {"data": []}))) as (server, client):
        answer, exchanges = await client.send(request)

    received = server.received[1]
    assert answer.status == 201
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="files[]"; filename="a__b___.pdf"' in received.content
    assert b"Content-Type: application/pdf" in received.content
    assert content in received.content
    assert exchanges[-1].request_sha256 == sha256(content).hexdigest()


async def test_a_large_body_arrives_whole() -> None:
    request = replace(CREATE, body={"text": "x" * 2_000_000})

    async with talk(always(json_http(200, {}))) as (server, client):
        await client.send(request)

    assert json.loads(server.received[1].content) == request.body


async def test_a_compressed_answer_is_read() -> None:
    content = gzip.compress(b'{"data": {"uuid": "U-1"}}')

    async with talk(always(http(200, content, {"Content-Encoding": "gzip"}))) as (_, client):
        answer, _ = await client.send(READ)

    assert answer.body == {"data": {"uuid": "U-1"}}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    moved = always(http(status, "<html>", {"Location": "/login"}))

    async with talk(moved) as (server, client):
        answer, exchanges = await client.send(READ)

    assert (answer.meaning, answer.fault) == (Meaning.UNAVAILABLE, Fault.REDIRECT)
    assert len(server.received) == len(exchanges) == 2


async def test_cookies_are_neither_kept_nor_sent() -> None:
    setting = always(json_http(200, {}, {"Set-Cookie": "a=b"}))

    async with talk(setting) as (server, client):
        await client.send(READ)
        await client.send(READ)

    assert all("cookie" not in request.headers for request in server.received)


@pytest.mark.parametrize("request_", METHODS, ids=lambda item: item.method)
async def test_a_connection_dropped_on_a_request_is_not_used_for_a_second_try(
    request_: Request,
) -> None:
    # The first request warms a kept connection, the second is dropped on it: that is where
    # aiohttp would send a GET, PUT or DELETE again by itself.
    answers = iter([json_http(200, {}), None, json_http(200, {})])

    async with talk(answering(lambda _request: next(answers))) as (server, client):
        _, first = await client.send(READ)
        answer, second = await client.send(request_)

    assert answer.fault == Fault.RESET
    assert answer.meaning is (Meaning.UNAVAILABLE if request_.is_safe else Meaning.UNCERTAIN)
    assert server.connections == 1
    assert len(server.received) == len(first) + len(second) == 3


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{", Fault.INCOMPLETE),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", Fault.INCOMPLETE),
        (b"HTTP/1.1 201 Cre", Fault.RESET),
        (b"what?\r\n\r\n", Fault.PROTOCOL),
    ],
)
async def test_half_an_answer_leaves_a_write_uncertain(content: bytes, fault: Fault) -> None:
    def respond(request: Received, writer: asyncio.StreamWriter) -> None:
        is_token = request.target == "/oauth/token"
        writer.write(json_http(200, GRANT) if is_token else content)
        if not is_token:
            writer.close()

    async with talk(respond) as (server, client):
        answer, exchanges = await client.send(CREATE)

    assert (answer.meaning, answer.fault) == (Meaning.UNCERTAIN, fault)
    assert exchanges[-1].fault == fault
    assert len(server.received) == len(exchanges) == 2


async def test_an_answer_that_does_not_come_in_time_leaves_a_write_uncertain() -> None:
    release = asyncio.Event()

    async def respond(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.target == "/oauth/token":
            writer.write(json_http(200, GRANT))
        else:
            await release.wait()

    async with talk(respond) as (_, client):
        read, _ = await client.send(READ, timeout_seconds=0.4)
        write, exchanges = await client.send(CREATE, timeout_seconds=0.4)

    assert (read.meaning, read.fault) == (Meaning.UNAVAILABLE, Fault.TIMEOUT)
    assert (write.meaning, write.fault) == (Meaning.UNCERTAIN, Fault.TIMEOUT)
    assert exchanges[-1].status is None


@pytest.mark.parametrize("request_", METHODS, ids=lambda item: item.method)
async def test_a_server_that_is_not_there_was_sent_nothing(request_: Request) -> None:
    closing = json_http(200, GRANT, {"Connection": "close"})

    async with AsyncExitStack() as stack:
        async with raw_server(scripted(lambda _request: closing)) as server:
            client = await stack.enter_async_context(client_at(server.base_url))
            await client.send(READ)
        answer, exchanges = await client.send(request_)

    assert (answer.meaning, answer.fault) == (Meaning.UNAVAILABLE, Fault.CONNECT)
    assert [exchange.fault for exchange in exchanges] == [Fault.CONNECT]


async def test_an_answer_larger_than_allowed_is_not_read_on() -> None:
    bomb = http(200, gzip.compress(b" " * 5_000_000), {"Content-Encoding": "gzip"})

    async with talk(always(bomb), answer_bytes_max=1_000_000) as (_, client):
        answer, exchanges = await client.send(CREATE)

    assert (answer.meaning, answer.fault) == (Meaning.UNCERTAIN, Fault.TOO_LARGE)
    assert exchanges[-1].status == 200


async def test_how_long_to_wait_comes_with_the_answer() -> None:
    throttled = json_http(429, {}, {"Retry-After": "7", "X-RateLimit-Remaining": "0"})

    async with talk(always(throttled)) as (_, client):
        answer, _ = await client.send(CREATE)

    assert (answer.meaning, answer.retry_after_seconds) == (Meaning.THROTTLED, 7.0)
    assert answer.rate_limit is not None
    assert answer.rate_limit.remaining == 0


async def test_a_cancelled_call_leaves_the_client_usable() -> None:
    arrived = asyncio.Event()
    release = asyncio.Event()

    async def respond(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.method == "DELETE":
            arrived.set()
            await release.wait()
        writer.write(json_http(200, GRANT))

    async with talk(respond) as (_, client):
        task = asyncio.ensure_future(client.send(DETACH))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answer, _ = await client.send(READ)

    assert answer.meaning is Meaning.DONE


async def test_a_certificate_that_is_not_trusted_is_a_wrong_setting(tmp_path: Path) -> None:
    shown, trusting = make_certificate(tmp_path)
    respond = always(json_http(200, {}))

    async with raw_server(respond, ssl_context=shown) as server:
        address = f"https://127.0.0.1:{server.port}"
        async with client_at(address) as stranger:
            with pytest.raises(ConfigurationError, match=r"certificate.*DOKSTAMP_BASE_URL"):
                await stranger.send(READ)
        received = len(server.received)
        async with client_at(address, ssl_context=trusting) as client:
            answer, _ = await client.send(READ)

    assert received == 0
    assert answer.meaning is Meaning.DONE


async def test_a_server_that_does_not_speak_tls_was_sent_nothing() -> None:
    async with (
        raw_server(always(json_http(200, {}))) as server,
        client_at(f"https://127.0.0.1:{server.port}") as client,
    ):
        answer, exchanges = await client.send(CREATE, timeout_seconds=0.3)

    assert answer.meaning is Meaning.UNAVAILABLE
    assert [exchange.fault for exchange in exchanges] == [Fault.CONNECT]
