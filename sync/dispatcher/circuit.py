"""Whether to call at all: a circuit that opens when nothing works and closes with care.

```
            failures in a row                    interval over
   CLOSED ───────────────────► OPEN ──────────────────────────► HALF_OPEN
     ▲  ▲                       ▲                                 │    │
     │  └── success: one call   │ failure: longer interval        │    │
     │      more, up to all     └─────────────────────────────────┘    │
     └──────────── the probe succeeds: one call at a time ─────────────┘
```

Calls have two circuits: one for all of them, one for those that write, for reads may work while
every write fails. A write that fails says nothing of the reads. Only writes for different
operations count, so that one operation which is always refused does not look like an outage.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sync.dokstamp.answer import Answer, Meaning

FAILURES_MAX: Final = 5
"""Failures in a row, over all operations, after which the circuit opens."""
PROBE_SECONDS_MIN: Final = 5.0
PROBE_SECONDS_MAX: Final = 60.0
SETTLE_SECONDS: Final = 60.0
"""How long without a failure after a good probe the trouble is over, however few the calls."""
SUSPECTS_MAX: Final = 100


class State(StrEnum):
    """Whether calls go."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Sign(StrEnum):
    """What an answer says about the service as a whole."""

    ALIVE = "alive"
    FAILED = "failed"
    NONE = "none"
    ODD = "odd"
    """A 500 to a list that was filtered: some services answer so to a column they do not know."""


SIGNS: Final = {
    Meaning.DONE: Sign.ALIVE,
    Meaning.INVALID: Sign.ALIVE,
    Meaning.MISSING: Sign.ALIVE,
    Meaning.UNAUTHORISED: Sign.ALIVE,
    # A 500 to a DELETE is a refusal or trouble, and a 429 is neither trouble nor health.
    Meaning.REFUSED: Sign.NONE,
    Meaning.THROTTLED: Sign.NONE,
    Meaning.UNAVAILABLE: Sign.FAILED,
    Meaning.UNCERTAIN: Sign.FAILED,
}


@dataclass(frozen=True, slots=True)
class Circuit:
    """Whether calls go, how many at once, and when one may be tried."""

    state: State = State.CLOSED
    failures: int = 0
    """Failures in a row."""
    failed: tuple[str, ...] = ()
    """What the failures were about, where only different things count."""
    suspects: tuple[str, ...] = ()
    """What failed already before a probe succeeded; it may fail for reasons of its own."""
    calls_max: int | None = None
    """How many calls may be under way while it closes; None once it is closed for good."""
    probe_seconds: float = PROBE_SECONDS_MIN
    probe_at: datetime | None = None
    """When the next probe may go, unless the circuit is closed."""
    since: datetime | None = None
    """When the trouble began, until calls go again as they did before."""
    reason: str = ""
    """What the last failure was: a fault of the way there, or `status_` and a number."""
    probes: int = 0
    """How many calls failed to show since it opened that the service is back."""
    settles_at: datetime | None = None
    """When it is closed for good unless a call fails; only while it closes."""

    @property
    def is_in_trouble(self) -> bool:
        """Whether calls stopped, and do not go yet as they did before."""
        return self.state is not State.CLOSED or self.calls_max is not None


def reason_of(answer: Answer) -> str:
    """Return in a code what went wrong; `sync.dispatcher.outage` has the words for it."""
    if answer.status is not None and answer.status >= 500:
        return f"status_{answer.status}"
    return str(answer.fault) or "unknown"


def sign_of_all(circuit: Circuit, answer: Answer, *, is_safe: bool, is_filtered: bool) -> Sign:
    """Return what an answer says about all calls."""
    is_failed_write = not is_safe and answer.meaning is Meaning.UNCERTAIN
    if is_failed_write and not circuit.is_in_trouble:
        return Sign.NONE
    return sign_of(answer, is_filtered=is_filtered)


def sign_of_writes(answer: Answer) -> Sign:
    """Return what the answer to a write says about writes; nothing sent says nothing of them."""
    return Sign.NONE if answer.meaning is Meaning.UNAVAILABLE else sign_of(answer)


def sign_of(answer: Answer, *, is_filtered: bool = False) -> Sign:
    """Return what an answer says about the service as a whole (API 7.2 for filtered lists)."""
    is_odd = is_filtered and answer.meaning is Meaning.UNAVAILABLE and answer.status == 500
    return Sign.ODD if is_odd else SIGNS[answer.meaning]


