"""The pace of one tenant: who may call now, and what the answers say about calling on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from ledger.clock import Clock
from sync.dispatcher import backoff, blame, circuit
from sync.dispatcher.circuit import Circuit, Sign, State
from sync.dispatcher.outage import Outage, outage_of
from sync.dispatcher.share_worker import LoneBook, PaceBook, Share
from sync.dispatcher.tidings import Tidings
from sync.dokstamp.answer import Answer, Meaning
from sync.telemetry.signals import Announce, nobody

WAIT_SECONDS_MAX: Final = 1.0
"""The longest wait that a conversation sits out; a longer one is a retry at a later moment."""
LOOK_SECONDS: Final = 0.1
"""How soon to look again whether a call that goes alone is back."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why nothing may be called now, and for how long."""

    seconds: float
    is_throttled: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call is, as far as its pace is concerned."""

    is_safe: bool = True
    is_filtered: bool = False
    about: str = ""
    """The operation that a write is for."""
    beside: tuple[str, ...] = ()
    """The others that it is for as well."""


READ: Final = Asked()


class Pace:
    """A host's part of the tenant's rate, the circuits and the retry budget, for a process' life.

    All moments are on the clock that never jumps; only what people see is on theirs.
    """

    def __init__(
        self,
        *,
        per_second_max: float,
        lanes_max: int,
        clock: Clock,
        rng: Random,
        probe_seconds: float = circuit.PROBE_SECONDS_MIN,
        book: PaceBook | None = None,
        announce: Announce = nobody,
    ) -> None:
        if per_second_max < 0:
            message = "DOKSTAMP_REQUESTS_PER_SECOND_MAX is negative: set 0 for no limit"
            raise ValueError(message)
        self._clock = clock
        self._rng = rng
        self._lanes_max = lanes_max
        self._share = Share(
            per_second_max=per_second_max, clock=clock, book=book or LoneBook(clock)
        )
        self._calls, self._writes = Circuit(), Circuit()
        self._fared = blame.Writes()
        self._probe_seconds = probe_seconds
        self._budget = backoff.Budget()
        self._throttles = 0
        """Pauses in a row for a 429, with nothing let through between them."""
        self._under_way = 0
        self._writes_under_way = 0
        self._tidings = Tidings(announce)
        self._turn_until: datetime | None = None
        """Until when the next probe is ours, as far as other hosts are concerned."""
        self._failed_probes: tuple[str, str] = ("", "")
        """What the last two writes were about that failed to show that writes work."""

    @property
    def is_in_trouble(self) -> bool:
        """Whether calls, or only writes, do not go as they should."""
        return self._calls.is_in_trouble or self._writes.is_in_trouble

    @property
    def circuit(self) -> Circuit:
        """Whether calls go; if all do, whether writes go."""
        return self._calls if self._calls.is_in_trouble else self._writes

    @property
    def outage(self) -> Outage | None:
        """Since when calls do not go, and why; `None` while they go."""
        ahead = self._clock.now() - self._share.now()
        return outage_of(self._calls, self._writes, ahead=ahead)

    @property
    def allowed_per_second(self) -> float | None:
        """The rate that all hosts together may use now, if there is a limit."""
        return self._share.allowed_per_second

    @property
    def is_healthy(self) -> bool:
        """Whether the service answers others, so that trouble is one operation's own."""
        is_closed = all(each.state is State.CLOSED for each in (self._calls, self._writes))
        return is_closed and self._calls.failures <= 1

    def is_own_trouble(self, operation: str, *, others_answered: bool = False) -> bool:
        """Return whether what failed last of an operation is its own trouble, not everybody's.

        While no write is answered, here or as others tell, nothing shows that, however few they
        are. Where reads work and the same write fails probe after probe, nothing shows an outage.
        """
        if not (others_answered or blame.may_blame(self._fared, operation)):
            return False
        is_suspect = self._failed_probes == (operation, operation)
        is_read = self._calls.state is State.CLOSED and self._calls.failures <= 1
        return self.is_healthy or (is_suspect and is_read)

    def lanes_open(self) -> int:
        """Return how many conversations may go on at once now; none while nothing may be called."""
        if any(each.state is not State.CLOSED for each in (self._calls, self._writes)):
            return 1 if self._probe_wait() <= 0 else 0
        if self._share.pause_wait > WAIT_SECONDS_MAX:
            return 0
        limits = (self._calls.calls_max, self._writes.calls_max)
        return min((self._lanes_max, *(limit for limit in limits if limit is not None)))

    def seconds_until_open(self) -> float:
        """Return how long until something may be called again; 0 if it may be now."""
        return max(0.0, self._probe_wait(), self._share.pause_wait)

    async def tell(self) -> None:
        """Let other hosts know what was learnt, also while nothing may be called."""
        before, now = self.outage, self._share.now()
        self._calls = circuit.settle(self._calls, now)
        self._writes = circuit.settle(self._writes, now)
        self._tell_change(before)
        await self._share.tell(self.outage)

    async def stop(self, why: str) -> None:
        """Let whoever asks know that this host sends nothing more, and why."""
        await self._share.stop(why)

    async def may_go(self) -> bool:
        """Tell whether a conversation may be begun, as far as other hosts are concerned."""
        if all(each.state is State.CLOSED for each in (self._calls, self._writes)):
            await self._share.refresh(self.outage)
        elif self._turn_until is None or self._turn_until <= self._share.now():
            # One host looks whether the service is back, and not every one.
            seconds = self._probe_seconds_now()
            wait = await self._share.refresh(self.outage, probe_seconds=seconds)
            self._put_probe_off(wait)
            if wait <= 0:
                self._turn_until = self._share.now() + timedelta(seconds=seconds)
        return self.lanes_open() > 0

    async def admit(self, asked: Asked = READ) -> Standstill | None:
        """Return once a call may go; returns a standstill where that would take long."""
        while True:
            await self._share.refresh(self.outage)
            standstill = self._standstill(asked)
            if standstill is not None:
                return standstill
            wait = self._ask(asked)
            if wait == 0:
                self._count(asked, 1)
                return None
            # Slept in short stretches, for a pause of the whole tenant may come meanwhile.
            await self._clock.sleep(min(wait, WAIT_SECONDS_MAX))

    def note(self, answer: Answer, asked: Asked = READ) -> None:
        """Learn from an answer; call it once for every call that was admitted."""
        self._count(asked, -1)
        self._budget = backoff.earn(self._budget)
        self._note_rate(answer)
        before = self.outage
        sign = circuit.sign_of_all(
            self._calls, answer, is_safe=asked.is_safe, is_filtered=asked.is_filtered
        )
        self._calls = self._recorded(self._calls, sign, answer)
        if not asked.is_safe:
            sign = circuit.sign_of_writes(answer)
            self._fared = blame.heard(self._fared, sign, about=(asked.about, *asked.beside))
            if self._writes.state is State.HALF_OPEN and sign is Sign.FAILED:
                self._failed_probes = (self._failed_probes[1], asked.about)
            self._writes = self._recorded(self._writes, sign, answer, about=asked.about)
        self._tell_change(before)

    def abandon(self, asked: Asked = READ) -> None:
        """Forget a call that was admitted and never answered, because it was cancelled."""
        self._count(asked, -1)

    def retry(self) -> backoff.Retry:
        """Count one conversation that is to be held again; returns how long that rests."""
        is_in_budget = True
        # While the circuit is open or the tenant rests, calls are few anyhow. A budget spent on
        # an outage or a throttle would let operations rest long after it.
        if self.outage is None and self._share.pause_wait <= 0:
            self._budget, is_in_budget = backoff.spend(self._budget)
        return backoff.Retry(self._rng, is_in_budget=is_in_budget)

    def _count(self, asked: Asked, number: int) -> None:
        self._under_way += number
        self._writes_under_way += 0 if asked.is_safe else number

    def _ask(self, asked: Asked) -> float:
        # Asked before the circuit is: a probe that is let go must be made.
        wait = self._share.take(is_wanted=False)
        if wait > 0:
            return wait
        now = self._share.now()
        calls, held_up = circuit.admit(self._calls, now, under_way=self._under_way)
        writes = self._writes
        if held_up == 0 and not asked.is_safe:
            writes, held_up = circuit.admit(writes, now, under_way=self._writes_under_way)
        if held_up is None:
            # Others are under way and the circuit lets no more go: look again soon.
            return LOOK_SECONDS
        if held_up == 0:
            if (calls, writes) != (self._calls, self._writes):
                # It goes as the probe: the next one is anybody's again.
                self._turn_until = None
            self._calls, self._writes = calls, writes
            self._share.take(is_wanted=True)
        return held_up

    def _standstill(self, asked: Asked) -> Standstill | None:
        """Return why a call would have to wait long, the turn that each waits for aside."""
        probe, pause = self._wait_of(self._calls), self._share.pause_wait
        if not asked.is_safe:
            probe = max(probe, self._wait_of(self._writes))
        if max(probe, pause) <= WAIT_SECONDS_MAX:
            return None
        return Standstill(max(probe, pause), is_throttled=pause >= probe)

    def _note_rate(self, answer: Answer) -> None:
        if answer.meaning is Meaning.THROTTLED:
            wait = self._throttle_seconds(answer.retry_after_seconds)
            self._share.throttled(wait)
            self._share.observe(answer.rate_limit, under_way=self._under_way)
            self._tidings.tell_pause(wait, now=self._clock.now())
        elif circuit.sign_of(answer) is Sign.ALIVE:
            self._throttles = 0
            self._share.passed(is_success=answer.meaning is Meaning.DONE)
            self._share.observe(answer.rate_limit, under_way=self._under_way)

    def _throttle_seconds(self, asked: float | None) -> float:
        """Return how long the tenant rests after a 429: longer each time, unless it is told."""
        if self._share.pause_wait <= 0:
            # Calls under way together are throttled together, which is one message, not many.
            self._throttles += 1
        if asked is not None:
            return asked
        return backoff.pause_seconds(self._throttles, rng=self._rng)

    def _recorded(self, before: Circuit, sign: Sign, answer: Answer, *, about: str = "") -> Circuit:
        after = circuit.record(
            before,
            sign,
            now=self._share.now(),
            calls_max=self._lanes_max,
            probe_seconds=self._probe_seconds,
            reason=circuit.reason_of(answer) if sign is Sign.FAILED else "",
            about=about,
        )
        if before.state is State.HALF_OPEN and after.state is State.CLOSED:
            self._share.returned()
        return after

    def _tell_change(self, before: Outage | None) -> None:
        now_seen = self.outage
        self._tidings.tell(now_seen, now=self._clock.now())
        if (before and before.state) is not (now_seen and now_seen.state):
            self._share.tell_soon()

    def _probe_wait(self) -> float:
        return max(self._wait_of(self._calls), self._wait_of(self._writes))

    def _wait_of(self, asked: Circuit) -> float:
        if asked.state is State.CLOSED or asked.probe_at is None:
            return 0.0
        return (asked.probe_at - self._share.now()).total_seconds()

    def _probe_seconds_now(self) -> float:
        stopped = [each for each in (self._calls, self._writes) if each.state is not State.CLOSED]
        return max(each.probe_seconds for each in stopped)

    def _put_probe_off(self, seconds: float) -> None:
        if seconds > 0:
            now = self._share.now()
            self._calls = circuit.put_off(self._calls, now, seconds)
            self._writes = circuit.put_off(self._writes, now, seconds)
