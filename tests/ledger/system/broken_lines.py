"""A line to a server that breaks where a test wants it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL

from ledger.database import Server

COMMIT = b"COMMIT;"
"""With its end: a transaction also begins by asking for READ COMMITTED."""


@dataclass
class Line:
    """Passes on what client and server say, until it is told to lose the answer to a commit."""

    address: URL
    losses: int = 0
    """How many commits' answers are still to be lost."""
    lost: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand between one client and the server."""
        folder, port = self.address.query.get("host"), self.address.port or 5432
        if folder:
            theirs = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        else:
            theirs = await asyncio.open_connection(self.address.host, port)
        is_committing = asyncio.Event()
        self._writers += [writer, theirs[1]]
        await asyncio.gather(
            self._ask(reader, theirs[1], is_committing),
            self._answer(theirs[0], writer, is_committing),
        )

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_committing: asyncio.Event,
    ) -> None:
        while said := await _heard(reader):
            if self.losses and COMMIT in said:
                is_committing.set()
            writer.write(said)
        writer.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_committing: asyncio.Event,
    ) -> None:
        while said := await _heard(reader):
            if is_committing.is_set():
                # It is committed by now, and nobody is told.
                self.losses, self.lost = self.losses - 1, self.lost + 1
                break
            writer.write(said)
        writer.close()

    def close(self) -> None:
        """Hang up on everybody."""
        for writer in self._writers:
            writer.close()


async def _heard(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(1 << 16)
    except ConnectionError:
        return b""


@asynccontextmanager
async def broken_line(server: Server) -> AsyncIterator[tuple[Line, Server]]:
    """Give a line to a server, and the address at its near end."""
    line = Line(server.url)
    listening = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    url = server.url.set(host="127.0.0.1", port=port, query={})
    try:
        yield line, Server(url, server.schema)
    finally:
        line.close()
        listening.close()
        await listening.wait_closed()
