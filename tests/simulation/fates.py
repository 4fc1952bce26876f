"""What becomes of one request: when it takes effect, what is heard of it, and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Final

from sync.dokstamp.answer import Fault
from sync.dokstamp.wire import Incoming
from tests.simulation.faults import SETTLE_SECONDS

HTML: Final = b"<html><body>Bad gateway</body></html>"
SERVER_FAULTS: Final = (500, 502, 503, 504)
TOO_MANY: Final = b'{"success":false,"message":"Too Many Attempts."}'
BROKEN: Final = b'{"success":false,"message":"Server Error"}'


@dataclass(frozen=True, slots=True)
class Fate:
    """When a request takes effect and when its sender hears what; `None` is never."""

    kind: str = ""
    effect_after: float | None = None
    answer_after: float | None = None
    incoming: Incoming | None = None
    """What is heard instead of the service's own answer."""
    fault: str = ""
    """What breaks inside the service's own answer."""
    revokes_tokens: bool = False
    told: str = ""
    """What it is counted as, where its kind alone does not say it."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a fate is drawn with."""

    rng: Random
    seconds_left: float
    now: datetime
    search_lag: float = 0.0

    def soon(self) -> float:
        """Return a usual delay of one way."""
        return 0.02 + 0.2 * self.rng.random()


def draw_fate(weights: Mapping[str, float], share: float, about: Circumstances) -> Fate:
    """Return what becomes of a request, mostly nothing special."""
    rng = about.rng
    if not share or rng.random() >= share:
        effect = about.soon()
        return Fate(effect_after=effect, answer_after=effect + about.soon())
    kind = rng.choices(tuple(weights), tuple(weights.values()))[0]
    return FATES[kind](kind, about)


def struck_by(outage: str, rng: Random) -> Fate:
    """Return what becomes of a request during an outage: it never takes effect."""
    told = f"call during an outage ({outage})"
    match outage:
        case "refused":
            refused = Incoming(None, fault=Fault.CONNECT)
            return Fate(outage, answer_after=0.01, incoming=refused, told=told)
        case "reset":
            reset = Incoming(None, fault=Fault.RESET)
            return Fate(outage, answer_after=0.1, incoming=reset, told=told)
        case "silent":
            return Fate(outage, told=told)
        case _:
            delay = 0.05 + rng.random() / 10
            return Fate(outage, answer_after=delay, incoming=Incoming(503, BROKEN), told=told)


def _connect(kind: str, about: Circumstances) -> Fate:
    delay = about.rng.choice((0.01, min(10.0, about.seconds_left)))
    return Fate(kind, answer_after=delay, incoming=Incoming(None, fault=Fault.CONNECT))


def _half_open(kind: str, about: Circumstances) -> Fate:  # noqa: ARG001 - as all fates
    return Fate(kind)


def _reset_before(kind: str, about: Circumstances) -> Fate:
    return Fate(kind, answer_after=about.soon(), incoming=Incoming(None, fault=Fault.RESET))


def _lost_answer(kind: str, about: Circumstances) -> Fate:
    return Fate(kind, effect_after=about.soon())


def _reset_after(kind: str, about: Circumstances) -> Fate:
    effect = about.soon()
    reset = Incoming(None, fault=Fault.RESET)
    return Fate(kind, effect, effect + about.soon(), incoming=reset)


def _late(kind: str, about: Circumstances) -> Fate:
    # It must show in lists before the window ends: that is what is promised of it.
    return _after_giving_up(
        kind, about, (0.95 * SETTLE_SECONDS - about.search_lag) * about.rng.random()
    )


def late_beyond(about: Circumstances) -> Fate:
    """Return an effect that comes after the settle window, but before the look that finds it."""
    return _after_giving_up("late_beyond", about, SETTLE_SECONDS * about.rng.uniform(1.2, 8))


def _after_giving_up(kind: str, about: Circumstances, seconds: float) -> Fate:
    if about.rng.random() < 0.5:
        return Fate(kind, effect_after=about.seconds_left + seconds)
    reset_at = about.soon()
    reset = Incoming(None, fault=Fault.RESET)
    return Fate(kind, reset_at + seconds, reset_at, incoming=reset)


