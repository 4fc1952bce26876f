"""The pace of one tenant: who may call now, and what the answers say about calling on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from ledger.clock import Clock
from sync.dispatcher import backoff, circuit, rate_limit
from sync.dispatcher.circuit import Circuit, Sign
from sync.dokstamp.answer import Answer, Meaning

WAIT_SECONDS_MAX: Final = 1.0
"""The longest wait that a conversation sits out; a longer one is a retry at a later moment."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why nothing may be called now, and for how long."""

    seconds: float
    is_throttled: bool


class Pace:
    """Token bucket, circuit and retry budget of a tenant, kept for the life of the process."""

    def __init__(
        self,
        *,
        per_second_max: float,
        lanes_max: int,
        clock: Clock,
        rng: Random,
        probe_seconds: float = circuit.PROBE_SECONDS_MIN,
        announce_circuit: Callable[[Circuit], None] | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._lanes_max = lanes_max
        self._bucket = rate_limit.make_bucket(per_second_max, clock.now())
        self._circuit = Circuit()
        self._probe_seconds = probe_seconds
        self._budget = backoff.Budget()
        self._throttles = 0
        """Pauses in a row for a 429, with nothing let through between them."""
        self._under_way = 0
        self._announce = announce_circuit or (lambda _circuit: None)

    @property
    def circuit(self) -> Circuit:
        """Whether calls go."""
        return self._circuit

    @property
    def is_healthy(self) -> bool:
        """Whether the service answers others, so that trouble is one operation's own."""
        return self._circuit.state is circuit.State.CLOSED and self._circuit.failures <= 1

    def lanes_open(self) -> int:
        """Return how many conversations may go on at once now; none while nothing may be called."""
        if self._circuit.state is not circuit.State.CLOSED:
            return 1 if self._probe_wait() <= 0 else 0
        if self._pause_wait() > WAIT_SECONDS_MAX:
            return 0
        return min(self._lanes_max, self._circuit.calls_max or self._lanes_max)

    def seconds_until_open(self) -> float:
        """Return how long until something may be called again; 0 if it may be now."""
        return max(0.0, self._probe_wait(), self._pause_wait())

    async def admit(self) -> Standstill | None:
        """Return once a call may go; returns a standstill where that would take long."""
        while True:
            standstill = self._standstill()
            if standstill is not None:
                return standstill
            wait = self._ask()
            if wait == 0:
                self._under_way += 1
                return None
            # Slept in short stretches, for a pause of the whole tenant may come meanwhile.
            await self._clock.sleep(min(wait, WAIT_SECONDS_MAX))

    def note(self, answer: Answer, *, is_filtered: bool = False) -> None:
        """Learn from an answer; call it once for every call that was admitted."""
        now = self._clock.now()
        self._under_way -= 1
        self._budget = backoff.earn(self._budget)
        self._note_rate(answer, now)
        before = self._circuit
        self._circuit = circuit.record(
            before,
            circuit.sign_of(answer, is_filtered=is_filtered),
            now=now,
            calls_max=self._lanes_max,
            probe_seconds=self._probe_seconds,
        )
        if before.state is not self._circuit.state:
            self._announce(self._circuit)

    def abandon(self) -> None:
        """Forget a call that was admitted and never answered, because it was cancelled."""
        self._under_way -= 1

    def pause_seconds(self, failures: int, *, asked: float | None) -> float:
        """Return how long a failed operation rests; what the service asks for is the least."""
        is_in_budget = True
        # While the circuit is open or the tenant rests, calls are few anyhow. A budget spent on
        # an outage or a throttle would let operations rest long after it.
        if self._circuit.state is circuit.State.CLOSED and self._pause_wait() <= 0:
            self._budget, is_in_budget = backoff.spend(self._budget)
        return backoff.pause_seconds(
            max(1, failures), rng=self._rng, retry_after_seconds=asked, is_in_budget=is_in_budget
        )

    def _ask(self) -> float:
        now = self._clock.now()
        bucket, wait = rate_limit.take(self._bucket, now)
        if wait > 0:
            # Asked before the circuit is: a probe that is let go must be made.
            return wait
        self._circuit, held_up = circuit.admit(self._circuit, now, under_way=self._under_way)
        if held_up is None:
            # Others are under way and the circuit lets no more go: look again soon.
            return WAIT_SECONDS_MAX / 10
        if held_up == 0:
            self._bucket = bucket
        return held_up

    def _standstill(self) -> Standstill | None:
        """Return why a call would have to wait long, the turn that each waits for aside."""
        probe, pause = self._probe_wait(), self._pause_wait()
        if max(probe, pause) <= WAIT_SECONDS_MAX:
            return None
        return Standstill(max(probe, pause), is_throttled=pause >= probe)

    def _note_rate(self, answer: Answer, now: datetime) -> None:
        if answer.meaning is Meaning.THROTTLED:
            wait = self._throttle_seconds(answer.retry_after_seconds)
            self._bucket = rate_limit.throttled(self._bucket, wait_seconds=wait, now=now)
        elif circuit.sign_of(answer) is Sign.ALIVE:
            self._throttles = 0
            self._bucket = rate_limit.adapt(
                rate_limit.passed(self._bucket), answer.rate_limit, now=now
            )

    def _throttle_seconds(self, asked: float | None) -> float:
        """Return how long the tenant rests after a 429: longer each time, unless it is told."""
        if self._pause_wait() <= 0:
            # Calls under way together are throttled together, which is one message, not many.
            self._throttles += 1
        if asked is not None:
            return asked
        return backoff.pause_seconds(self._throttles, rng=self._rng)

    def _probe_wait(self) -> float:
        probe_at = self._circuit.probe_at
        if self._circuit.state is circuit.State.CLOSED or probe_at is None:
            return 0.0
        # The bound heals a clock that was set back.
        wait = (probe_at - self._clock.now()).total_seconds()
        return min(wait, self._circuit.probe_seconds)

    def _pause_wait(self) -> float:
        return rate_limit.paused_seconds(self._bucket, self._clock.now())
