"""The practice service as a pure value machine: a request, a moment and dice give an answer."""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random

from sync.simulator import controls
from sync.simulator.authentication import FOREIGN_TENANT, PRACTICE_TENANT, Tenant, Tokens
from sync.simulator.call import Call, Effect, Later
from sync.simulator.faults import (
    AFTER_KINDS,
    BEFORE_KINDS,
    Fault,
    FaultEngine,
    parse_faults,
)
from sync.simulator.gatekeeper import Admitted, Gatekeeper
from sync.simulator.journal import Journal
from sync.simulator.message import CUT, SimulatedRequest, SimulatedResponse, html_response
from sync.simulator.outage import Outage
from sync.simulator.rate_limit import too_many
from sync.simulator.refusal import RefusedError, refused_response
from sync.simulator.routes import ENTITIES
from sync.simulator.switches import Switches, change_switches
from sync.simulator.tables import Store
from sync.simulator.verdict import Verdict, judge

UPLOAD_BYTES_MAX = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Done:
    """What performing a request led to."""

    response: SimulatedResponse
    marks: frozenset[str]


class World:
    """A whole practice service; it keeps state, and takes time and randomness from outside."""

    def __init__(
        self,
        *,
        switches: Switches | None = None,
        faults: Iterable[Fault] = (),
        tenants: tuple[Tenant, ...] = (PRACTICE_TENANT, FOREIGN_TENANT),
        token_seconds: int | None = None,
        journal_entries_max: int | None = None,
    ) -> None:
        self.switches = switches or Switches()
        self.store = Store(entity.make_table() for entity in ENTITIES)
        self.journal = Journal(entries_max=journal_entries_max)
        self.gatekeeper = Gatekeeper(Tokens(tenants, lifetime_seconds=token_seconds))
        self.outage: Outage | None = None
        self.search_lag_seconds = 0.0
        self._due: list[tuple[datetime, int, Callable[[datetime, Random], None]]] = []
        self._due_numbers = 0
        self._tickets: dict[int, SimulatedResponse] = {}
        self.set_faults(faults)

    @property
    def next_due(self) -> datetime | None:
        """Return when something will happen by itself, if anything will."""
        return self._due[0][0] if self._due else None

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace the faults; those of the switch `fault_injection` come on top."""
        self._faults = tuple(faults)
        self._engine = FaultEngine((*self._faults, *parse_faults(self.switches.fault_injection)))

    def set_switches(self, positions: Mapping[str, object]) -> None:
        """Put some switches in another position while running."""
        self.switches = change_switches(self.switches, positions)
        if "fault_injection" in positions:
            self.set_faults(self._faults)

    def verdict(self, *, tenant: str | None = None) -> Verdict:
        """Return the verdict over everything so far."""
        return judge(self.store, self.journal, tenant=tenant)

    def advance(self, *, now: datetime, rng: Random) -> None:
        """Let everything happen that is due: late effects, issuances."""
        while self._due and self._due[0][0] <= now:
            due, _, run = heapq.heappop(self._due)
            run(due, rng)

    def handle(self, request: SimulatedRequest, *, now: datetime, rng: Random) -> SimulatedResponse:
        """Answer one request."""
        self.advance(now=now, rng=rng)
        if request.path.startswith(controls.PREFIX):
            return controls.answer(self, request, now=now)
        number = self.journal.next_number()
        struck = self.outage.answer(now) if self.outage else None
        if struck is not None:
            return self._seen(request, struck, number=number, now=now, fault="outage")
        fault = self._engine.choose(request, rng)
        if fault is None:
            done = self._perform(request, number=number, now=now, rng=rng)
            return self._seen(request, done.response, number=number, now=now, done=done)
        if fault.kind in BEFORE_KINDS:
            response = self._strike(fault, now)
            return self._seen(request, response, number=number, now=now, fault=fault.kind)
        if fault.kind in AFTER_KINDS:
            done = self._perform(request, number=number, now=now, rng=rng)
            response = self._spoil(fault, done.response)
            return self._seen(
                request, response, number=number, now=now, done=done, fault=fault.kind
            )
        return self._postpone(request, fault, number=number, now=now)

    def collect(self, ticket: int) -> SimulatedResponse:
        """Return the real answer to a stalled request, once its moment has come."""
        return self._tickets.pop(ticket, CUT)

    def _seen(
        self,
        request: SimulatedRequest,
        response: SimulatedResponse,
        *,
        number: int,
        now: datetime,
        done: _Done | None = None,
        fault: str = "",
    ) -> SimulatedResponse:
        self.journal.enter(
            request,
            number=number,
            now=now,
            seen=None if response.cut or response.ticket else response.status,
            done=done.response.status if done else None,
            fault=fault,
            marks=done.marks if done else frozenset(),
        )
        return response

    def _strike(self, fault: Fault, now: datetime) -> SimulatedResponse:
        """Return the answer of a fault that keeps the request from having any effect."""
        match fault.kind:
            case "cut_before":
                return CUT
            case "html_before":
                return html_response(200)
            case "throttle":
                due = format_datetime(now + timedelta(seconds=fault.seconds), usegmt=True)
                seconds = str(max(1, round(fault.seconds)))
                hints = {"none": None, "seconds": seconds, "date": due}
                return too_many(hints[fault.retry_after], edition=self.switches.edition)
            case "expire_tokens":
                self.gatekeeper.tokens.expire_all()
                return refused_response(RefusedError(401), edition=self.switches.edition)
            case _:
                return refused_response(RefusedError(fault.status), edition=self.switches.edition)

    def _spoil(self, fault: Fault, response: SimulatedResponse) -> SimulatedResponse:
        """Return what the caller gets after the effect has happened."""
        match fault.kind:
            case "cut_after":
                return CUT
            case "html_after":
                return html_response(200)
            case "stall_after":
                return replace(response, stall_seconds=fault.seconds)
            case _:
                return refused_response(RefusedError(fault.status), edition=self.switches.edition)

    def _postpone(
        self, request: SimulatedRequest, fault: Fault, *, number: int, now: datetime
    ) -> SimulatedResponse:
        """Let the effect happen later; the caller waits for it or never hears of it."""
        waits = fault.kind == "stall_before"

        def run(due: datetime, rng: Random) -> None:
            done = self._perform(request, number=number, now=due, rng=rng)
            status = done.response.status
            self.journal.complete(number, seen=status if waits else None, done=status)
            if waits:
                self._tickets[number] = done.response

        self._later(now + timedelta(seconds=fault.seconds), run)
        response = CUT
        if waits:
            response = SimulatedResponse(0, stall_seconds=fault.seconds, ticket=number)
        return self._seen(request, response, number=number, now=now, fault=fault.kind)

    def _later(self, due: datetime, run: Callable[[datetime, Random], None]) -> None:
        self._due_numbers += 1
        heapq.heappush(self._due, (due, self._due_numbers, run))

    def _perform(
        self, request: SimulatedRequest, *, number: int, now: datetime, rng: Random
    ) -> _Done:
        marks: set[str] = set()
        try:
            response = self._answer(request, number=number, now=now, rng=rng, marks=marks)
        except RefusedError as refusal:
            response = refused_response(refusal, edition=self.switches.edition)
        return _Done(response, frozenset(marks))

    def _answer(
        self,
        request: SimulatedRequest,
        *,
        number: int,
        now: datetime,
        rng: Random,
        marks: set[str],
    ) -> SimulatedResponse:
        if len(request.body) > UPLOAD_BYTES_MAX:
            raise RefusedError(413)
        if request.path == "/login":
            return html_response(200)
        call = self._call(request, number=number, now=now, rng=rng, marks=marks)
        if request.path.startswith(("/oauth/", "/auth/")):
            return self.gatekeeper.authenticate(
                request, call.body(), switches=self.switches, now=now, rng=rng
            )
        admitted = self.gatekeeper.admit(request, switches=self.switches, now=now, marks=marks)
        if not isinstance(admitted, Admitted):
            return admitted
        if request.method == "DELETE" and not request.path.endswith("/detach/modules"):
            marks.add("delete")
        call.tenant, call.parameters = admitted.tenant, admitted.parameters
        return self._handle(admitted, call)

    def _handle(self, admitted: Admitted, call: Call) -> SimulatedResponse:
        try:
            response = admitted.route.handler(call)
        except RefusedError as refusal:
            response = refused_response(refusal, edition=self.switches.edition)
        return self.gatekeeper.limit.tell(response, tenant=admitted.tenant, switches=self.switches)

    def _call(
        self,
        request: SimulatedRequest,
        *,
        number: int,
        now: datetime,
        rng: Random,
        marks: set[str],
    ) -> Call:
        def report(effect: Effect, moment: datetime) -> None:
            record = self.store.table(effect.table).get(effect.uuid)
            assert record is not None
            self.journal.write(effect, request=number, record=record, now=moment)

        def schedule(due: datetime, later: Later) -> None:
            self._later(due, lambda moment, _rng: later(moment))

        return Call(
            store=self.store,
            switches=self.switches,
            request=request,
            now=now,
            rng=rng,
            tenant="",
            parameters={},
            schedule=schedule,
            report=report,
            search_lag=timedelta(seconds=self.search_lag_seconds),
            marks=marks,
        )
