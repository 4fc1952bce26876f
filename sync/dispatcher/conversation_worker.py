"""Performs the steps of one conversation, and makes sure that it is settled whatever happens.

Whether a request may have left is tracked here: a conversation that is cut short after an unsafe
call is uncertain, one that is cut short before it may simply be tried again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, assert_never

from ledger.ledger import Ledger
from ledger.mapping import store as mapping_store
from ledger.reference import SourceRef, TargetId
from sync.dispatcher.outcome_writer import OutcomeWriter, Tenure, Verdict
from sync.dispatcher.pace_worker import Pace, Standstill
from sync.dispatcher.procedures import Rules, converse
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import (
    Call,
    Conversation,
    Outcome,
    Progress,
    Reply,
    Settlement,
    Step,
    WhoHolds,
)
from sync.dispatcher.work_reader import Assembled
from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from sync.telemetry.signals import Announce, LeaseLost, OperationSettled, nobody

FAILURES_MAX: Final = 6
"""How often one operation may fail while others succeed before a person is asked (API 15)."""
NOT_SENT = frozenset({Fault.CONNECT.value, Fault.TOKEN.value})


class Sender(Protocol):
    """What sends requests; the client, or a fake in tests."""

    async def send(
        self, request: Request, *, timeout_seconds: float | None = None
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return the answer and the evidence of every HTTP request that it took."""


class LeaseLostError(Exception):
    """The lane belongs to another host now: nothing may be sent or settled under it."""


