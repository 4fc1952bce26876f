"""Conversations with a server of bytes through the real client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ledger.clock import ManualClock
from sync.dokstamp.auth import ClientCredentials
from sync.dokstamp.client import Connection, DokStampClient
from sync.dokstamp.request import Request
from tests.sync.dokstamp.raw_server import RawServer, Received, Respond, json_http, raw_server

GRANT: dict[str, Any] = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 43_200}
READ = Request("GET", "/courses/U-1", "/courses/{uuid}")
CREATE = Request("POST", "/courses", "/courses", body={"name": "Álgebra"})
DETACH = Request("DELETE", "/courses/U-1/detach/modules", "/detach", body={"modules": ["U-2"]})
METHODS = [
    READ,
    CREATE,
    replace(CREATE, method="PATCH"),
    Request("PUT", "/certificates/U-1/revoke", "/certificates/{uuid}/revoke", body={}),
    DETACH,
]
TOKEN_PATHS = ("/oauth/token", "/auth/login", "/auth/refresh")
Script = Callable[[Received], bytes | None]


def client_at(base_url: str, *, clock: ManualClock | None = None, **others: Any) -> DokStampClient:
    settings: dict[str, Any] = {
        "base_url": base_url,
        "tenant": "demo-university",
        "credentials": ClientCredentials("app", "s3cret"),
        "request_timeout_seconds": 20.0,
    }
    return DokStampClient(Connection(**(settings | others)), clock=clock or ManualClock())


@asynccontextmanager
async def talk(
    respond: Respond, *, prefix: str = "", **settings: Any
) -> AsyncIterator[tuple[RawServer, DokStampClient]]:
    """Give a server that answers as told, and an open client of it."""
    async with (
        raw_server(respond) as server,
        client_at(server.base_url + prefix, **settings) as client,
    ):
        yield server, client


def scripted(script: Script) -> Respond:
    """Answer every request as the script says; `None` closes the connection."""

    def respond(request: Received, writer: asyncio.StreamWriter) -> None:
        content = script(request)
        if content is None:
            writer.close()
        else:
            writer.write(content)

    return respond


def answering(script: Script) -> Respond:
    """Give tokens to who asks for one, and answer everything else as the script says."""

    def answer(request: Received) -> bytes | None:
        is_token = request.target.endswith(TOKEN_PATHS)
        return json_http(200, GRANT) if is_token else script(request)

    return scripted(answer)


def always(content: bytes | None) -> Respond:
    """Give tokens, and to everything else this one answer."""
    return answering(lambda _request: content)


def resource_requests(server: RawServer) -> list[Received]:
    """Return what came in that did not ask for a token."""
    return [request for request in server.received if not request.target.endswith(TOKEN_PATHS)]
