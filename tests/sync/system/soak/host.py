"""A host that embeds a runtime, tells it events all the time, and reports how it fares.

Its only argument is a JSON object: `settings`, `first`, `per_second`. It writes a line of JSON
every two seconds. A line on its standard input ends the telling: it waits until all is done then,
says what remains, and stops.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sync.cli.steady import be_steady
from sync.runtime.runtime import Runtime
from sync.runtime.settings import Settings
from tests.sync.system.soak.lag import LoopLag
from tests.sync.system.soak.telling import Telling

REPORT_SECONDS: Final = 2.0
UNREPORTED_SECONDS: Final = 5
STATUS_EVERY: Final = 5
IDLE_SECONDS_MAX: Final = 600.0
PLACES_TOLD: Final = 20
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Host:
    """Tells events at a rate, and how it fares."""

    def __init__(self, runtime: Runtime, *, first: int, per_second: int) -> None:
        self._runtime = runtime
        self._began = time.monotonic()
        self._telling = Telling(runtime, first=first, per_second=per_second)
        # What the process before took and never reported is told again, whatever happens.
        self._least = first + UNREPORTED_SECONDS * per_second
        self._lag = LoopLag()
        self._is_over = False

    async def live(self, orders: asyncio.StreamReader) -> None:
        """Tell events until a line comes in, then wait until all is done."""
        services = [asyncio.create_task(self._lag.beat()), asyncio.create_task(self._report())]
        telling = asyncio.create_task(self._tell())
        try:
            await orders.readline()
            # What was begun is told to its end: it counts as told.
            self._is_over = True
            await telling
            began = time.monotonic()
            rest = await self._runtime.idle(patience_seconds=IDLE_SECONDS_MAX)
            states = {state.value: count for state, count in rest.states.items()}
            say({
                "kind": "rest", "number": self._telling.number, "lag": rest.lag, "states": states,
                "seconds": time.monotonic() - began,
            })  # fmt: skip
        finally:
            for task in services:
                task.cancel()
            await asyncio.wait(services)

    async def _tell(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._is_over or self._telling.number < self._least:
                await self._telling.tell(group)

    async def _report(self) -> None:
        round_number = 0
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            round_number += 1
            report = {"kind": "sample", "number": self._telling.number, **self._measures()}
            if round_number % STATUS_EVERY == 0:
                status = await self._runtime.status()
                report |= {"operations": status["operations"], "projection": status["projection"]}
            say(report)

    def _measures(self) -> dict[str, Any]:
        health = self._runtime.health()
        return {
            "age": time.monotonic() - self._began,
            "rss": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES,
            "threads": threading.active_count(),
            **_descriptors(),
            "tasks": len(asyncio.all_tasks()),
            **self._lag.take(),
            "places": dict(self._lag.places.most_common(PLACES_TOLD)),
            "slowest_record": self._telling.take_slowest(),
            "refused": self._telling.refused,
            "circuit": health.circuit,
            "deaths": {each.name: each.last_error for each in health.services if each.deaths},
        }


def _descriptors() -> dict[str, int]:
    """Return how many files and how many sockets are open."""
    kinds = Counter(_is_socket(each) for each in Path("/proc/self/fd").iterdir())
    return {"descriptors": kinds[False], "sockets": kinds[True]}


def _is_socket(descriptor: Path) -> bool | None:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except OSError:
        # Another thread has just closed it.
        return None


def say(told: Mapping[str, Any]) -> None:
    """Write a line for who watches."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def main(given: Mapping[str, Any]) -> None:
    """Live as the argument says."""
    orders = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    settings = Settings.load(environment={}, **given["settings"])
    async with Runtime(settings) as runtime:
        host = Host(runtime, first=given["first"], per_second=given["per_second"])
        be_steady()
        say({"kind": "started"})
        await host.live(orders)
    say({"kind": "stopped"})


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
