"""The network between hosts and the practice service: latency, loss, and everything between.

A request that left takes effect whatever becomes of who sent it. Every request is kept as a
`Flight`: when it left, when it took effect, and what of it its sender ever heard. Together with the
practice service's journal that is the truth the checker judges by.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from urllib.parse import unquote, urlsplit

from ledger.clock import START_OF_MANUAL_TIME, Clock
from sync.dokstamp.answer import Fault
from sync.dokstamp.wire import Incoming, Outgoing
from sync.simulator import SimulatedRequest, SimulatedResponse, Switches
from sync.simulator.journal import Journal
from sync.simulator.world import World
from tests.simulation.fates import Circumstances, Fate, draw_fate, late_beyond, struck_by
from tests.simulation.faults import DAY, WORDS, FaultPlan
from tests.simulation.flight import Flight, content_of, request_of
from tests.simulation.loop import RUNNING, VirtualLoop

DOUBTFUL: Final = frozenset({"late", "lost_answer", "half_open", "reset_after", "reset_before"})
BEYOND: Final = "late_beyond"
KEPT: Final = frozenset(
    {"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
)


class Network:
    """Carries requests to the practice service, as well as the seed lets it."""

    def __init__(self, loop: VirtualLoop, plan: FaultPlan, rng: Random) -> None:
        self.world = World(switches=Switches(**plan.switches))
        self.world.search_lag_seconds = plan.search_lag
        self.world.gatekeeper.tokens.lifetime_seconds = plan.token_seconds
        self.flights: list[Flight] = []
        self.counts: Counter[str] = Counter()
        self.outage = ""
        self.is_calm = False
        self._loop = loop
        self._plan = plan
        self._rng = rng
        self._world_rng = Random(f"world {plan.seed}")
        self._alarm: asyncio.TimerHandle | None = None
        self.on_doubt: dict[str, Callable[[], None]] = {}
        """What happens once a process has sent a request of unknown outcome."""
        self.on_settling: dict[str, Callable[[], None]] = {}
        """What happens while a process waits for a late effect of a request."""
        self.under_way = 0
        self._made_at = -DAY

    @property
    def now(self) -> datetime:
        """The service's own clock, which is right."""
        return START_OF_MANUAL_TIME + timedelta(seconds=self._loop.time())

    def come_to(self, moment: str, flight: Flight) -> None:
        """Note how far a request is that may change a record."""
        if flight.is_unsafe:
            flight.process.come_to(moment)

    @property
    def has_beyond(self) -> bool:
        """Whether an effect came when nobody could know of it any more."""
        return any(each.is_beyond for each in self.flights)

    @property
    def made_beyond(self) -> frozenset[str]:
        """The records that were made when nobody waited for them any more."""
        return frozenset(each.created for each in self.flights if each.is_beyond and each.created)

    def calm_down(self) -> None:
        """Let nothing more go wrong."""
        self.is_calm, self.outage = True, ""
        self.world.search_lag_seconds = 0.0

    def depart(self, outgoing: Outgoing, started_at: datetime, timeout: float) -> Flight:
        """Note that a request leaves."""
        process = RUNNING.get()
        assert process is not None, "only hosts send"
        url, now = urlsplit(outgoing.url), self._loop.time()
        flight = Flight(
            len(self.flights),
            process,
            outgoing.method,
            unquote(url.path),
            url.query,
            content_of(outgoing),
            now,
            started_at,
            now + timeout,
        )
        self.flights.append(flight)
        return flight

    def carry(self, flight: Flight, outgoing: Outgoing) -> "asyncio.Future[Incoming]":
        """Send a request on its way and return what will be heard of it."""
        heard: asyncio.Future[Incoming] = self._loop.create_future()
        fate = self._fate(flight)
        flight.fate = fate.kind
        if fate.kind and fate.kind != BEYOND:
            self.counts[fate.told or WORDS[fate.kind]] += 1
        if fate.kind in DOUBTFUL and flight.is_unsafe:
            self._doubt(flight)
        if fate.revokes_tokens:
            self.world.gatekeeper.tokens.expire_all()
        carried = _Carried(self, flight, fate, request_of(outgoing, flight), heard)
        self.come_to("sent", flight)
        if fate.effect_after is not None:
            self.under_way += 1
            self._later(fate.effect_after, carried.strike)
        if fate.answer_after is not None:
            self._later(fate.answer_after, carried.answer)
        return heard

    def _doubt(self, flight: Flight) -> None:
        act = self.on_doubt.pop(flight.process.name, None)
        if act is not None:
            left = flight.ends_at - self._loop.time()
            self._later(left * self._rng.random() + 3 * self._rng.random(), act)

    def hear(self, flight: Flight, incoming: Incoming) -> None:
        """Note what the sender of a request takes for its answer."""
        flight.heard_at = self._loop.time()
        flight.heard_status, flight.heard_fault = incoming.status, str(incoming.fault)
        if flight.is_unsafe and flight.fate in DOUBTFUL:
            act = self.on_settling.pop(flight.process.name, None)
            if act is not None:
                self._later(5 * self._rng.random(), act)

    def _fate(self, flight: Flight) -> Fate:
        if self.outage:
            return struck_by(self.outage, self._rng)
        share = 0.0 if self.is_calm else self._plan.wire_share
        left = flight.ends_at - self._loop.time()
        lag = self.world.search_lag_seconds
        about = Circumstances(self._rng, left, self.now, lag)
        beyond = 0.0 if self.is_calm or not flight.is_unsafe else self._plan.beyond_share
        if beyond and self._rng.random() < beyond:
            return late_beyond(about)
        return draw_fate(self._plan.wire, share, about)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._loop.call_later(seconds, act, context=self._loop.outside.copy())

    def handle(self, flight: Flight, request: SimulatedRequest) -> SimulatedResponse:
        """Let a request take effect now."""
        self._count_lag(flight)
        response = self.world.handle(request, now=self.now, rng=self._world_rng)
        flight.effect_at, flight.effect_status = self._loop.time(), response.status
        journal = self.world.journal
        flight.request_number = journal.requests[-1].number
        written = journal.writes[-1] if journal.writes else None
        if written is not None and written.request == flight.request_number:
            flight.created = _made(flight, journal)
            self._made_at = self._loop.time() if flight.created else self._made_at
        if flight.fate == BEYOND and flight.is_beyond:
            # Not when it is drawn, for many such a request comes to nothing in the end.
            self.counts[WORDS[BEYOND]] += 1
        if response.status == 401 and flight.is_authorised:
            self.counts["401 answered to a call"] += 1
        self._set_alarm()
        return response

    def _count_lag(self, flight: Flight) -> None:
        """Count a list that may not show yet what was just made."""
        lag = self.world.search_lag_seconds
        if flight.method == "GET" and lag and self._loop.time() - self._made_at < lag:
            self.counts["list that lags behind"] += 1

    def _set_alarm(self) -> None:
        due = self.world.next_due
        if due is not None and self._alarm is None:
            seconds = max(0.0, (due - self.now).total_seconds())
            self._alarm = self._loop.call_later(
                seconds, self._ring, context=self._loop.outside.copy()
            )

    def _ring(self) -> None:
        self._alarm = None
        self.world.advance(now=self.now, rng=self._world_rng)
        self._set_alarm()


