"""The canary's ledger: commands in one process after another, and every byte that they leave."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import make_url

from ledger.testing import SERVED
from sync.simulator import serve
from tests.architecture.source import ROOT
from tests.postgresql import ServerLog
from tests.sync.system.canary.echoing import EchoingSimulator
from tests.sync.system.canary.story import meet_strangers
from tests.sync.system.commands import Station, ended
from tests.sync.system.strangers import Strangers

MANY = """
import json, sys
from sync.cli.main import main
for words in json.loads(sys.argv[1]):
    for _ in range(12 if "sync" in words else 1):
        code = main(words)
        if code != 75:
            break
    print(f"\\n{words[3]} ends with {code}", flush=True)
"""
"""Many commands in one process: starting one costs more than running it. 75 asks for another."""
QUICK = {
    "SETTLE_SECONDS": "0.1",
    "PATIENCE_SECONDS": "15",
    "CIRCUIT_PROBE_SECONDS": "0.2",
    "REQUEST_TIMEOUT_SECONDS": "1",
}


END = re.compile(r"^\w+ ends with \d+$", re.MULTILINE)


@dataclass(slots=True)
class Canary:
    """A station whose every word is kept."""

    station: Station
    simulator: EchoingSimulator
    server_log: ServerLog | None = None
    said: list[tuple[str, str]] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    export: str = ""
    """What was asked for in order to see what is sealed."""

    async def tell(self, *commands: Sequence[str], discloses: bool = False) -> list[str]:
        """Run these commands with everything logged, and return what each of them printed.

        What is printed is kept to be searched, unless it is to show what is sealed.
        """
        given = [["--debug", "--log-format", "json", *words] for words in commands]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "default", "-c", MANY, json.dumps(given)),
            cwd=ROOT,
            env=self.station.environment() | {"PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        found = await ended(process)
        printed = END.split(found.output)
        assert len(printed) == len(commands) + 1, found.errors
        names = [" ".join(words[:3]) for words in commands]
        self.said.append((f"standard error of {' | '.join(names)}", found.errors))
        if not discloses:
            self.said += [
                (f"standard output of {name}", each)
                for name, each in zip(names, printed, strict=False)
            ]
        return printed[:-1]

    async def left(self) -> list[tuple[str, bytes]]:
        """Return all that the ledger leaves: its files, and on a server its tables and the log."""
        files = _files(self.station.folder)
        served = dict(files).get(SERVED)
        if served is None:
            return files
        logged = self.server_log.read() if self.server_log is not None else b""
        return [*files, ("the server's log", logged), *await _tables(served.decode())]


def _files(folder: Path) -> list[tuple[str, bytes]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.name, path.read_bytes()) for path in paths]


async def _tables(address: str) -> list[tuple[str, bytes]]:
    url = make_url(address)
    options = {**url.translate_connect_args(username="user"), **url.query}
    options.pop("schema", None)
    connection = await asyncpg.connect(**options)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'dokstamp%'"
        )
        assert tables
        found = []
        for schema, table in tables:
            rows = await connection.fetch(f'SELECT * FROM "{schema}"."{table}"')
            found.append((f"{schema}.{table}", b"\n".join(_flat(v) for row in rows for v in row)))
        return found
    finally:
        await connection.close()


def _flat(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def echoing() -> EchoingSimulator:
    """Return a practice DokStamp in trouble, where somebody else has an address of ours."""
    simulator = EchoingSimulator()
    echoes, simulator.echoes_max = simulator.echoes_max, 0
    meet_strangers(Strangers(simulator, now=datetime.now(UTC)))
    simulator.echoes_max = echoes
    return simulator


def rows_of(printed: str) -> list[dict[str, Any]]:
    """Return the rows that one command listed, a line each."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


@asynccontextmanager
async def watched(home: Path) -> AsyncIterator[Canary]:
    """Give a place for a ledger, and a practice DokStamp that repeats what it is told."""
    simulator = echoing()
    server_log = await talkative(home)
    async with serve(simulator) as address:
        station = Station(home, simulator, address, dict(QUICK))
        yield Canary(station, simulator, server_log=server_log)


async def talkative(home: Path) -> ServerLog | None:
    """Let the server of a ledger log all it can, and return what it will have logged."""
    served = home / SERVED
    return await ServerLog.of(make_url(served.read_text())) if served.exists() else None
