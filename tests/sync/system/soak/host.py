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
from tests.sync.system.soak.workload import event

REPORT_SECONDS: Final = 2.0
UNREPORTED_SECONDS: Final = 5
STATUS_EVERY: Final = 5
TICKS_PER_SECOND: Final = 10
IDLE_SECONDS_MAX: Final = 600.0
PLACES_TOLD: Final = 20
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Host:
    """Tells events at a rate, and how it fares."""

    def __init__(self, runtime: Runtime, *, first: int, per_second: int) -> None:
        self._runtime = runtime
        self._began = time.monotonic()
        self._number = first
        self._per_second = per_second
        # What the process before took and never reported is told again, whatever happens.
        self._least = first + UNREPORTED_SECONDS * per_second
        self._lag = LoopLag()
        self._slowest = 0.0
        self._refused = 0
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
                "kind": "rest", "number": self._number, "lag": rest.lag, "states": states,
                "seconds": time.monotonic() - began,
            })  # fmt: skip
        finally:
            for task in services:
                task.cancel()
            await asyncio.wait(services)

    async def _tell(self) -> None:
        due = time.monotonic()
        batch = max(1, self._per_second // TICKS_PER_SECOND)
        while not self._is_over or self._number < self._least:
            await self._record(batch)
            # Who falls behind does not catch up: the rate told is the rate reached.
            due = max(due + batch / self._per_second, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _record(self, count: int) -> None:
        began = time.monotonic()
        events = [event(number) for number in range(self._number, self._number + count)]
        # Of one record only one at a time: which comes first must be what the source says.
        while events:
            subjects: set[str] = set()
            together = [each for each in events if not _seen(each["subject"], subjects)]
            events = [each for each in events if each not in together]
            taken = await asyncio.gather(*(self._runtime.record(each) for each in together))
            self._refused += sum(bool(each.reasons) for each in taken)
        self._number += count
        self._slowest = max(self._slowest, time.monotonic() - began)

    async def _report(self) -> None:
        round_number = 0
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            round_number += 1
            report = {"kind": "sample", "number": self._number, **self._measures()}
            if round_number % STATUS_EVERY == 0:
                status = await self._runtime.status()
                report |= {"operations": status["operations"], "projection": status["projection"]}
            say(report)

    def _measures(self) -> dict[str, Any]:
        health = self._runtime.health()
        slowest, self._slowest = self._slowest, 0.0
        return {
            "age": time.monotonic() - self._began,
            "rss": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES,
            "threads": threading.active_count(),
            **_descriptors(),
            "tasks": len(asyncio.all_tasks()),
            **self._lag.take(),
            "places": dict(self._lag.places.most_common(PLACES_TOLD)),
            "slowest_record": slowest,
            "refused": self._refused,
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


def _seen(subject: str, subjects: set[str]) -> bool:
    is_seen = subject in subjects
    subjects.add(subject)
    return is_seen


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
