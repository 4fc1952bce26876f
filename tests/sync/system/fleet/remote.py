"""A practice DokStamp as a process of its own, which is slow and remembers who asked when.

Every process of ours has a token of its own, so that the token tells the hosts apart.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any
from urllib.request import urlopen

from sync.simulator import Address, SimulatedRequest, SimulatedResponse, Simulator, serve_forever
from sync.simulator.message import json_response
from sync.simulator.verdict import Verdict
from tests.sync.system.commands import ROOT, DangerousSimulator
from tests.sync.system.fleet.journal import Call

CALLS = "/_fleet"
STOP_SECONDS = 5.0


class SlowSimulator(Simulator):
    """Answers after a while, what it was asked for has its effect at once."""

    def __init__(self, latency_seconds: float) -> None:
        super().__init__()
        self.latency_seconds = latency_seconds
        self.calls: list[Call] = []
        self._tokens: dict[str, int] = {}

    def handle(self, request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
        """Answer, and remember the call."""
        if request.path == CALLS:
            return json_response(200, {"calls": [asdict(call) for call in self.calls]})
        if request.path.startswith(("/_simulator", "/oauth/")):
            return super().handle(request, now=now)
        begun, known = time.monotonic(), len(self.journal.writes)
        response = super().handle(request, now=now)
        token = request.header("authorization")
        made = [self.journal.writes[at] for at in range(known, len(self.journal.writes))]
        self.calls.append(
            Call(
                caller=self._tokens.setdefault(token, len(self._tokens)),
                begun=begun,
                ended=begun + self.latency_seconds,
                method=request.method,
                path=request.path,
                asked=tuple(value.casefold() for _, value in request.query),
                wrote=tuple(f"{each.table}/{each.uuid}" for each in made),
            )
        )
        return replace(response, stall_seconds=self.latency_seconds)


class FarSimulator(DangerousSimulator):
    """What can be asked of a practice DokStamp in another process."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def records(
        self, table: str, *, tenant: str | None = None, with_deleted: bool = False
    ) -> list[dict[str, Any]]:
        """Return the stored records of a table as they truly are."""
        del tenant
        found: list[dict[str, Any]] = self._get(
            f"/_simulator/records/{table}{'?deleted=1' if with_deleted else ''}"
        )["data"]
        return found

    def verdict(self, *, tenant: str | None = None) -> Verdict:
        """Return the verdict over everything so far."""
        del tenant
        answer = self._get("/_simulator/verdict")
        return Verdict(**{each.name: answer[each.name] for each in fields(Verdict)})

    def calls(self) -> list[Call]:
        """Return every call for a resource so far, in the order of arrival."""
        return [Call.of(each) for each in self._get(CALLS)["calls"]]

    def _get(self, path: str) -> dict[str, Any]:
        with urlopen(self._url + path) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@asynccontextmanager
async def far_away(latency_seconds: float) -> AsyncIterator[tuple[FarSimulator, Address]]:
    """Start a practice DokStamp in another process; leaving ends it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, "--latency", str(latency_seconds)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        address = Address(told["host"], told["port"], Simulator().tenant)
        yield FarSimulator(address.url), address
    finally:
        process.terminate()
        await process.wait()


def _tell(address: Address) -> None:
    sys.stdout.write(json.dumps({"host": address.host, "port": address.port}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until this is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    simulator = SlowSimulator(parser.parse_args().latency)
    asyncio.run(serve_forever(simulator, on_ready=_tell))


if __name__ == "__main__":
    main()