@dataclass(slots=True)
class Lease:
    """How long the lanes are ours, by the clock that never jumps."""

    tenure: Tenure
    until: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every conversation of a dispatcher works with."""

    ledger: Ledger
    sender: Sender
    writer: OutcomeWriter
    pace: Pace
    rules: Rules
    settle_seconds: float
    request_seconds_max: float
    """The longest that one request can take: less lease than that, and nothing is sent."""
    announce: Announce = nobody


@dataclass(slots=True)
class Evidence:
    """What was exchanged since the last event was appended, and whether a write may have left."""

    exchanges: list[Exchange] = field(default_factory=list)
    may_have_sent: bool = False

    def take(self) -> tuple[Exchange, ...]:
        """Return what was exchanged, to be told once."""
        taken = tuple(self.exchanges)
        self.exchanges.clear()
        return taken


class ConversationWorker:
    """One conversation, from its first step to its settlements."""

    def __init__(self, bench: Bench, works: Sequence[Assembled], lease: Lease) -> None:
        self._bench = bench
        self._works = {item.work.operation: item for item in works}
        self._lease = lease
        self._evidence = Evidence()

    async def run(self) -> tuple[Settlement, ...]:
        """Hold the conversation and settle it; returns the settlements that count.

        Raises `ConfigurationError` after settling when the credentials are refused.
        """
        try:
            settlements = await self._hold()
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(self._cut_short(Reason.AFTER_OTHERS)))
            raise
        except ConfigurationError:
            await self._settle(self._cut_short(Reason.UNAUTHORISED))
            raise
        except LeaseLostError:
            await self._settle(self._cut_short(Reason.AFTER_OTHERS))
            return ()
        except Exception:
            await self.give_back()
            raise
        await self._settle(settlements)
        return settlements

    async def give_back(self) -> None:
        """Settle after a fault on our side: it counts, so that it cannot go on for ever."""
        cut = self._cut_short(Reason.UNEXPECTED)
        await self._settle([replace(each, counts_as_failure=True) for each in cut])

    async def _hold(self) -> tuple[Settlement, ...]:
        works = tuple(item.work for item in self._works.values())
        conversation = converse(works, rules=self._bench.rules)
        return await self._converse(conversation)

    async def _converse(self, conversation: Conversation) -> tuple[Settlement, ...]:
        reply: Reply = None
        try:
            step: Step = next(conversation)
            while True:
                reply = await self._perform(step)
                step = conversation.send(reply)
        except StopIteration as stop:
            settlements: tuple[Settlement, ...] = stop.value
            return settlements
        finally:
            conversation.close()

    async def _perform(self, step: Step) -> Reply:
        match step:
            case Call():
                return await self._call(step.request)
            case Progress():
                await self._progress(step)
                return None
            case WhoHolds():
                return await self._who_holds(step)
            case _:
                assert_never(step)

    async def _call(self, request: Request) -> Answer:
        standstill = await self._bench.pace.admit()
        if standstill is not None:
            return _put_off(standstill)
        answer: Answer | None = None
        try:
            self._require_lease()
            self._evidence.may_have_sent |= not request.is_safe
            answer, exchanges = await self._bench.sender.send(request)
        finally:
            if answer is None:
                self._bench.pace.abandon()
        self._evidence.exchanges += exchanges
        self._bench.pace.note(answer)
        return answer

    def _require_lease(self) -> None:
        left = self._lease.until - self._bench.ledger.clock.monotonic()
        if left < self._bench.request_seconds_max:
            raise LeaseLostError

    async def _progress(self, step: Progress) -> None:
        is_ours = await self._bench.writer.progress(
            self._works[step.operation],
            step,
            tenure=self._lease.tenure,
            exchanges=self._evidence.take(),
        )
        if not is_ours:
            raise LeaseLostError

    async def _who_holds(self, step: WhoHolds) -> Mapping[TargetId, SourceRef]:
        entity = next(iter(self._works.values())).operation.reference.entity
        scope = self._bench.ledger.scope
        return await self._bench.ledger.read(
            lambda connection: mapping_store.holders(
                connection, scope, entity=entity, targets=step.targets
            )
        )

    def _cut_short(self, reason: Reason) -> tuple[Settlement, ...]:
        return tuple(
            Settlement(
                key,
                Outcome.UNCERTAIN
                if self._evidence.may_have_sent or item.work.possibly_sent
                else Outcome.RETRY,
                reason,
                counts_as_failure=False,
                retry_seconds=None if reason is Reason.UNEXPECTED else 0.0,
            )
            for key, item in self._works.items()
        )

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        verdicts = [self._judge(settlement) for settlement in settlements]
        is_ours = await self._bench.writer.settle(
            tuple(self._works.values()),
            verdicts,
            tenure=self._lease.tenure,
            exchanges=self._evidence.take(),
        )
        for verdict in verdicts:
            self._tell(verdict.settlement, is_ours=is_ours)

    def _tell(self, settlement: Settlement, *, is_ours: bool) -> None:
        operation = self._works[settlement.operation].operation
        if not is_ours:
            self._bench.announce(LeaseLost(operation.key, self._lease.tenure.epoch))
            return
        self._bench.announce(
            OperationSettled(
                operation.key,
                operation.reference.entity,
                operation.reference.source_id,
                operation.kind,
                settlement.outcome.value,
                reason=str(settlement.reason),
                failures=operation.failures,
            )
        )

    def _judge(self, settlement: Settlement) -> Verdict:
        operation = self._works[settlement.operation].operation
        failures = operation.failures + (1 if settlement.counts_as_failure else 0)
        is_stuck = failures >= FAILURES_MAX and self._bench.pace.is_healthy
        is_put_off = settlement.outcome in {Outcome.RETRY, Outcome.UNCERTAIN}
        if is_put_off and is_stuck and settlement.counts_as_failure:
            settlement = replace(
                settlement,
                outcome=Outcome.HELD,
                in_doubt=settlement.outcome is Outcome.UNCERTAIN,
            )
        return Verdict(settlement, self._not_before(settlement, failures))

    def _not_before(self, settlement: Settlement, failures: int) -> int:
        match settlement.outcome:
            case Outcome.RETRY:
                pause = settlement.retry_seconds
                if pause is None:
                    pause = self._bench.pace.pause_seconds(failures, asked=None)
            case Outcome.UNCERTAIN:
                pause = max(self._bench.settle_seconds, settlement.retry_seconds or 0.0)
            case _:
                return 0
        if pause <= 0:
            return 0
        return int((self._bench.ledger.clock.now().timestamp() + pause) * 1000)


def _put_off(standstill: Standstill) -> Answer:
    meaning = Meaning.THROTTLED if standstill.is_throttled else Meaning.UNAVAILABLE
    return Answer(meaning, None, retry_after_seconds=standstill.seconds, fault="paused")
