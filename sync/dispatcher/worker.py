"""The dispatcher: claims what is due, holds one conversation per lane, several lanes at once."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from ledger.errors import LedgerBusyError
from ledger.ledger import Ledger
from ledger.outbox import lease_store
from ledger.outbox.lease_store import Claimed, ClaimTerms
from ledger.outbox.operation import Operation
from sync.dispatcher.conversation_worker import Bench, ConversationWorker, Lease
from sync.dispatcher.outcome_writer import Tenure
from sync.dispatcher.step import Outcome
from sync.dispatcher.work_reader import WorkReader, bare_work
from sync.errors import ConfigurationError

GROUP_MAX: Final = 50
GROUPED: Final = frozenset(
    {("course_module", "upsert"), ("course_module", "retire"), ("module_group", "upsert")}
)
"""What one conversation may carry several of: attachments and groups of one course."""
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
        self._active: dict[asyncio.Task[None], Lease] = {}
        self.counts = Counts()
        self.fault: ConfigurationError | None = None
        """Why nothing more is sent: credentials or tenant were refused."""
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
        free = self._bench.pace.lanes_open() - self.active
        if free <= 0 or self.fault is not None:
            return 0
        if not await self.is_due():
            return 0
        started = self._ledger.clock.monotonic()
        try:
            claimed = await self._bench.writer.claim(self._claim_terms(free))
        except LedgerBusyError:
            return 0
        for group in claimed:
            self._start(group, until=started + self._terms.lease_seconds)
        return len(claimed)

    async def is_due(self) -> bool:
        """Tell whether anything could be worked on now, if a lane is free."""
        scope, terms = self._ledger.scope, self._claim_terms(1)
        return await self._ledger.read(
            lambda connection: lease_store.is_due(connection, scope, terms=terms)
        )

    async def next_due_seconds(self) -> float | None:
        """Return how long until something can be tried that waits for time alone."""
        scope, now = self._ledger.scope, self._ledger.clock.now().timestamp()
        settle_seconds = self._bench.settle_seconds
        moment = await self._ledger.read(
            lambda connection: lease_store.next_due(
                connection, scope, now=now, settle_seconds=settle_seconds
            )
        )
        return None if moment is None else moment - now

    async def beat(self) -> None:
        """Prolong the leases of every conversation that goes on; call it well within a lease."""
        if not self._active:
            return
        started = self._ledger.clock.monotonic()
        now = self._ledger.clock.now().timestamp()
        seconds, scope = self._terms.lease_seconds, self._ledger.scope
        held = await self._ledger.database.run(
            lambda connection: lease_store.extend(
                connection, scope, host=self._terms.host, now=now, until=now + seconds
            )
        )
        for lease in self._active.values():
            if all((lease.tenure.epoch, lane) in held for lane in lease.tenure.lanes):
                lease.until = started + seconds

    @property
    def seconds_between_beats(self) -> float:
        """How long to wait between two heartbeats."""
        return self._terms.lease_seconds / LEASE_BEATS

    async def wait_for_any(self, *, seconds_max: float) -> None:
        """Return when a conversation ended or the time is over."""
        if self._active:
            await asyncio.wait(
                self._active, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED
            )

    async def stop(self, *, drain_seconds: float) -> None:
        """Let conversations end within a bound, then cut them short; nothing stays leased."""
        if self._active:
            await asyncio.wait(self._active, timeout=drain_seconds)
        for task in list(self._active):
            task.cancel()
        await asyncio.gather(*self._active, return_exceptions=True)

    def _claim_terms(self, free: int) -> ClaimTerms:
        now = self._ledger.clock.now().timestamp()
        return ClaimTerms(
            host=self._terms.host,
            now=now,
            until=now + self._terms.lease_seconds,
            lanes_max=free,
            group_max=GROUP_MAX,
            settle_seconds=self._bench.settle_seconds,
            may_group=_may_group,
        )

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
            self.fault = error
            return
        self.counts.conversations += 1
        ended = [each for each in settlements if each.outcome is Outcome.DONE]
        self.counts.done += len(ended)
        if any(each.outcome not in {Outcome.RETRY, Outcome.UNCERTAIN} for each in settlements):
            self.counts.last_progress = self._ledger.clock.monotonic()

    async def _prepare(self, group: Claimed, lease: Lease) -> ConversationWorker:
        try:
            works = await self._reader.assemble(group.operations)
        except BaseException:
            # Nothing was sent yet, so these operations are simply put back.
            bare = tuple(bare_work(operation) for operation in group.operations)
            await asyncio.shield(ConversationWorker(self._bench, bare, lease).give_back())
            raise
        return ConversationWorker(self._bench, works, lease)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._active[task]
        self._ledger.bell.ring()
        if not task.cancelled() and task.exception() is not None:
            self.last_error = task.exception()


def _may_group(operation: Operation) -> bool:
    return (operation.reference.entity, operation.kind) in GROUPED
