"""Performs the steps of one conversation, and makes sure that it is settled whatever happens.

Whether a request may have left is tracked here: a conversation that is cut short after an unsafe
call is uncertain, one that is cut short before it may simply be tried again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, assert_never

from ledger.errors import ConflictError
from ledger.ledger import Ledger
from ledger.mapping import store as mapping_store
from ledger.reference import OperationKey, SourceRef, TargetId
from ledger.shield import to_the_end
from sync.dispatcher.insisting_worker import insist
from sync.dispatcher.interruptions import LeaseLostError, PersonErasedError, TargetTakenError
from sync.dispatcher.judge_worker import Judge
from sync.dispatcher.outcome_writer import OutcomeWriter, Tenure
from sync.dispatcher.pace_worker import Asked, Pace, Standstill
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
from sync.dispatcher.work_reader import Assembled, are_closed
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from sync.telemetry.signals import Announce, LeaseLost, OperationSettled, nobody

CHANGED_NOTHING: Final = frozenset({Meaning.THROTTLED, Meaning.UNAVAILABLE, Meaning.UNAUTHORISED})
"""Answers after which an unsafe request has surely done nothing."""


class Sender(Protocol):
    """What sends requests; the client, or a fake in tests."""

    async def send(
        self, request: Request, *, timeout_seconds: float | None = None
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return the answer and the evidence of every HTTP request that it took."""


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
    """What is not on record yet, and which operations a write may have left for."""

    exchanges: list[Exchange] = field(default_factory=list)
    doubted: frozenset[OperationKey] = frozenset()


