"""The canary's ledger: commands in one process after another, and every byte that they leave."""

import asyncio
import json
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
from tests.sync.system.canary.echoing import EchoingSimulator
from tests.sync.system.canary.story import meet_strangers
from tests.sync.system.commands import Ended, Station, ended
from tests.sync.system.strangers import Strangers

MANY = """
import json, sys
from sync.cli.main import main
for words in json.loads(sys.argv[1]):
    for _ in range(12 if "sync" in words else 1):
        code = main(words)
        print(f"{words[3]} ends with {code}", flush=True)
        if code != 75:
            break
"""
"""Many commands in one process: starting one costs more than running it. 75 asks for another."""
QUICK = {
    "SETTLE_SECONDS": "0.1",
    "PATIENCE_SECONDS": "15",
    "CIRCUIT_PROBE_SECONDS": "0.2",
    "REQUEST_TIMEOUT_SECONDS": "1",
}


@dataclass(slots=True)
class Canary:
    """A station whose every word is kept."""

    station: Station
    simulator: EchoingSimulator
    said: list[tuple[str, Ended]] = field(default_factory=list)
    stories: Ended = field(default=Ended(0, "", ""))
    export: Ended = field(default=Ended(0, "", ""))
    """What was asked for in order to see what is sealed."""

    async def tell(self, *commands: Sequence[str]) -> Ended:
        """Run these commands with everything logged, and keep what they say."""
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
        self.said.append((" | ".join(" ".join(words[:3]) for words in commands), found))
        return found

    async def rows(self, *words: str) -> list[dict[str, Any]]:
        """Return the rows that one command lists, a line each."""
        lines = (await self.tell([*words, "--jsonl"])).output.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def left(self) -> list[tuple[str, bytes]]:
        """Return everything that the ledger keeps: its files, and its tables on a server."""
        files = _files(self.station.folder)
        served = dict(files).get(SERVED)
        return files if served is None else files + await _tables(served.decode())


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


@asynccontextmanager
async def watched(home: Path) -> AsyncIterator[Canary]:
    """Give a place for a ledger, and a practice DokStamp that repeats what it is told."""
    simulator = echoing()
    async with serve(simulator) as address:
        yield Canary(Station(home, simulator, address, dict(QUICK)), simulator)
