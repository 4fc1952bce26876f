"""A practice DokStamp as a process of its own behind a door that fails in every way."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Final

from sync.simulator import Simulator, http_server, parse_faults

REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
)
PIECE_BYTES: Final = 65_536


class Door:
    """Lets connections through, refuses them, leaves them without an answer, or is closed."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._mode = "up"
        self._port = 0
        self.heard = 0
        """How many requests met it while it let none through."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> int:
        """Begin to listen and return the port; it is the same each time."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self._port

    async def turn(self, mode: str) -> None:
        """Change how it behaves; connections that are open end."""
        self._mode = mode
        for writer in list(self._open):
            writer.close()
        if self._server is not None:
            self._server.close()
            self._server = None
        if mode != "down":
            await self.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError):
                await self._answer(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "up":
            there, back = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
            return
        if await reader.read(PIECE_BYTES):
            self.heard += 1
        if self._mode == "refusing":
            writer.write(REFUSAL)
            await writer.drain()
        while self._mode == "silent" and await reader.read(PIECE_BYTES):
            pass


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until the input ends; each line is a word and what goes with it, see `_obey`."""
    simulator = Simulator()
    async with http_server.serve(simulator) as address:
        door = Door(address.port)
        tenant = address.tenant
        port = await door.open()
        _say(
            {
                "url": f"http://127.0.0.1:{port}",
                "tenant": tenant.domain,
                "client_id": tenant.client_id,
                "client_secret": tenant.client_secret,
            }
        )
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            _say(await _obey(simulator, door, line))


async def _obey(simulator: Simulator, door: Door, line: str) -> object:
    """Do what a line says: a mode turns the door, the rest asks or changes the practice service."""
    word, _, rest = line.partition(" ")
    match word:
        case "verdict":
            return {"faults": dict(simulator.verdict().faults)}
        case "heard":
            return {"heard": door.heard}
        case "limit":
            simulator.set_switches(rate_limit=rest)
        case "faults":
            simulator.set_faults(*parse_faults(rest))
        case _:
            await door.turn(word)
    return {"done": line}


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
