"""The engine: projector, opener, dispatcher and heartbeat, each a service over one ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.mapping import store as mapping_store
from ledger.outbox import gate_store, lease_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Scope, TargetId
from ledger.shield import to_the_end
from ledger.transaction import Transaction
from sync.dispatcher.conversation_worker import Bench, Sender
from sync.dispatcher.opener_worker import Opener
from sync.dispatcher.outage import Outage
from sync.dispatcher.outcome_writer import OutcomeWriter
from sync.dispatcher.pace_store import LedgerBook
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.preflight_worker import fly_ahead
from sync.dispatcher.worker import Dispatcher, DispatchTerms
from sync.errors import ConfigurationError
from sync.projector.worker import Projector
from sync.runtime.calls import CountedSender
from sync.runtime.erasures import Erasures
from sync.runtime.host_inbox import HostInbox
from sync.runtime.service import Service, cancel
from sync.runtime.settings import Settings
from sync.runtime.standing import plans_first
from sync.telemetry.signals import (
    Announce,
    CallMade,
    ServiceDied,
    announce_to,
)

POLL_SECONDS: Final = 1.0
"""The longest that a change made by another process goes unnoticed."""
PAUSE_SECONDS_MIN: Final = 0.05
GATHER_SECONDS: Final = 0.05
"""How long rings gather before one look answers all of them."""
STALL_SECONDS: Final = 10.0
"""How long idle waits for a service to take up what can be done at once."""
SWEEP_SECONDS: Final = 60.0
HOST_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left once everything that can be done now is done."""

    lag: int
    """Source events that wait to be planned."""
    states: dict[State, int]
    uncertain: int
    """Operations in doubt, those of a host that died included."""
    late_looks: int = 0
    """Records made after an unclear answer that are looked at once more, later."""

    @property
    def waiting(self) -> int:
        """Operations that are not begun: blocked, or ready for a later try."""
        return self.states.get(State.BLOCKED, 0) + self.states.get(State.READY, 0)


