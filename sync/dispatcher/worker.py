"""The dispatcher: claims what is due, holds one conversation per lane, several lanes at once."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import Final

from sqlalchemy import Connection

from ledger.errors import EventError, IntegrityError, LedgerBusyError, LedgerError
from ledger.ledger import Ledger
from ledger.outbox import lease_store
from ledger.outbox.lease_store import Claimed, ClaimTerms
from ledger.outbox.operation import Operation
from ledger.reference import Scope
from sync.dispatcher.conversation_worker import Bench, ConversationWorker, Lease
from sync.dispatcher.judging import PUT_OFF
from sync.dispatcher.leaps import Leaps
from sync.dispatcher.looking import can_double, look_seconds
from sync.dispatcher.outcome_writer import Tenure
from sync.dispatcher.reasons import Reason, explain
from sync.dispatcher.step import Outcome
from sync.dispatcher.work_reader import WorkReader, bare_work
from sync.errors import ConfigurationError
from sync.telemetry.signals import ConversationFailed, TenantStopped

GROUP_MAX: Final = 50
GROUPED: Final = frozenset(
    {("course_module", "upsert"), ("course_module", "retire"), ("module_group", "upsert")}
)
"""What one conversation may carry several of: attachments and groups of one course."""
VAIN_SECONDS: Final = 0.25
"""How long to rest after a claim that took nothing."""
LEASE_BEATS: Final = 3
"""How often a lease is renewed while it lasts."""


@dataclass(frozen=True, slots=True)
class DispatchTerms:
    """How many lanes at once, and under which leases."""

    host: str
    lanes_max: int
    lease_seconds: float


@dataclass(slots=True)
class Counts:
    """What the dispatcher did since it was made."""

    done: int = 0
    conversations: int = 0
    last_progress: float = 0.0
    """On the monotonic clock: when anything last got an answer that took it further."""


class Dispatcher:
    """Carries operations out until it is told to stop."""

    def __init__(self, ledger: Ledger, bench: Bench, terms: DispatchTerms) -> None:
        self._ledger = ledger
        self._bench = bench
        self._terms = terms
        self._reader = WorkReader(ledger)
        self._leaps = Leaps(bench.settle_seconds)
        self._active: dict[asyncio.Task[None], Lease] = {}
        self._claiming: asyncio.Task[int] | None = None
        self._has_told_stop = False
        self._damage: LedgerError | None = None
        self.counts = Counts()
        self.fault: ConfigurationError | IntegrityError | None = None
        """Why nothing more is sent: credentials or tenant were refused, or the ledger is older."""
        self.last_error: BaseException | None = None
        """What last went wrong on our side; the operation concerned is tried again, then held."""

    def suspend_issuing(self) -> None:
        """Hold every certificate from now on: the institution is suspended (API 11.1)."""
        rules = replace(self._bench.rules, is_suspended=True)
        self._bench = replace(self._bench, rules=rules)

    @property
    def active(self) -> int:
        """How many conversations are going on."""
        return len(self._active)

    async def dispatch(self) -> int:
        """Start what is due in free lanes and return how many conversations that were."""
        if self._damage is not None:
            raise self._damage
        await self._bench.pace.tell()
        free = self._bench.pace.lanes_open() - self.active
        if free <= 0 or self.fault is not None:
            return 0
        if not await self.is_due() or not await self._bench.pace.may_go():
            return 0
        # What was claimed must be worked on: a claim that is cut short would stay leased.
        self._claiming = asyncio.create_task(self._claim(free), name="claim")
        return await asyncio.shield(self._claiming)

    async def _claim(self, free: int) -> int:
        started = self._ledger.clock.monotonic()
        try:
            terms = self._claim_terms(free)
            claimed = await self._bench.writer.claim(terms, begin=self._begin_reading)
        except LedgerBusyError:
            return 0
        for group in claimed:
            self._start(group, until=started + self._terms.lease_seconds)
        if not claimed:
            # What is due may be our own, after a leap of the clock. Looking rings the bell, which
            # would have us look again at once, for as long as that conversation takes.
            await asyncio.sleep(VAIN_SECONDS)
        return len(claimed)

    async def is_due(self) -> bool:
        """Tell whether anything could be worked on now, if a lane is free."""
        terms = self._claim_terms(1)

        def look(connection: Connection, scope: Scope) -> bool:
            begun = self._begin_reading(terms)
            now = self._ledger.lease_now(connection)
            return lease_store.is_due(connection, scope, terms=begun.at(now))

        return await self._ledger.read_folded(look)

    def seconds_to_due(self) -> Callable[[Connection, Scope], float | None]:
        """Return what tells how long until anything is left to do, 0 while something is done.

        `None` means never. All of it is seen in one snapshot: work that moves on between two
        looks could hide from both. What is known here is taken along, for a look has a thread of
        its own.
        """
        claim_terms, open_in = self._claim_terms(1), self._bench.pace.seconds_until_open()

        def look(connection: Connection, scope: Scope) -> float | None:
            begun = self._begin_reading(claim_terms)
            now = self._ledger.lease_now(connection)
            terms = begun.at(now)
            if lease_store.is_working(connection, scope, host=terms.host, now=now):
                return 0.0
            if lease_store.is_due(connection, scope, terms=terms):
                return open_in
            return lease_store.seconds_to_due(connection, scope, terms=terms)

        return look

    async def beat(self) -> None:
        """Prolong the leases of every conversation that goes on; call it well within a lease."""
        if not self._active:
            return
        started = self._ledger.clock.monotonic()
        seconds, scope = self._terms.lease_seconds, self._ledger.scope
        # A lease whose conversation ended without settling must run out.
        among = {lease.tenure.epoch for lease in self._active.values()}

        def extend(connection: Connection) -> frozenset[tuple[int, str]]:
            now, host = self._ledger.lease_now(connection), self._terms.host
            return lease_store.extend(
                connection, scope, host=host, among=among, now=now, until=now + seconds
            )

        # Without the head row: a heartbeat queues behind no append.
        held = await self._ledger.database.run(extend)
        for lease in self._active.values():
            if all((lease.tenure.epoch, lane) in held for lane in lease.tenure.lanes):
                lease.until = started + seconds

    @property
    def seconds_between_beats(self) -> float:
        """How long to wait between two heartbeats."""
        return self._terms.lease_seconds / LEASE_BEATS

    async def drain(self, seconds: float) -> None:
        """Let conversations end within a bound; nothing may be dispatched any more."""
        if self._claiming is not None:
            await asyncio.wait([self._claiming])
        if self._active:
            await asyncio.wait(self._active, timeout=seconds)

    async def cut_short(self) -> None:
        """Cancel what still goes on and wait until it is settled; nothing stays leased."""
        if self._claiming is not None:
            await asyncio.gather(self._claiming, return_exceptions=True)
        for task in list(self._active):
            task.cancel()
        await asyncio.gather(*self._active, return_exceptions=True)
        await self.tell_stop()

    def _claim_terms(self, free: int) -> ClaimTerms:
        return ClaimTerms(
            host=self._terms.host,
            now=self._ledger.clock.now().timestamp(),
            lease_seconds=self._terms.lease_seconds,
            lanes_max=free,
            group_max=GROUP_MAX,
            settle_seconds=self._bench.settle_seconds,
            is_probe=self._bench.pace.is_in_trouble,
            may_group=_may_group,
            looks_again=can_double,
            look_seconds=look_seconds(self._bench.settle_seconds),
            # After a leap of the clock our own leases look as if their owner had died.
            busy=frozenset(lane for each in self._active.values() for lane in each.tenure.lanes),
        )

    def _begin_reading(self, terms: ClaimTerms) -> ClaimTerms:
        """Return the terms as they watch the time of leases that is read next."""
        since = self._ledger.clock.monotonic()
        return replace(terms, watch=partial(self._watch, since=since))

    def _watch(self, now: float, *, since: float) -> float:
        monotonic = self._ledger.clock.monotonic()
        return self._leaps.rest_seconds(now, monotonic=monotonic, since=since)

    def _start(self, group: Claimed, *, until: float) -> None:
        lanes = tuple(sorted({lane for each in group.operations for lane in each.lanes}))
        lease = Lease(Tenure(self._terms.host, group.epoch, lanes), until)
        task = asyncio.create_task(self._converse(group, lease), name="conversation")
        self._active[task] = lease
        task.add_done_callback(self._ended)

    async def _converse(self, group: Claimed, lease: Lease) -> None:
        try:
            settlements = await (await self._prepare(group, lease)).run()
        except ConfigurationError as error:
            self.stop_tenant(error)
            await self.tell_stop()
            return
        self.counts.conversations += 1
        ended = [each for each in settlements if each.outcome is Outcome.DONE]
        self.counts.done += len(ended)
        if any(each.outcome not in PUT_OFF for each in settlements):
            self.counts.last_progress = self._ledger.clock.monotonic()
        if any(each.reason == Reason.UNAUTHORISED for each in settlements):
            # A new token did not help, so no other call would fare better.
            self.stop_tenant(ConfigurationError(explain(Reason.UNAUTHORISED)))
            await self.tell_stop()

    def stop_tenant(self, error: ConfigurationError | IntegrityError) -> None:
        """Send nothing more: a person must correct something first."""
        self.fault = error
        self._bench.announce(TenantStopped(str(error)))
        self._ledger.bell.ring()

    async def tell_stop(self) -> None:
        """Put on record why nothing more is sent, for whoever asks from another process."""
        if self._has_told_stop or not isinstance(self.fault, ConfigurationError):
            return
        # What cannot be written now is tried again when this host stops; its exit tells it too.
        with contextlib.suppress(LedgerError):
            await self._bench.pace.stop(str(self.fault))
            self._has_told_stop = True

    async def _prepare(self, group: Claimed, lease: Lease) -> ConversationWorker:
        try:
            works = await self._reader.assemble(group.operations)
        except BaseException as error:
            # Nothing was sent yet, so these operations are simply put back.
            bare = tuple(bare_work(operation) for operation in group.operations)
            await ConversationWorker(self._bench, bare, lease).give_back(error)
            raise
        return ConversationWorker(self._bench, works, lease)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._active[task]
        self._ledger.bell.ring()
        if task.cancelled() or (error := task.exception()) is None:
            return
        self.last_error = error
        self._bench.announce(ConversationFailed(type(error).__name__, _place(error)))
        if isinstance(error, LedgerError) and not isinstance(error, LedgerBusyError | EventError):
            self._damage = error


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    return f"{frames[-1].name} in {Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _may_group(operation: Operation) -> bool:
    return (operation.reference.entity, operation.kind) in GROUPED
