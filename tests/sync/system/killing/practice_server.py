"""A practice DokStamp as a process of its own, over HTTP: it outlives whoever is killed."""

import asyncio
import os
import pickle
import signal
import socket
import struct
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from sync.simulator import Simulator
from sync.simulator.http_server import _Door

_QUIET: Final = b"q"
_TELL: Final = b"t"
_HIDE: Final = b"h"
_LENGTH: Final = struct.Struct("!I")
ROUNDS: Final = 3
"""Looks for a connection that nobody has taken up yet; each look takes all there are."""
LOOK_SECONDS: Final = 0.002
HIDDEN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Remote:
    """A running practice DokStamp, and the way to ask it for the truth."""

    url: str
    channel: socket.socket

    def settle_down(self) -> None:
        """Return once whatever a dead caller sent has had its effect."""
        self._ask(_QUIET)

    def hide_the_new(self) -> None:
        """Let what was made just now show in no list for a long time."""
        self._ask(_HIDE)

    def truth(self) -> Simulator:
        """Return all that it holds, with its journal."""
        found: Simulator = pickle.loads(self._ask(_TELL))
        return found

    def _ask(self, question: bytes) -> bytes:
        self.channel.sendall(question)
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self.channel.recv(count - len(content))
            assert piece, "the practice DokStamp is gone"
            content += piece
        return content


@contextmanager
def serving(simulator: Simulator) -> Iterator[Remote]:
    """Serve until the block ends, beginning with what a simulator holds."""
    ours, theirs = socket.socketpair()
    with ours, socket.create_server(("127.0.0.1", 0)) as listening:
        child = os.fork()
        if child == 0:
            ours.close()
            _be_child(simulator, listening, theirs)
        theirs.close()
        listening.close()
        try:
            yield Remote(f"http://127.0.0.1:{_port(ours)}", ours)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _port(channel: socket.socket) -> int:
    (port,) = _LENGTH.unpack(channel.recv(_LENGTH.size, socket.MSG_WAITALL))
    return int(port)


def _be_child(simulator: Simulator, listening: socket.socket, channel: socket.socket) -> None:
    try:
        channel.sendall(_LENGTH.pack(listening.getsockname()[1]))
        asyncio.run(_serve(simulator, listening, channel))
    except BaseException:  # noqa: BLE001 - a child must never come back out of here
        traceback.print_exc()
    os._exit(0)


async def _serve(simulator: Simulator, listening: socket.socket, channel: socket.socket) -> None:
    server = web.Server(_Door(simulator, lambda: datetime.now(UTC)).answer, access_log=None)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    channel.settimeout(0)
    loop = asyncio.get_running_loop()
    while asked := await loop.sock_recv(channel, 1):
        answer = b""
        match asked:
            case b"q":
                await _quiet(server)
            case b"h":
                simulator.set_search_lag(HIDDEN_SECONDS)
            case _:
                answer = pickle.dumps(simulator)
        await loop.sock_sendall(channel, _LENGTH.pack(len(answer)) + answer)


async def _quiet(server: web.Server) -> None:
    looks = 0
    while looks < ROUNDS:
        await asyncio.sleep(LOOK_SECONDS)
        looks = 0 if server.connections else looks + 1