def _slow(kind: str, about: Circumstances) -> Fate:
    effect = about.seconds_left * 0.9 * about.rng.random()
    return Fate(kind, effect, effect + about.seconds_left * 0.2 * about.rng.random())


def _slow_body(kind: str, about: Circumstances) -> Fate:
    heard = about.seconds_left * 0.999
    # Whoever sends again after a new token may have next to no time left.
    return Fate(kind, min(about.soon(), heard / 2), heard, fault=Fault.TIMEOUT)


def _incomplete(kind: str, about: Circumstances) -> Fate:
    effect = about.soon()
    return Fate(kind, effect, effect + about.soon(), fault=Fault.INCOMPLETE)


def _html_before(kind: str, about: Circumstances) -> Fate:
    page = Incoming(about.rng.choice((200, 502)), HTML)
    return Fate(kind, answer_after=about.soon(), incoming=page)


def _html_after(kind: str, about: Circumstances) -> Fate:
    effect = about.soon()
    page = Incoming(about.rng.choice((200, 502)), HTML)
    return Fate(kind, effect, effect + about.soon(), incoming=page)


def _error_before(kind: str, about: Circumstances) -> Fate:
    error = Incoming(about.rng.choice(SERVER_FAULTS), BROKEN)
    return Fate(kind, answer_after=about.soon(), incoming=error)


def _error_after(kind: str, about: Circumstances) -> Fate:
    effect = about.soon()
    error = Incoming(about.rng.choice(SERVER_FAULTS), BROKEN)
    return Fate(kind, effect, effect + about.soon(), incoming=error)


def _throttle(kind: str, about: Circumstances) -> Fate:
    form = about.rng.choice(tuple(FORMS))
    refusal = Incoming(429, TOO_MANY, FORMS[form](about))
    return Fate(kind, answer_after=about.soon(), incoming=refusal, told=f"429 with {form}")


def _date(about: Circumstances, seconds: float) -> dict[str, str]:
    moment = about.now + timedelta(seconds=seconds)
    return {"retry-after": format_datetime(moment, usegmt=True)}


def _limits(about: Circumstances) -> dict[str, str]:
    reset = about.rng.randint(1, 40)
    shown = about.rng.choice((reset, int(about.now.timestamp()) + reset))
    limits = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0"}
    return {**limits, "x-ratelimit-reset": str(shown)} if about.rng.random() < 0.7 else limits


FORMS: Final[Mapping[str, Callable[[Circumstances], dict[str, str]]]] = {
    "no Retry-After": lambda _about: {},
    "seconds": lambda about: {"retry-after": str(about.rng.choice((0, 1, 3.5, 12, 40)))},
    "a date": lambda about: _date(about, about.rng.uniform(1, 90)),
    "a date that is past": lambda about: _date(about, -90),
    "nonsense": lambda about: {
        "retry-after": about.rng.choice(("-5", "soon", "9999999999", "1e3", "", "7, 9"))
    },
    "X-RateLimit headers": _limits,
    "X-RateLimit headers and seconds": lambda about: {
        **_limits(about),
        "retry-after": str(about.rng.randint(1, 40)),
    },
}
"""The forms that a refusal for the rate has in the wild."""


def _revoke(kind: str, about: Circumstances) -> Fate:
    effect = about.soon()
    return Fate(kind, effect, effect + about.soon(), revokes_tokens=True)


FATES: Final[Mapping[str, Callable[[str, Circumstances], Fate]]] = {
    "connect": _connect,
    "half_open": _half_open,
    "reset_before": _reset_before,
    "lost_answer": _lost_answer,
    "reset_after": _reset_after,
    "late": _late,
    "slow": _slow,
    "slow_body": _slow_body,
    "incomplete": _incomplete,
    "html_before": _html_before,
    "html_after": _html_after,
    "error_before": _error_before,
    "error_after": _error_after,
    "throttle": _throttle,
    "revoke_tokens": _revoke,
}
