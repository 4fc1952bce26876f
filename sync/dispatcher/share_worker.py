"""A host's part of its tenant's rate: asked for once a second, used up evenly."""

import asyncio
import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from ledger.clock import EPOCH, Clock
from ledger.errors import LedgerBusyError
from sync.dispatcher import allowance, rate_limit, shares
from sync.dispatcher.outage import Outage
from sync.dispatcher.shares import Grant, Report, Slice, Tenant
from sync.dokstamp.answer import RateLimit

GROWTH: Final = 1.25
"""How much more than it used a host asks for, so that it can speed up."""
SLOTS_HELD: Final = 3
BUSY_SECONDS: Final = 0.5
"""How long a probe waits that nobody could be asked about."""


class PaceBook(Protocol):
    """Where the hosts of a tenant share out its rate."""

    async def exchange(self, report: Report, outage: Outage | None) -> Grant:
        """Hand in what a host wants and learnt, and return what it may do."""

    async def stop(self, why: str) -> None:
        """Put on record that a host sends nothing more until a person has mended something."""


class LoneBook:
    """A book for a host that shares with nobody."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tenant = Tenant()

    async def exchange(self, report: Report, outage: Outage | None) -> Grant:  # noqa: ARG002
        """Return what the only host may do."""
        self._tenant, grant = shares.deal(
            self._tenant, report, now=self._clock.monotonic(), others=()
        )
        return grant

    async def stop(self, why: str) -> None:
        """Tell nobody: there is nobody else."""


class Share:
    """Asks for parts of the rate in time, and tells what was learnt of it."""

    def __init__(self, *, per_second_max: float, clock: Clock, book: PaceBook) -> None:
        self._clock = clock
        self._book = book
        self._asking = asyncio.Lock()
        self._nothing_new = Report(per_second_max)
        self._news = self._nothing_new
        self._is_urgent = False
        self._slices: list[tuple[datetime, Slice]] = []
        self._asked_at = self.now()
        self._calls = 0
        self._had_to_wait = True
        self._has_succeeded = False
        # The first call of all goes at once; what follows is given by the book.
        self._bucket = rate_limit.make_bucket(0.0, self._asked_at)
        self._allowance: allowance.Allowance | None = None
        self.allowed_per_second: float | None = None
        """What all hosts together may use."""

    def now(self) -> datetime:
        """Return the moment on the clock that never jumps."""
        return EPOCH + timedelta(seconds=self._clock.monotonic())

    @property
    def pause_wait(self) -> float:
        """How long all calls rest, zero or less if they do not."""
        return rate_limit.paused_seconds(self._bucket, self.now())

    def take(self, *, is_wanted: bool) -> float:
        """Return how long one more call has to wait, and count it if that is 0 and it is wanted."""
        now = self.now()
        self._roll(now)
        bucket, wait = rate_limit.take(self._bucket, now)
        self._had_to_wait |= wait > 0
        if wait == 0 and is_wanted:
            self._bucket = bucket
            self._calls += 1
        return wait

    def throttled(self, seconds: float) -> None:
        """Rest after a 429, and let the others know."""
        is_news = self.pause_wait <= 0
        self._pause(seconds)
        self._news = replace(self._news, is_throttled=self._news.is_throttled or is_news)

    def passed(self, *, is_success: bool) -> None:
        """Count a call that was not throttled."""
        # The others hear at once of the first that shows that they may call again.
        self._is_urgent |= is_success and not self._has_succeeded
        self._has_succeeded |= is_success
        self._news = replace(
            self._news,
            passed=self._news.passed + 1,
            has_succeeded=self._news.has_succeeded or is_success,
        )

    def returned(self) -> None:
        """Begin slowly after an outage, and let the others know."""
        # What was given before it was known is used as slowly as what will be given.
        self._slices = [(starts_at, _slowed(each)) for starts_at, each in self._slices]
        self._news = replace(self._news, has_returned=True)
        self._is_urgent = True

    def tell_soon(self) -> None:
        """Let the others know at the next occasion how the service fares."""
        self._is_urgent = True

    def observe(self, told: RateLimit | None, *, under_way: int) -> None:
        """Learn from what the service tells of its limit."""
        now = self.now()
        if told is None or told.limit is None:
            return
        seen = self._allowance = allowance.observe(
            self._allowance, told, now=now, under_way=under_way
        )
        if seen is None:
            return
        # Told with every report in which an answer told it, and so forgotten when none does.
        self._news = replace(self._news, told_per_second=seen.per_second)
        self._keep_to(seen.per_second)
        rest = allowance.wait_seconds(seen, now=now, under_way=under_way)
        if rest > 0:
            self._pause(rest)

    async def refresh(self, outage: Outage | None, *, probe_seconds: float = 0.0) -> float:
        """Ask for the coming second where that is due; returns how long to leave probes to others.

        It is due once a second, when there is news for the others, and before a probe.
        """
        if not self._is_due() and probe_seconds <= 0:
            return 0.0
        if self._asking.locked() and self._is_covered():
            return BUSY_SECONDS if probe_seconds > 0 else 0.0
        async with self._asking:
            if self._is_due() or probe_seconds > 0:
                return await self._ask(outage, probe_seconds)
            return 0.0

    async def stop(self, why: str) -> None:
        """Put on record that this host sends nothing more until a person has mended something."""
        await self._book.stop(why)

    async def tell(self, outage: Outage | None) -> None:
        """Tell the others what they must know now, if there is anything."""
        if self._is_urgent:
            await self.refresh(outage)

    async def _ask(self, outage: Outage | None, probe_seconds: float) -> float:
        told, calls = self._report(probe_seconds), self._calls
        self._news, self._is_urgent = self._nothing_new, False
        try:
            grant = await self._book.exchange(told, outage)
        except BaseException as error:
            self._news = _again(told, self._news)
            self._is_urgent = True
            if isinstance(error, LedgerBusyError):
                return BUSY_SECONDS if probe_seconds > 0 else 0.0
            raise
        self._asked_at, self._had_to_wait = self.now(), False
        self._calls -= calls
        self._apply(grant)
        return grant.probe_wait

    def _report(self, probe_seconds: float) -> Report:
        seconds = max(shares.SLOT_SECONDS / 2, (self.now() - self._asked_at).total_seconds())
        wanted = math.inf if self._had_to_wait else GROWTH * self._calls / seconds
        return replace(
            self._news,
            wanted=wanted,
            held_slot=max((each.slot for _, each in self._slices), default=-1),
            probe_seconds=probe_seconds,
            pause_seconds=max(self._news.pause_seconds and self.pause_wait, 0.0),
        )

    def _apply(self, grant: Grant) -> None:
        ahead = self.now() - (EPOCH + timedelta(seconds=grant.now))
        for each in grant.slices:
            self._slices.append((EPOCH + timedelta(seconds=each.starts_at) + ahead, each))
        del self._slices[:-SLOTS_HELD]
        self.allowed_per_second = grant.allowed_per_second
        rest = grant.paused_until - grant.now
        if rest > self.pause_wait:
            self._bucket = rate_limit.rest(self._bucket, rest, now=self.now())

    def _keep_to(self, per_second: float) -> None:
        """Go by a limit at once where none was known; from the next second on the book does."""
        if self.allowed_per_second is None and self._slices:
            self.allowed_per_second = per_second * shares.HEADROOM
            allowed = self.allowed_per_second
            self._slices = [
                (starts_at, _limited(each, allowed)) for starts_at, each in self._slices
            ]
            self._is_urgent = True

    def _pause(self, seconds: float) -> None:
        self._bucket = rate_limit.rest(self._bucket, seconds, now=self.now())
        self._news = replace(self._news, pause_seconds=seconds)
        self._is_urgent = True

    def _roll(self, now: datetime) -> None:
        """Fill the bucket by each part of the rate for as long as it lasts."""
        for starts_at, each in self._slices:
            if starts_at <= now:
                self._bucket = rate_limit.with_rate(self._bucket, each.per_second, at=starts_at)
        last = self._slices[-1] if self._slices else None
        ends_at = now if last is None else last[0] + timedelta(seconds=shares.SLOT_SECONDS)
        if ends_at <= now:
            self._bucket = rate_limit.with_rate(self._bucket, 0.0, at=ends_at)
            self._slices.clear()

    def _is_due(self) -> bool:
        # The part of the second that began last is the last one there is.
        return self._is_urgent or not self._slices or self._slices[-1][0] <= self.now()

    def _is_covered(self) -> bool:
        now, second = self.now(), timedelta(seconds=shares.SLOT_SECONDS)
        return any(starts_at <= now < starts_at + second for starts_at, _ in self._slices)


def _limited(part: Slice, per_second: float) -> Slice:
    return replace(part, per_second=per_second) if part.per_second is None else part


def _slowed(part: Slice) -> Slice:
    if part.per_second is None:
        return part
    return replace(part, per_second=part.per_second * shares.SHARE_AFTER_OUTAGE)


def _again(told: Report, since: Report) -> Report:
    """Return what is still to be told after a report was lost."""
    return replace(
        since,
        passed=told.passed + since.passed,
        has_succeeded=told.has_succeeded or since.has_succeeded,
        is_throttled=told.is_throttled or since.is_throttled,
        pause_seconds=max(told.pause_seconds, since.pause_seconds),
        told_per_second=told.told_per_second
        if since.told_per_second is None
        else since.told_per_second,
        has_returned=told.has_returned or since.has_returned,
    )
