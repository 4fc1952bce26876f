"""Whether to call at all: a circuit that opens when nothing works and closes with care.

```
            failures in a row                    interval over
   CLOSED ───────────────────► OPEN ──────────────────────────► HALF_OPEN
     ▲  ▲                       ▲                                 │    │
     │  └── success: more calls │ failure: longer interval        │    │
     │      at once, up to all  └─────────────────────────────────┘    │
     └──────────── the probe succeeds: one call at a time ─────────────┘
```
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
    calls_max: int | None = None
    """How many calls may be under way while it closes; None once it is closed for good."""
    probe_seconds: float = PROBE_SECONDS_MIN
    probe_at: datetime | None = None
    """When the next probe may go, unless the circuit is closed."""


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


def record(
    circuit: Circuit,
    sign: Sign,
    *,
    now: datetime,
    calls_max: int,
    probe_seconds: float = PROBE_SECONDS_MIN,
) -> Circuit:
    """Return the circuit after an answer; `calls_max` is how many calls go in good times.

    The first probe goes that many seconds after the circuit opens.
    """
    match circuit.state, sign:
        case State.CLOSED, Sign.ALIVE:
            return _widen(replace(circuit, failures=0), calls_max)
        case State.CLOSED, Sign.FAILED:
            return _count_failure(circuit, now, probe_seconds)
        case State.HALF_OPEN, Sign.ALIVE | Sign.ODD:
            # After an odd answer the same list is asked for whole, and that call decides.
            return Circuit(calls_max=1 if calls_max > 1 else None)
        case State.HALF_OPEN, Sign.FAILED:
            longer = min(circuit.probe_seconds * 2, PROBE_SECONDS_MAX)
            return _open(circuit, now, longer)
        case _:
            # What was sent before the circuit opened says nothing new.
            return circuit


def _widen(circuit: Circuit, calls_max: int) -> Circuit:
    if circuit.calls_max is None:
        return circuit
    doubled = circuit.calls_max * 2
    return replace(circuit, calls_max=doubled if doubled < calls_max else None)


def _count_failure(circuit: Circuit, now: datetime, probe_seconds: float) -> Circuit:
    failures = circuit.failures + 1
    # While it closes, a single failure is enough to show that it was too early.
    if failures >= FAILURES_MAX or circuit.calls_max is not None:
        return _open(replace(circuit, failures=failures), now, probe_seconds)
    return replace(circuit, failures=failures)


def _open(circuit: Circuit, now: datetime, probe_seconds: float) -> Circuit:
    return Circuit(
        State.OPEN,
        circuit.failures,
        probe_seconds=probe_seconds,
        probe_at=now + timedelta(seconds=probe_seconds),
    )
