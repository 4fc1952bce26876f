"""Judges settlements by how their operations fared, in this process and in those before it."""

from collections.abc import Callable, Iterable
from functools import cache

from ledger.ledger import Ledger
from ledger.outbox.operation import Operation
from sync.dispatcher.backoff import Retry
from sync.dispatcher.judging import PUT_OFF, Verdict, excuse, hold_if_stuck, pause_seconds
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Settlement
from sync.dispatcher.witness_store import were_others_answered


class Judge:
    """Says what settlements come to, and how long their operations rest."""

    def __init__(self, ledger: Ledger, pace: Pace, *, settle_seconds: float) -> None:
        self._ledger = ledger
        self._pace = pace
        self._settle_seconds = settle_seconds

    async def judge(self, told: Iterable[tuple[Operation, Settlement]]) -> list[Verdict]:
        """Return what the settlements of one conversation come to, each beside its operation."""
        # It is one retry, however many operations it carries: counted for each of them, the first
        # moment of an outage would spend the whole budget, and some rest long after it.
        retry = cache(self._pace.retry)
        return [await self._judge(*each, retry=retry) for each in told]

    async def _judge(
        self, operation: Operation, settlement: Settlement, *, retry: Callable[[], Retry]
    ) -> Verdict:
        is_own = await self._is_own_trouble(settlement)
        counted = excuse(settlement, is_own_trouble=is_own)
        failures = operation.failures + (1 if counted.counts_as_failure else 0)
        judged = hold_if_stuck(counted, failures=failures, is_own_trouble=is_own)
        pause = pause_seconds(
            judged,
            settle_seconds=self._settle_seconds,
            back_off=lambda asked: retry().pause_seconds(failures, asked=asked),
        )
        return Verdict(judged, max(0.0, pause))

    async def _is_own_trouble(self, settlement: Settlement) -> bool:
        name = settlement.operation
        if self._pace.is_own_trouble(name):
            return True
        # A fault on our side counts whatever the log says.
        is_ours = settlement.reason == Reason.UNEXPECTED
        may_count = settlement.outcome in PUT_OFF and settlement.counts_as_failure and not is_ours
        if not may_count or not self._pace.is_own_trouble(name, others_answered=True):
            return False
        # Only here, where an operation may be alone in its trouble, is the log asked.
        return await self._ledger.read_folded(
            lambda connection, scope: were_others_answered(connection, scope, operation=name)
        )
