"""A practice DokStamp in the parent of who is killed: it survives, as a remote does."""

import asyncio
import pickle
import socket
import struct
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from ledger.clock import Clock
from sync.dokstamp.answer import Fault
from sync.dokstamp.client import DokStampClient
from sync.dokstamp.wire import Incoming, Outgoing
from sync.runtime.settings import Settings
from sync.simulator import SimulatedRequest, SimulatedResponse, Simulator
from sync.simulator.authentication import PRACTICE_TENANT
from tests.sync.simulator.practice import form_part

_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class PipedHttp:
    """Sends each request through a socket to the parent, and waits for what it answers."""

    channel: socket.socket
    clock: Clock

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def send(self, outgoing: Outgoing, *, timeout_seconds: float) -> Incoming:
        """Return what the parent's practice DokStamp answers."""
        del timeout_seconds
        # A point before the request leaves, and one when it has had its effect.
        await asyncio.sleep(0)
        _put(self.channel, pickle.dumps((_simulated(outgoing), self.clock.now())))
        response: SimulatedResponse = pickle.loads(_get(self.channel))
        await asyncio.sleep(0)
        if response.cut:
            return Incoming(None, fault=Fault.RESET)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Incoming(response.status, response.body, headers)


def client_of(channel: socket.socket, settings: Settings, clock: Clock) -> DokStampClient:
    """Return the real client, with the parent in the place of the network."""
    client = DokStampClient(settings.connection(), clock=clock)
    client._http = PipedHttp(channel, clock)
    return client


def service() -> dict[str, str]:
    """Return the settings that lead to the practice DokStamp."""
    return {
        "base_url": "https://dokstamp.test",
        "tenant": PRACTICE_TENANT.domain,
        "client_id": PRACTICE_TENANT.client_id,
        "client_secret": PRACTICE_TENANT.client_secret,
    }


def answer_all(channel: socket.socket, simulator: Simulator) -> None:
    """Answer every request that comes through a socket, until the other end is gone."""
    while asked := _get(channel):
        request, now = pickle.loads(asked)
        assert isinstance(request, SimulatedRequest)
        assert isinstance(now, datetime)
        answer = pickle.dumps(simulator.handle(request, now=now))
        try:
            _put(channel, answer)
        except BrokenPipeError:
            return


def _simulated(outgoing: Outgoing) -> SimulatedRequest:
    parts = urlsplit(outgoing.url)
    headers, body = dict(outgoing.headers), outgoing.content or b""
    if outgoing.upload is not None:
        headers["Content-Type"] = "multipart/form-data; boundary=edge"
        body = form_part("files[]", outgoing.upload.name, outgoing.upload.content)
        body += b"--edge--\r\n"
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return SimulatedRequest(outgoing.method, parts.path, query=query, headers=headers, body=body)


def _put(channel: socket.socket, content: bytes) -> None:
    channel.sendall(_LENGTH.pack(len(content)) + content)


def _get(channel: socket.socket) -> bytes:
    """Return the next message, or nothing when the other end is gone."""
    head = _exactly(channel, _LENGTH.size)
    return _exactly(channel, _LENGTH.unpack(head)[0]) if head else b""


def _exactly(channel: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        try:
            piece = channel.recv(count - len(content))
        except ConnectionResetError:
            return b""
        if not piece:
            return b""
        content += piece
    return content
