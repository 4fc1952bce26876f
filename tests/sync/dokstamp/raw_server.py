"""A server of bytes: records every request as it came over the socket, answers as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes


Respond = Callable[[Received, asyncio.StreamWriter], Awaitable[None] | None]


@dataclass
class RawServer:
    """What was received, and where."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> list[str]:
        return [f"{request.method} {request.target}" for request in self.received]


def http(status: int, content: bytes | str = b"", headers: dict[str, str] | None = None) -> bytes:
    """Return the bytes of an answer."""
    body = content.encode() if isinstance(content, str) else content
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_http(status: int, value: Any, headers: dict[str, str] | None = None) -> bytes:
    """Return the bytes of an answer in JSON."""
    return http(status, json.dumps(value), {"Content-Type": "application/json", **(headers or {})})


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        return Received(method, target, headers, await _receive_chunks(reader))
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, content)


async def _receive_chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        content += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return content


@asynccontextmanager
async def raw_server(
    respond: Respond, *, ssl_context: SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Give a server that answers each request by calling `respond`."""
    state = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        try:
            while (request := await _receive(reader)) is not None:
                state.received.append(request)
                waiting = respond(request, writer)
                if waiting is not None:
                    await waiting
                if writer.is_closing():
                    return
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(start, "127.0.0.1", 0, ssl=ssl_context)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
