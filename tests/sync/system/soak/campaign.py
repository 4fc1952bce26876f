"""A long run: a host at work, a practice DokStamp with faults, kills, outages, and the truth."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sync.simulator import parse_faults
from sync.simulator.outage import Outage
from tests.sync.system.commands import ROOT, Station
from tests.sync.system.soak.figures import Figures
from tests.sync.system.soak.workload import all_told
from tests.sync.system.truth import Truth

KILL_SECONDS: Final = 60.0
STEP_SECONDS: Final = 0.5
REST_SECONDS_MAX: Final = 1800.0
FAULTS: Final = (
    "cut_after:probability=0.003;error_after:probability=0.003;error_before:probability=0.005;"
    "late:probability=0.001,seconds=2;stall_after:probability=0.01,seconds=1;"
    "throttle:probability=0.003,retry_after=seconds,seconds=1;"
    "cut_before:probability=0.003,method=GET;html_before:probability=0.002,method=GET"
)
# What is written takes effect at once: an effect later than the settle window after a kill would
# be the remaining risk that nobody can exclude (G5), and not what is looked for here.
DEAF: Final = "stall_after:method=writes,seconds=20;stall_before:method=GET,seconds=20"
OUTAGES: Final = ((0.20, "cut"), (0.45, "503"), (0.70, "deaf"))
"""When in the run, and how; each lasts a twentieth of it."""
OUTAGE_SHARE: Final = 0.05
CHANGES: Final = {
    "DURABILITY": "full",
    "SETTLE_SECONDS": "5",
    "REQUEST_TIMEOUT_SECONDS": "10",
    "LEASE_SECONDS": "20",
    "MASS_CHANGE_PERCENT": "100",
}
READ_BYTES_MAX: Final = 2**22
FAULTS_MAX: Final = 50
UNFINISHED: Final = frozenset({"blocked", "ready", "leased", "uncertain", "held", "dead"})


@dataclass(frozen=True, slots=True)
class Terms:
    """How long, how much, and what befalls it."""

    minutes: float = 30.0
    per_second: int = 50
    kills: bool = True
    faults: bool = True
    told: Callable[[str], None] = field(default=lambda _: None)

    @property
    def seconds(self) -> float:
        """How long events are told."""
        return self.minutes * 60


@dataclass(slots=True)
class Soak:
    """One run, and what it measured."""

    station: Station
    terms: Terms
    figures: Figures = field(default_factory=Figures)
    number: int = 0
    lives: int = 0
    kills: int = 0
    rest: dict[str, Any] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _process: asyncio.subprocess.Process | None = None
    _is_resting: bool = False
    _heard: "asyncio.Task[None] | None" = None
    _places: Counter[str] = field(default_factory=Counter)

    @property
    def age(self) -> float:
        """How many seconds the run has gone on."""
        return time.monotonic() - self._began

    async def run(self) -> None:
        """Tell events for as long as the terms say, wait until all is done, and look."""
        next_kill, is_out = KILL_SECONDS, ""
        await self._start()
        while self.age < self.terms.seconds:
            await asyncio.sleep(STEP_SECONDS)
            is_out = self._weather(is_out)
            self._look_at_files()
            if self._heard is not None and self._heard.done():
                await self._ended("died by itself")
                await self._start()
            elif self.terms.kills and self.age > next_kill:
                next_kill += KILL_SECONDS
                await self._kill()
                await self._start()
        self._clear()
        await self._come_to_rest()
        await self._judge()

    async def _start(self) -> None:
        given = {
            "settings": _given(self.station.environment()),
            "first": self.number,
            "per_second": self.terms.per_second,
        }
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.sync.system.soak.host", json.dumps(given)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
            limit=READ_BYTES_MAX,
        )
        self.lives += 1
        self._heard = asyncio.create_task(self._hear(self._process))

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            report = json.loads(line)
            self.number = report.get("number", self.number)
            match report["kind"]:
                case "sample":
                    self._places = Counter(report["places"])
                    if not self._is_resting:
                        self.figures.take(self.age, report, life=self.lives)
                    self.terms.told(self._line(report))
                case "rest":
                    self.rest = report

    def _line(self, report: Mapping[str, Any]) -> str:
        states = report.get("operations", {})
        owed = {name: count for name, count in states.items() if count and name != "done"}
        return (
            f"{self.age:6.0f} s  life {self.lives:2}  event {self.number:6}  "
            f"{report['rss'] / 2**20:5.0f} MiB  {report['threads']:2} threads  "
            f"{report['descriptors']:3} files  WAL {self.figures.wal_bytes / 2**20:4.0f} MiB  "
            f"{report['circuit']}  {owed or ''}"
        )

    async def _kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.kills += 1
        await self._ended("")

    async def _ended(self, why: str) -> None:
        assert self._process is not None
        assert self._heard is not None
        await self._heard
        code = await self._process.wait()
        self.figures.places.update(self._places)
        self._places.clear()
        if why or (code != 0 and self._is_resting):
            self.figures.faults.append(f"the host {why or 'ended'} with {code}")

    def _weather(self, is_out: str) -> str:
        """Let outages come and go, and faults between them; returns which outage it is."""
        share = self.age / self.terms.seconds
        due = next((how for at, how in OUTAGES if at <= share < at + OUTAGE_SHARE), "")
        due = due if self.terms.faults else ""
        if due == is_out and self.age > STEP_SECONDS * 2:
            return is_out
        simulator = self.station.simulator
        simulator.world.outage = Outage(mode=due) if due in {"cut", "503"} else None
        faults = DEAF if due == "deaf" else FAULTS
        simulator.set_faults(*(parse_faults(faults) if self.terms.faults else ()))
        if due != is_out:
            self.terms.told(f"{self.age:6.0f} s  outage: {due or 'over'}")
        return due

    def _clear(self) -> None:
        self.station.simulator.world.outage = None
        self.station.simulator.set_faults()

    def _look_at_files(self) -> None:
        for file in self.station.folder.glob("*-wal"):
            self.figures.wal_bytes = max(self.figures.wal_bytes, file.stat().st_size)

    async def _come_to_rest(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._heard is not None
        self._is_resting = True
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        done, _ = await asyncio.wait([self._heard], timeout=REST_SECONDS_MAX)
        if not done:
            self.figures.faults.append("the host did not come to rest")
            self._process.kill()
        await self._ended("")

    async def _judge(self) -> None:
        faults = self.figures.faults
        left = {n: c for n, c in self.rest.get("states", {}).items() if n in UNFINISHED and c}
        if left or not self.rest or self.rest["lag"]:
            faults.append(f"left undone: {left or self.rest}")
        simulator = self.station.simulator
        faults += Truth(simulator, all_told(self.number)).differences()[:FAULTS_MAX]
        verdict = simulator.verdict()
        faults += [f"verdict: {count} {name}" for name, count in verdict.faults.items()]
        self.verdict = {"requests": dict(verdict.requests), "statuses": dict(verdict.statuses)}
        for words in (("audit", "verify"), ("rebuild", "--check")):
            ended = await self.station.run(*words, "--json")
            self.terms.told(f"{self.age:6.0f} s  {' '.join(words)}: {ended.output.strip()}")
            if ended.code:
                faults.append(f"{' '.join(words)} ended with {ended.code}: {ended.errors[-500:]}")


def _given(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return settings out of an environment, as a host gives them."""
    prefix = "DOKSTAMP_"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }
