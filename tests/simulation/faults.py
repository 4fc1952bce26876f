"""What goes wrong in a simulation, drawn from its seed before it begins."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

SETTLE_SECONDS = 30.0
LEASE_SECONDS = 60.0
PROBE_SECONDS = 30.0
HOUR, DAY = 3600.0, 86_400.0

WIRE_FAULTS = (
    "connect",
    "half_open",
    "reset_before",
    "lost_answer",
    "reset_after",
    "late",
    "slow",
    "slow_body",
    "incomplete",
    "html_before",
    "html_after",
    "error_before",
    "error_after",
    "throttle",
    "revoke_tokens",
)
"""Faults of single calls; `late_beyond` comes on top in some seeds, for calls that may change."""
WORDS: Mapping[str, str] = {
    "connect": "connection that could not be made",
    "half_open": "half-open connection",
    "reset_before": "connection reset before the effect",
    "lost_answer": "lost answer",
    "reset_after": "connection reset after the effect",
    "late": "late effect within the settle window",
    "late_beyond": "late effect beyond the settle window",
    "slow": "slow answer",
    "slow_body": "body that never ends",
    "incomplete": "body cut short",
    "html_before": "page instead of an answer, no effect",
    "html_after": "page instead of an answer, with its effect",
    "error_before": "5xx without an effect",
    "error_after": "5xx with its effect",
    "revoke_tokens": "tokens revoked in the middle",
}
"""What faults of single calls are counted as."""

MOMENTS = ("step", "sent", "sent", "effect", "answer", "answer", "begin", "commit", "commit")
"""Near which moment of a process it is killed: any of its steps, a call, a transaction."""
OUTAGES = ("refused", "reset", "silent", "503")
BEYOND_SEEDS = 0.04
"""In how many seeds effects come when nobody waits for them any more."""
SWITCHES: Mapping[str, tuple[str, ...]] = {
    "meta_style": ("laravel",),
    "per_page_max": ("15",),
    "nested_lists": ("all",),
    "unknown_filter": ("422", "500"),
    "filter_case": ("exact",),
    "default_order": ("shuffled",),
    "course_code_unique": ("institution", "tenant"),
    "enrollment_unique": ("student_course_cohort",),
    "attach_batch": ("partial_422", "partial_200"),
    "attach_status": ("201", "204"),
    "write_status": ("200",),
    "issue_async_s": ("2", "40"),
    "issue_fields": ("finish", "status"),
    "file_used_status": ("409", "400"),
    "double_revoke": ("200_unchanged", "200_new_time"),
    "grade_max": ("none",),
    "reference_consistency": ("422",),
    "grade_type": ("string",),
    "rate_limit": ("60", "60_silent"),
    "edition": ("mixed",),
    "missing_tenant": ("404",),
}
"""Positions of the practice service in which every scenario must come to the same end."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happens to a host, or to the service, at a moment."""

    at: float
    kind: str
    host: int = 0
    seconds: float = 0.0
    detail: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Everything that will go wrong, and on what the run takes place."""

    seed: int
    hosts: int
    horizon: float
    poll_seconds: float
    per_second_max: float
    wire_share: float
    wire: Mapping[str, float]
    search_lag: float
    token_seconds: int | None
    """How long a token lasts, if not as long as the service usually grants."""
    busy_share: float
    reorders: bool
    switches: Mapping[str, str]
    incidents: tuple[Incident, ...] = field(default=())
    awaits_looks: bool = False
    """Whether it ends only after every late look, ten settle windows after a doubtful call."""
    probe_seconds: float = PROBE_SECONDS
    """How often hosts look whether an outage is over."""
    settle_seconds: float = SETTLE_SECONDS
    """What the hosts are told; the network always goes by the true window."""
    beyond_share: float = 0.0
    """How many calls that may change something do so only after the settle window."""

    def as_json(self) -> dict[str, Any]:
        """Return the plan as it is printed."""
        return asdict(self)


def draw(seed: int, *, hosts: int | None = None) -> FaultPlan:
    """Return the fault plan of a seed."""
    rng = Random(f"faults {seed}")
    horizon = rng.choices((600.0, 2 * HOUR, 2 * DAY), (0.76, 0.23, 0.01))[0]
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 4)) if horizon < DAY else 1
    count = count if hosts is None else hosts
    wire = _wire(rng)
    beyond = rng.uniform(0.1, 0.4) if rng.random() < BEYOND_SEEDS else 0.0
    return FaultPlan(
        seed=seed,
        hosts=count,
        horizon=horizon,
        poll_seconds=_poll(rng, horizon),
        per_second_max=rng.choice((0.0, 10.0, 2.0)),
        wire_share=rng.choice((0.0, 0.05, 0.15, 0.15, 0.35)),
        wire=wire,
        search_lag=rng.choice((0.0, 0.0, 5.0, 25.0)),
        # Whoever is told of a token that has ended does nothing, however late.
        token_seconds=None if beyond else rng.choice((None, None, 90)),
        busy_share=rng.choice((0.0, 0.02)) if count > 1 else 0.0,
        reorders=rng.random() < 0.6,
        switches=_switches(rng),
        # Ten settle windows by a clock that leaps are fewer, and an effect may come after them.
        incidents=_incidents(rng, hosts=count, horizon=horizon, leaps=not beyond),
        awaits_looks=bool(beyond) or rng.random() < 0.2,
        probe_seconds=HOUR if horizon >= DAY else PROBE_SECONDS,
        beyond_share=beyond,
    )


def _poll(rng: Random, horizon: float) -> float:
    """Return how often hosts look when nobody rings: rarely, for looking costs most here."""
    return {600.0: rng.choice((20.0, 45.0, 90.0)), 2 * HOUR: 400.0}.get(horizon, 3600.0)


def _wire(rng: Random) -> dict[str, float]:
    chosen = {kind: rng.random() for kind in WIRE_FAULTS if rng.random() < 0.6}
    return chosen or {"lost_answer": 1.0}


def _switches(rng: Random) -> dict[str, str]:
    names = rng.sample(sorted(SWITCHES), rng.choice((0, 0, 1, 2, 4)))
    return {name: rng.choice(SWITCHES[name]) for name in names}


def _incidents(rng: Random, *, hosts: int, horizon: float, leaps: bool) -> tuple[Incident, ...]:
    found: list[Incident] = []
    for host in range(hosts):
        found += [_crash(rng, host, horizon) for _ in range(rng.choice((0, 0, 1, 2, 4)))]
        for _ in range(rng.choice((0, 0, 0, 1))):
            found.append(Incident(rng.uniform(0, horizon), "restart", host, rng.uniform(1, 60)))
        for _ in range(rng.choice((0, 1, 2) if hosts > 1 else (0, 0, 0, 1))):
            seconds = rng.choice((5.0, 45.0, 70.0, 100.0, 400.0)) * rng.uniform(0.8, 1.2)
            found.append(Incident(rng.uniform(0, horizon), "pause", host, seconds))
        for _ in range(rng.choice((0, 0, 1, 2)) if leaps else 0):
            seconds = rng.choice((-1, 1)) * rng.choice((2.0, 40.0, 600.0, HOUR))
            detail = rng.choice(("", "doubt", "settle"))
            found.append(Incident(rng.uniform(0, horizon), "clock", host, seconds, detail))
    found += _outages(rng, horizon)
    return tuple(sorted(found, key=lambda each: each.at))


def _crash(rng: Random, host: int, horizon: float) -> Incident:
    return Incident(
        rng.uniform(0, horizon),
        "crash",
        host,
        rng.choice((2.0, 40.0, 200.0, 400.0)),
        detail=rng.choice(MOMENTS),
        count=rng.choice((0, 0, 1, 2, 3, 5, 8, 13, 30, 100)),
    )


def _outages(rng: Random, horizon: float) -> list[Incident]:
    found: list[Incident] = []
    if horizon >= DAY:
        seconds = rng.uniform(0.5, 1.5) * DAY
        start = rng.uniform(0, horizon - seconds)
        found.append(Incident(start, "outage", 0, seconds, detail=rng.choice(OUTAGES)))
        return found
    for _ in range(rng.choice((0, 0, 1, 2))):
        seconds = min(horizon / 2, rng.choice((5.0, 60.0, 300.0, HOUR)))
        start = rng.uniform(0, horizon - seconds)
        found.append(Incident(start, "outage", 0, seconds, detail=rng.choice(OUTAGES)))
    return found
