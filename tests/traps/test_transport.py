"""The traps of API 14 that lie in the transport: conversations over a real socket."""

import asyncio

from sync.dispatcher.procedures import Rules, converse
from sync.dispatcher.step import Call, Outcome, Settlement, Work
from sync.dokstamp.answer import Meaning
from sync.dokstamp.client import DokStampClient
from tests.sync.dispatcher.procedures.samples import (
    change,
    removal,
    request_for_certificate,
    row,
)
from tests.sync.dokstamp.raw_server import Received, http, json_http
from tests.sync.dokstamp.talking import always, answering, resource_requests, talk

COURSE = "/courses/course-CS-uuid"


async def hold(client: DokStampClient, work: Work) -> Settlement:
    """Hold a conversation with the real client; progress needs no keeping here."""
    steps = converse((work,), rules=Rules())
    step = next(steps)
    while True:
        reply = None
        if isinstance(step, Call):
            reply, _ = await client.send(step.request)
        try:
            step = steps.send(reply)
        except StopIteration as end:
            [settlement] = end.value
            assert isinstance(settlement, Settlement)
            return settlement


def listed(*rows: dict[str, object]) -> bytes:
    meta = {"current_page": 1, "per_page": 50, "total": len(rows)}
    return json_http(200, {"data": list(rows), "meta": meta})


async def test_trap_14_the_body_of_a_detach_arrives() -> None:
    def answer(request: Received) -> bytes:
        return http(204) if request.method == "DELETE" else listed({"uuid": "module-MA1-uuid"})

    async with talk(answering(answer)) as (server, client):
        settlement = await hold(client, removal("course_module"))

    [detach] = [each for each in resource_requests(server) if each.method == "DELETE"]
    assert detach.content == b'{"modules":["module-MA1-uuid"]}'
    assert settlement.outcome is Outcome.DONE


async def test_trap_16_an_upload_is_multipart_with_its_boundary() -> None:
    def answer(request: Received) -> bytes:
        if request.method == "GET":
            return listed()
        return http(500)

    async with talk(answering(answer)) as (server, client):
        settlement = await hold(client, request_for_certificate())

    [upload] = [each for each in resource_requests(server) if each.method == "POST"]
    kind, _, boundary = upload.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert boundary.strip('"').encode() in upload.content
    assert b'name="files[]"' in upload.content
    assert settlement.outcome is Outcome.RETRY


async def test_trap_28_one_token_serves_a_whole_run() -> None:
    shown = json_http(200, {"data": row("course")})
    works = [change("course", sent=None) for _ in range(4)]

    async with talk(always(shown)) as (server, client):
        settled = await asyncio.gather(*(hold(client, work) for work in works))

    assert {each.outcome for each in settled} == {Outcome.DONE}
    assert len([each for each in server.received if each.target == "/oauth/token"]) == 1


async def test_trap_29_the_tenant_is_sent_as_it_was_configured() -> None:
    shown = json_http(200, {"data": row("course")})

    async with talk(always(shown), tenant="federal-university") as (server, client):
        await hold(client, change("course", sent=None))

    assert {each.headers["x-tenant"] for each in resource_requests(server)} == {
        "federal-university"
    }


async def test_trap_36_a_redirect_is_not_followed_and_proves_nothing() -> None:
    away = http(302, "<html>", {"Location": "/login", "Content-Type": "text/html"})

    async with talk(always(away)) as (server, client):
        settlement = await hold(client, change("course", wanted={"name": "New"}))

    assert [each.target for each in resource_requests(server)] == [COURSE]
    assert settlement.outcome is Outcome.UNCERTAIN


async def test_a_conversation_over_a_socket_ends_like_one_from_a_script() -> None:
    async with talk(always(None)) as (_, client):
        settlement = await hold(client, change("course", sent=None))

    assert settlement.outcome is Outcome.RETRY
    assert settlement.reason == Meaning.UNAVAILABLE.value