class ConversationWorker:
    """One conversation, from its first step to its settlements."""

    def __init__(self, bench: Bench, works: Sequence[Assembled], lease: Lease) -> None:
        self._bench = bench
        self._works = {item.work.operation: item for item in works}
        self._lease = lease
        self._evidence = Evidence()
        self._judge = Judge(bench.ledger, bench.pace, settle_seconds=bench.settle_seconds)

    async def run(self) -> tuple[Settlement, ...]:
        """Hold the conversation and settle it; returns the settlements that count.

        Raises, after settling, what made an end of it: a cancellation, refused credentials, a
        fault on our side.
        """
        try:
            settlements = self._complete(await self._hold())
        except (LeaseLostError, PersonErasedError, TargetTakenError) as error:
            return await self.give_back(error)
        except BaseException as error:
            await self.give_back(error)
            raise
        try:
            # Insisted on, for what was heard is worth more than that something was.
            return await to_the_end(insist(lambda: self._settle(settlements)))
        except Exception as error:
            # What could not be settled as it was told is settled as a fault of ours.
            await self.give_back(error)
            raise

    async def give_back(self, error: BaseException) -> tuple[Settlement, ...]:
        """Settle a conversation that this error cut short; returns the settlements that count."""
        settlements = tuple(self._cut_short(key, error) for key in self._works)
        # The last word on what was sent: after it nobody knows of the answers any more.
        return await to_the_end(insist(lambda: self._settle(settlements)))

    async def _hold(self) -> tuple[Settlement, ...]:
        if any(item.is_erased for item in self._works.values()):
            raise PersonErasedError
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

    def _complete(self, settlements: tuple[Settlement, ...]) -> tuple[Settlement, ...]:
        settled = [settlement.operation for settlement in settlements]
        if sorted(settled) != sorted(self._works):
            message = "a procedure must settle each of its operations once; correct the procedure"
            raise TypeError(message)
        return settlements

    async def _perform(self, step: Step) -> Reply:
        match step:
            case Call():
                return await self._call(step)
            case Progress():
                # Cut in the middle, it would be unknown whether it is on record.
                await to_the_end(self._progress(step))
                return None
            case WhoHolds():
                return await self._who_holds(step)
            case _:
                assert_never(step)

    async def _call(self, step: Call) -> Answer:
        asked = self._asked(step)
        standstill = await self._bench.pace.admit(asked)
        if standstill is not None:
            return _put_off(standstill)
        answer: Answer | None = None
        try:
            if not step.request.is_safe:
                await self._require_person()
            self._require_lease()
            answer, exchanges = await self._send(step)
        finally:
            if answer is None:
                self._bench.pace.abandon(asked)
        self._evidence.exchanges += exchanges
        self._bench.pace.note(answer, asked)
        return answer

    def _asked(self, step: Call) -> Asked:
        about, *beside = step.operations or self._works
        return Asked(step.request.is_safe, step.request.is_filtered, about, tuple(beside))

    async def _send(self, step: Call) -> tuple[Answer, tuple[Exchange, ...]]:
        before = self._evidence.doubted
        if not step.request.is_safe:
            self._evidence.doubted = before.union(step.operations or self._works)
        try:
            answer, exchanges = await self._bench.sender.send(step.request)
        except ConfigurationError:
            # It is raised instead of sending, or after an answer that refused to do anything.
            self._evidence.doubted = before
            raise
        if answer.meaning in CHANGED_NOTHING:
            self._evidence.doubted = before
        return answer, exchanges

    async def _require_person(self) -> None:
        persons = {item.person for item in self._works.values()}
        if await are_closed(self._bench.ledger, persons):
            raise PersonErasedError

    def _require_lease(self) -> None:
        left = self._lease.until - self._bench.ledger.clock.monotonic()
        if left < self._bench.request_seconds_max:
            raise LeaseLostError

    async def _progress(self, step: Progress) -> None:
        try:
            is_ours = await self._bench.writer.progress(
                self._works[step.operation],
                step,
                tenure=self._lease.tenure,
                exchanges=self._evidence.exchanges,
            )
        except ConflictError as error:
            raise TargetTakenError(step.operation) from error
        # Only what is on record is told: what failed is told with the settlement.
        self._evidence.exchanges.clear()
        if not is_ours:
            raise LeaseLostError

    async def _who_holds(self, step: WhoHolds) -> Mapping[TargetId, SourceRef]:
        entity = next(iter(self._works.values())).operation.reference.entity
        return await self._bench.ledger.read_folded(
            lambda connection, scope: mapping_store.holders(
                connection, scope, entity=entity, targets=step.targets
            )
        )

    def _cut_short(self, key: OperationKey, error: BaseException) -> Settlement:
        in_doubt = key in self._evidence.doubted or self._works[key].work.possibly_sent
        outcome = Outcome.UNCERTAIN if in_doubt else Outcome.RETRY
        match error:
            case PersonErasedError():
                # Whatever was in doubt is found out before anything is sent again.
                return Settlement(key, Outcome.HELD, Reason.PERSON_ERASED)
            case TargetTakenError(operation=operation) if operation == key:
                return Settlement(key, Outcome.HELD, Reason.HELD_BY_ANOTHER)
            case TargetTakenError():
                reason = Reason.AFTER_OTHERS
            case ConfigurationError():
                reason = Reason.UNAUTHORISED
            case LeaseLostError() | asyncio.CancelledError():
                reason = Reason.INTERRUPTED
            case _:
                # It counts, so that it cannot go on for ever.
                return Settlement(key, outcome, Reason.UNEXPECTED)
        return Settlement(key, outcome, reason, retry_seconds=0.0, counts_as_failure=False)

    async def _settle(self, settlements: Sequence[Settlement]) -> tuple[Settlement, ...]:
        verdicts = await self._judge.judge(
            (self._works[each.operation].operation, each) for each in settlements
        )
        is_ours = await self._bench.writer.settle(
            tuple(self._works.values()),
            verdicts,
            tenure=self._lease.tenure,
            exchanges=self._evidence.exchanges,
        )
        self._evidence.exchanges.clear()
        for verdict in verdicts:
            self._tell(verdict.settlement, is_ours=is_ours)
        return tuple(verdict.settlement for verdict in verdicts) if is_ours else ()

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


def _put_off(standstill: Standstill) -> Answer:
    meaning = Meaning.THROTTLED if standstill.is_throttled else Meaning.UNAVAILABLE
    return Answer(meaning, None, retry_after_seconds=standstill.seconds, fault="paused")