@dataclass(eq=False, slots=True)
class _Carried:
    """One request on its way."""

    network: Network
    flight: Flight
    fate: Fate
    request: SimulatedRequest
    heard: "asyncio.Future[Incoming]"
    response: SimulatedResponse | None = None

    def strike(self) -> None:
        """Take effect."""
        self.network.under_way -= 1
        self.response = self.network.handle(self.flight, self.request)
        self.network.come_to("effect", self.flight)

    def answer(self) -> None:
        """Tell the sender what it is to hear, unless it gave up."""
        if not self.heard.done():
            incoming = self.fate.incoming or self._own()
            self.heard.set_result(incoming)
            self.network.come_to("answer", self.flight)

    def _own(self) -> Incoming:
        assert self.response is not None, "an answer follows its effect"
        status, fault = self.response.status, self.fate.fault
        if fault:
            return Incoming(status, fault=fault)
        headers = {name.lower(): value for name, value in self.response.headers.items()}
        kept = {name: value for name, value in headers.items() if name in KEPT}
        return Incoming(status, self.response.body, kept)


class SimulatedTransport:
    """What a client sends through: each request once, to the simulated network."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def send(self, outgoing: Outgoing, *, timeout_seconds: float) -> Incoming:
        """Return what is heard of this request within the time."""
        flight = self._network.depart(outgoing, self._clock.now(), timeout_seconds)
        incoming = Incoming(None, fault=Fault.TIMEOUT)
        heard = self._network.carry(flight, outgoing)
        flight.process.doing["with a call under way"] += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                incoming = await heard
        except TimeoutError:
            pass
        finally:
            flight.process.doing["with a call under way"] -= 1
        self._network.hear(flight, incoming)
        return incoming


def _made(flight: Flight, journal: Journal) -> str:
    """Return the uuid of the first record that a request made."""
    number = flight.request_number
    for entry in reversed(journal.writes):
        if entry.request != number:
            break
        if entry.action == "created":
            return entry.uuid
    return ""