class Engine:
    """Everything that moves between the log and DokStamp."""

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        settings: Settings,
        *,
        announce: Announce,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._poll_seconds = poll_seconds
        # A listener that fails must not cost an exchange its place in the log.
        announce = self._announce = announce_to(announce)
        self.sender = CountedSender(sender, lambda exchange: announce(CallMade.of(exchange)))
        self.host = ledger.random_name(HOST_BYTES)
        self.projector = Projector(ledger, guard=settings.guard(), announce=announce)
        self.opener = Opener(ledger)
        self.inbox = HostInbox(ledger)
        self.erasures = Erasures(ledger, poll_seconds=poll_seconds)
        self.pace = Pace(
            per_second_max=settings.requests_per_second_max,
            lanes_max=settings.concurrency_max,
            clock=ledger.clock,
            rng=Random(self.host),  # noqa: S311 - jitter, no secret
            probe_seconds=settings.circuit_probe_seconds,
            book=LedgerBook(ledger, host=self.host),
            announce=announce,
        )
        self.dispatcher = Dispatcher(
            ledger, self._bench(settings), _dispatch_terms(settings, self.host)
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._swept_at = ledger.clock.monotonic()
        self._projected_at = ledger.clock.monotonic()
        self._is_cleared = False
        self._home = {"base_url": settings.base_url, "tenant": settings.tenant}
        self.services = [
            Service(name, turn, clock=ledger.clock, died=self._tell_death)
            for name, turn in self._turns().items()
        ]

    def _turns(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "inbox": self._take_in,
            "projector": self._project,
            "opener": self._open,
            "dispatcher": self._dispatch,
            "heartbeat": self._beat,
            "erasures": self.erasures.work,
        }

    def _bench(self, settings: Settings) -> Bench:
        return Bench(
            ledger=self._ledger,
            sender=self.sender,
            writer=OutcomeWriter(self._ledger, settle_seconds=settings.settle_seconds),
            pace=self.pace,
            rules=settings.rules(),
            settle_seconds=settings.settle_seconds,
            request_seconds_max=settings.request_timeout_seconds,
            announce=self._announce,
        )

    async def start(self) -> None:
        """End the leases that a dead process left behind, then start every service."""
        if not self._ledger.database.is_shared:
            await self._ledger.transact(self._expire_others)
        self._tasks = [
            asyncio.create_task(service.run(), name=service.name) for service in self.services
        ]

    def _expire_others(self, step: Transaction) -> None:
        # Only one process dispatches from a file: whoever held these leases is gone.
        lease_store.expire_others(step.connection, step.scope, host=self.host, now=step.lease_now)

    async def stop(self, *, drain_seconds: float) -> None:
        """Finish what is under way within a bound, then stop; nothing stays leased."""
        heartbeat = [task for task in self._tasks if task.get_name() == "heartbeat"]
        try:
            await cancel([task for task in self._tasks if task not in heartbeat])
            await self.dispatcher.drain(drain_seconds)
        finally:
            # Who is cancelled while it drains gives up waiting, but leaves nothing leased either.
            await to_the_end(self._let_go(heartbeat))

    async def _let_go(self, heartbeat: list[asyncio.Task[None]]) -> None:
        await self.dispatcher.cut_short()
        await cancel(heartbeat)

    async def idle(self, patience_seconds: float) -> Remaining:
        """Return what remains once nothing more can be done without waiting that long.

        Raises what a person must mend: refused credentials, a full disk, damage.
        """
        began = self._ledger.clock.monotonic()
        while True:
            heard = self._ledger.bell.rings
            self._raise_faults()
            # Looking competes with the work that it looks for.
            wait = 0.0 if self.dispatcher.active else await self._seconds_to_wait()
            spent = self._ledger.clock.monotonic() - max(began, self._last_progress)
            if wait is None or self._is_over(wait, spent=spent, patience=patience_seconds):
                self._raise_deaths()
                return await self.remaining()
            pause = min(POLL_SECONDS, wait) or POLL_SECONDS
            await self._ledger.bell.wait(heard, seconds_max=max(PAUSE_SECONDS_MIN, pause))

    def _is_over(self, wait: float, *, spent: float, patience: float) -> bool:
        if wait > 0:
            return spent + wait > patience
        # What can be done at once is done even for who has no patience at all.
        return not self.dispatcher.active and spent > max(patience, STALL_SECONDS)

    async def remaining(self) -> Remaining:
        """Return what is left as it stands."""
        states = await self._ledger.read_folded(outbox_store.count_by_state)
        looks = await self._ledger.read_folded(outbox_store.count_looks)
        in_doubt = states.get(State.UNCERTAIN, 0) + states.get(State.LEASED, 0)
        return Remaining(await self.projector.lag(), states, in_doubt, looks)

    @property
    def _last_progress(self) -> float:
        return max(self._projected_at, self.dispatcher.counts.last_progress)

    async def _seconds_to_wait(self) -> float | None:
        """Return 0 while something is being done, how long until it can be, or None for never."""
        seconds_to_due = self.dispatcher.seconds_to_due()

        def look(connection: Connection, scope: Scope) -> float | None:
            if self.projector.lag_in(connection, scope) or self.inbox.has_waiting(connection):
                return 0.0
            if gate_store.has_wakes(connection, scope) or self.erasures.is_due(connection, scope):
                return 0.0
            return seconds_to_due(connection, scope)

        return await self._ledger.read_folded(look)

    def _raise_faults(self) -> None:
        if self.dispatcher.fault is not None:
            raise self.dispatcher.fault
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _raise_deaths(self) -> None:
        """Raise what keeps a service from working, rather than call that a rest."""
        for service in self.services:
            if not service.pulse.is_alive and service.pulse.last_error is not None:
                raise service.pulse.last_error

    async def _take_in(self) -> None:
        # Hosts commit on connections of their own, which rings no bell here.
        if not await self.inbox.take():
            await self._ledger.clock.sleep(self._poll_seconds)

    async def _project(self) -> None:
        heard = self._ledger.bell.rings
        if await self.projector.project():
            self._projected_at = self._ledger.clock.monotonic()
        else:
            await self._rest(heard)

    async def _open(self) -> None:
        heard = self._ledger.bell.rings
        if self._ledger.clock.monotonic() - self._swept_at > SWEEP_SECONDS:
            await self.opener.sweep()
            self._swept_at = self._ledger.clock.monotonic()
        if not await self.opener.open_woken():
            await self._rest(heard)

    async def _rest(self, heard: int) -> None:
        """Wait for news after a look in vain; each settlement rings, and they come in swarms."""
        await self._ledger.bell.wait(heard, seconds_max=self._poll_seconds)
        await asyncio.sleep(GATHER_SECONDS)

    async def _dispatch(self) -> None:
        heard = self._ledger.bell.rings
        if await self._is_clear() and await self.dispatcher.dispatch():
            return
        wait = self.pace.seconds_until_open() or self._poll_seconds
        pause = max(PAUSE_SECONDS_MIN, min(self._poll_seconds, wait))
        await self._ledger.bell.wait(heard, seconds_max=pause)

    async def _beat(self) -> None:
        await self._ledger.clock.sleep(self.dispatcher.seconds_between_beats)
        await self.dispatcher.beat()

    async def _is_clear(self) -> bool:
        """Look once, before the first write of a run, whether tenant and address are right."""
        if self._is_cleared or self.dispatcher.fault or not await self.dispatcher.is_due():
            return self._is_cleared
        if await plans_first(self._ledger, self.projector):
            return False
        try:
            flight = await fly_ahead(self.sender, self.pace, institution=await self._institution())
        except ConfigurationError as error:
            self.dispatcher.stop_tenant(error)
            await self.dispatcher.tell_stop()
            return False
        if flight is None:
            return False
        if flight.is_suspended:
            self.dispatcher.suspend_issuing()
        # Only now: a ledger tied to a mistyped tenant or address could never be used again.
        await self._ledger.belong_to(**self._home)
        self._is_cleared = True
        return True

    async def _institution(self) -> TargetId | None:
        def first(connection: Connection, scope: Scope) -> TargetId | None:
            page = mapping_store.read_page(connection, scope, entity="institution", limit=50)
            return next((each.target for each in page if each.holds_target), None)

        return await self._ledger.read_folded(first)

    def calls_spared(self, outage: Outage) -> int | None:
        """Return about how many calls were not made in an outage that the rate allows."""
        return outage.spared(self.pace.allowed_per_second, now=self._ledger.clock.now())

    def _tell_death(self, name: str, error: Exception) -> None:
        self._announce(ServiceDied(name, type(error).__name__))


def _dispatch_terms(settings: Settings, host: str) -> DispatchTerms:
    return DispatchTerms(
        host=host, lanes_max=settings.concurrency_max, lease_seconds=settings.lease_seconds
    )
