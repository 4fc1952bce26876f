"""One seed from its first event to its verdict."""

import asyncio
import json
from collections import Counter
from random import Random
from typing import Final

from sqlalchemy import Connection

from ledger import checkpoints
from ledger.home import read_generation
from ledger.log import store as log_store
from ledger.outbox import gate_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import RECHECK, State
from ledger.reference import Scope
from ledger.transaction import PROJECTOR
from sync.runtime.settings import Settings
from sync.simulator.authentication import PRACTICE_TENANT
from tests.simulation.faults import DAY, LEASE_SECONDS, FaultPlan, Incident
from tests.simulation.history import displaced, history
from tests.simulation.host import Host
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network
from tests.simulation.place import InlineAddress, Traffic, stores, template
from tests.simulation.product import SOUND, Product
from tests.simulation.workload import Told

STEPS: Final = (2, 4, 6, 10, 16)
LOOKS: Final = 5.0
REST_SECONDS_MAX: Final = 4 * 86_400.0
"""How long after the last fault everything may take to come to rest."""
DELIVERY_SECONDS: Final = 40.0
UNSETTLED: Final = (State.READY, State.LEASED, State.UNCERTAIN)
LOOKS_MAX: Final = 1_000
LEDGER: Final = 1


class Simulation:
    """A practice service, a network, a ledger, its hosts, and what befalls them."""

    def __init__(self, plan: FaultPlan, loop: VirtualLoop, product: Product = SOUND) -> None:
        self.plan = plan
        self.product = product
        self.loop = loop
        self.rng = Random(f"run {plan.seed}")
        self.network = Network(loop, plan, Random(f"network {plan.seed}"))
        self.traffic = Traffic(
            loop,
            Random(f"traffic {plan.seed}"),
            is_shared=plan.hosts > 1,
            busy_share=plan.busy_share,
        )
        made = template()
        self.main, self.vault = stores()
        self.main.fill(made.main)
        self.vault.fill(made.vault)
        self.key_file = made.key_file
        self.told = history(plan.seed, steps=self.rng.choice(STEPS), reorders=plan.reorders)
        self.counts: Counter[str] = Counter({"source event out of its turn": displaced(self.told)})
        self.violations: list[str] = []
        self.happened: list[tuple[float, str]] = []
        self.hosts = [self._host(number) for number in range(plan.hosts)]

    def _host(self, number: int) -> Host:
        return Host(
            f"host{number}",
            loop=self.loop,
            address=self.address(self.traffic),
            network=self.network,
            settings=_settings(self.plan),
            poll_seconds=self.plan.poll_seconds,
            entropy_seed=self.plan.seed * 10 + number,
            product=self.product,
        )

    def address(self, traffic: Traffic | None = None) -> InlineAddress:
        """Return where the ledger is; without traffic nothing takes time there."""
        return InlineAddress.of(self.main, self.vault, key_file=self.key_file, traffic=traffic)

    async def run(self) -> None:
        """Let everything happen, and wait until all is at rest."""
        for host in self.hosts:
            host.start()
        befalling = [asyncio.create_task(self._befall(each)) for each in self.plan.incidents]
        await self._feed()
        await asyncio.gather(*befalling)
        self.network.calm_down()
        self.traffic.busy_share = 0.0
        await self._rest()
        for host in self.hosts:
            await host.stop()
            self.violations += host.unexpected
        self.violations += self.loop.faults
        self._count_deaths()

    def _count_deaths(self) -> None:
        for host in self.hosts:
            for process in host.all_processes:
                if process.was_killed:
                    self.counts[f"crash {process.died_in}"] += 1

    async def _feed(self) -> None:
        moments = sorted(self.rng.uniform(0, self.plan.horizon * 0.9) for _ in self.told)
        if self.rng.random() < 0.5:
            moments = [moment * 0.2 for moment in moments]
        for moment, told in zip(moments, self.told, strict=True):
            await asyncio.sleep(max(0.0, moment - self.loop.time()))
            await self._deliver(told)

    async def _deliver(self, told: Told) -> None:
        """Offer an event until somebody says that it is in the log: at least once, so."""
        line = json.dumps(told.event).encode()
        if told.is_again:
            self.counts["source event repeated"] += 1
        for _ in range(10_000):
            up = [host for host in self.hosts if host.is_up]
            if up:
                host = self.rng.choice(up)
                intake = await host.record(line, patience_seconds=DELIVERY_SECONDS)
                if intake is not None:
                    self._note_intake(told, intake.value)
                    return
                self.counts["source event offered again"] += 1
            await asyncio.sleep(1)
        self.violations.append(f"event {told.event['id']} could not be recorded")

    def _note_intake(self, told: Told, verdict: str) -> None:
        if verdict not in {"taken", "duplicate"}:
            self.violations.append(f"event {told.event['id']} was answered {verdict}")

    async def _befall(self, incident: Incident) -> None:
        await asyncio.sleep(incident.at)
        host = self.hosts[incident.host]
        self._note(f"{incident.kind} {host.name} {incident.seconds:.1f} s {incident.detail}")
        match incident.kind:
            case "crash":
                await self._crash(host, incident)
            case "restart":
                if host.is_up:
                    self.counts["host stopped and started"] += 1
                    await host.stop()
                    await self._start_again(host, incident.seconds)
            case "pause":
                await self._pause(host, incident.seconds)
            case "clock" if incident.detail and host.process is not None:
                seconds, name = incident.seconds, host.process.name
                moments = {"doubt": self.network.on_doubt, "settle": self.network.on_settling}
                moments[incident.detail][name] = lambda: self._jump(host, seconds)
            case "clock":
                self._jump(host, incident.seconds)
            case _:
                await self._outage(incident)

    def _jump(self, host: Host, seconds: float) -> None:
        self._note(f"the clock of {host.name} jumps by {seconds:.0f} s")
        self.counts[f"clock of one host set {'forward' if seconds > 0 else 'back'}"] += 1
        host.clock.off_seconds += seconds

    def _note(self, what: str) -> None:
        self.happened.append((self.loop.time(), what))

    async def _crash(self, host: Host, incident: Incident) -> None:
        if host.process is None or host.process.is_dead:
            return
        if incident.detail == "step":
            host.process.kill_after(incident.count)
        else:
            host.process.watch(incident.detail, steps=incident.count)
        await asyncio.sleep(incident.seconds)
        host.kill()
        self._note(f"{host.name} is dead")
        await self._start_again(host, self.rng.choice((0.1, 2.0, 50.0, 150.0)))

    async def _start_again(self, host: Host, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if host.process is None or host.process.is_dead:
            host.start()

    async def _pause(self, host: Host, seconds: float) -> None:
        process = host.process
        if process is None or process.is_dead:
            return
        self.counts[f"pause {'longer' if seconds > LEASE_SECONDS else 'shorter'} than a lease"] += 1
        process.is_stopped = True
        await asyncio.sleep(seconds)
        self.loop.resume(process)

    async def _outage(self, incident: Incident) -> None:
        self.counts[f"outage of {_length(incident.seconds)} ({incident.detail})"] += 1
        self.network.outage = incident.detail
        await asyncio.sleep(incident.seconds)
        self.network.outage = ""

    async def _rest(self) -> None:
        ends_at, quiet = self.loop.time() + REST_SECONDS_MAX, 0
        pause = LOOKS
        while quiet < 3:
            if self.loop.time() > ends_at:
                self.violations.append(f"it did not come to rest: {self._unrest()}")
                return
            await asyncio.sleep(pause)
            pause = min(600.0, pause * 1.2)
            self._help()
            unrest = self._unrest()
            quiet = 0 if unrest else quiet + 1

    def _help(self) -> None:
        """Do what a supervisor does: start anew what stopped by itself."""
        for host in self.hosts:
            is_gone = host.process is None or host.process.is_dead
            if host.needs_help:
                self.counts["host started anew by its supervisor"] += 1
                self._note(f"{host.name} is started anew")
                host.kill()
            if is_gone or host.process is None or host.process.is_dead:
                host.start()

    def _unrest(self) -> dict[str, int]:
        found = self.main.read(_unrest)
        looks = self.main.read(_looks) if self.plan.awaits_looks else 0
        if looks:
            found["looks"] = looks
        if self.network.under_way:
            found["requests"] = self.network.under_way
        return found


def _length(seconds: float) -> str:
    if seconds > DAY / 4:
        return "hours to days"
    return "minutes" if seconds > 60 else "seconds"


def _unrest(connection: Connection) -> dict[str, int]:
    scope = _scope(connection)
    states = outbox_store.count_by_state(connection, scope)
    found = {state.value: states[state] for state in UNSETTLED if states.get(state)}
    after = checkpoints.read(connection, scope, name=PROJECTOR)
    lag, _ = log_store.count_sources(connection, scope.ledger, after=after)
    if lag:
        found["lag"] = lag
    if gate_store.has_wakes(connection, scope):
        found["wakes"] = 1
    return found


def _looks(connection: Connection) -> int:
    """Count looks that will come; one that is blocked waits for what a person has to decide."""
    scope = _scope(connection)
    page = outbox_store.read_page(connection, scope, states=list(UNSETTLED), limit=LOOKS_MAX)
    return sum(1 for each in page if each.kind == RECHECK)


def _scope(connection: Connection) -> Scope:
    """Return whose rows are live."""
    return Scope(LEDGER, read_generation(connection, LEDGER))


def _settings(plan: FaultPlan) -> Settings:
    tenant = PRACTICE_TENANT
    return Settings.load(
        environment={},
        ledger_database="simulated.db",
        base_url="https://dokstamp.test",
        tenant=tenant.domain,
        client_id=tenant.client_id,
        client_secret=tenant.client_secret,
        requests_per_second_max=plan.per_second_max,
        lease_seconds=LEASE_SECONDS,
        settle_seconds=plan.settle_seconds,
        circuit_probe_seconds=plan.probe_seconds,
        mass_change_floor=1000,
        issue_style="both",
    )