def admit(circuit: Circuit, now: datetime, *, under_way: int) -> tuple[Circuit, float | None]:
    """Return the circuit after a call asks to go, and how long that call must wait.

    A wait of 0 means that it may go. None means until a call under way has ended. A probe that
    never comes back makes room for another after the same interval.
    """
    if circuit.state is State.CLOSED:
        is_full = circuit.calls_max is not None and under_way >= circuit.calls_max
        return circuit, None if is_full else 0.0
    assert circuit.probe_at is not None
    # The bound heals a clock that was set back.
    wait = min((circuit.probe_at - now).total_seconds(), circuit.probe_seconds)
    if wait > 0:
        return circuit, wait
    probe_at = now + timedelta(seconds=circuit.probe_seconds)
    return replace(circuit, state=State.HALF_OPEN, probe_at=probe_at), 0.0


def put_off(circuit: Circuit, now: datetime, seconds: float) -> Circuit:
    """Return the circuit with its next probe left to others for so long."""
    if circuit.state is State.CLOSED:
        return circuit
    return replace(circuit, state=State.OPEN, probe_at=now + timedelta(seconds=seconds))


def settle(circuit: Circuit, now: datetime) -> Circuit:
    """Return the circuit, closed for good where nothing has failed for long since a good probe."""
    is_over = circuit.settles_at is not None and now >= circuit.settles_at
    return Circuit() if is_over and circuit.state is State.CLOSED else circuit


def record(
    circuit: Circuit,
    sign: Sign,
    *,
    now: datetime,
    calls_max: int,
    probe_seconds: float = PROBE_SECONDS_MIN,
    reason: str = "",
    about: str = "",
) -> Circuit:
    """Return the circuit after an answer; `calls_max` is how many calls go in good times.

    The first probe goes that many seconds after the circuit opens. Of failures that are `about`
    something, only those about different things count.
    """
    match circuit.state, sign:
        case State.CLOSED, Sign.ALIVE:
            return _widen(replace(circuit, failures=0, failed=()), calls_max)
        case State.CLOSED, Sign.FAILED:
            told = replace(circuit, reason=reason, since=circuit.since or now)
            return _open_if_lasting(_count(told, about), now, probe_seconds, about=about)
        case State.HALF_OPEN, Sign.ODD:
            # The same list is asked for whole now, and that call decides.
            return replace(circuit, probe_at=now)
        case State.HALF_OPEN, Sign.ALIVE:
            return _narrow(circuit, now) if calls_max > 1 else Circuit()
        case State.HALF_OPEN, Sign.FAILED:
            told = replace(_count(circuit, about), reason=reason)
            return _open_for_longer(told, now, probe_seconds)
        case _:
            # What was sent before the circuit opened says nothing new.
            return circuit


def _narrow(circuit: Circuit, now: datetime) -> Circuit:
    return Circuit(
        calls_max=1,
        suspects=circuit.suspects,
        probe_seconds=circuit.probe_seconds,
        since=circuit.since,
        reason=circuit.reason,
        probes=circuit.probes,
        settles_at=now + timedelta(seconds=SETTLE_SECONDS),
    )


def _widen(circuit: Circuit, calls_max: int) -> Circuit:
    if circuit.calls_max is None or circuit.calls_max + 1 >= calls_max:
        return Circuit()
    return replace(circuit, calls_max=circuit.calls_max + 1)


def _count(circuit: Circuit, about: str) -> Circuit:
    if not about:
        return replace(circuit, failures=circuit.failures + 1)
    failed = circuit.failed if about in circuit.failed else (*circuit.failed, about)
    return replace(circuit, failed=failed, failures=len(failed))


def _open_if_lasting(
    circuit: Circuit, now: datetime, probe_seconds: float, *, about: str
) -> Circuit:
    is_closing, is_lasting = circuit.calls_max is not None, circuit.failures >= FAILURES_MAX
    if not is_closing:
        return _open(circuit, now, probe_seconds) if is_lasting else circuit
    # While it closes, a single failure is enough to show that it was too early; but what failed
    # before, when others did not, is no news.
    if about not in circuit.suspects or is_lasting:
        return _open_for_longer(circuit, now, probe_seconds)
    return replace(circuit, settles_at=now + timedelta(seconds=SETTLE_SECONDS))


def _open_for_longer(circuit: Circuit, now: datetime, probe_seconds: float) -> Circuit:
    longer = min(circuit.probe_seconds * 2, max(probe_seconds, PROBE_SECONDS_MAX))
    return _open(replace(circuit, probes=circuit.probes + 1), now, longer)


def _open(circuit: Circuit, now: datetime, probe_seconds: float) -> Circuit:
    return replace(
        circuit,
        state=State.OPEN,
        failed=(),
        suspects=tuple(dict.fromkeys((*circuit.suspects, *circuit.failed)))[-SUSPECTS_MAX:],
        calls_max=None,
        settles_at=None,
        probe_seconds=probe_seconds,
        probe_at=now + timedelta(seconds=probe_seconds),
    )
