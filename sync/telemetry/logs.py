"""Turns signals into structlog events; who embeds it decides where those go and how they look."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, Literal, Protocol

import structlog

from sync.telemetry import signals
from sync.telemetry.signals import Announce, CircuitChanged, OperationSettled, Signal

LOGGER: Final = "dokstamp_ledger"
Level = Literal["debug", "info", "warning", "error"]

LEVELS: Final[Mapping[type[Signal], Level]] = {
    signals.RuntimeStarted: "info",
    signals.RuntimeStopped: "info",
    signals.IngestStarted: "info",
    signals.IngestFinished: "info",
    signals.EventsTaken: "debug",
    signals.EventRefused: "warning",
    signals.BatchPlanned: "debug",
    signals.EventParked: "error",
    signals.OperationClaimed: "debug",
    signals.OperationSettled: "debug",
    signals.LeaseLost: "warning",
    signals.ConversationFailed: "error",
    signals.CallMade: "debug",
    signals.TenantPaused: "warning",
    signals.CircuitChanged: "warning",
    signals.TenantStopped: "error",
    signals.ServiceDied: "error",
    signals.CheckpointPublished: "info",
    signals.CheckpointFailed: "error",
}
OUTCOMES: Final[Mapping[str, Level]] = {
    "uncertain": "warning",
    "held": "warning",
    "dead": "warning",
}
"""Settlements that somebody may want to read about; the others are the normal course."""
SETTLED_BY_OUTAGE: Final = frozenset({"uncertain"})
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


class Logger(Protocol):
    """What takes an event and its facts: structlog's bound logger does."""

    def debug(self, event: str, **facts: Any) -> object: ...  # noqa: ANN401, D102
    def info(self, event: str, **facts: Any) -> object: ...  # noqa: ANN401, D102
    def warning(self, event: str, **facts: Any) -> object: ...  # noqa: ANN401, D102
    def error(self, event: str, **facts: Any) -> object: ...  # noqa: ANN401, D102


def log_signals(logger: Logger | None = None) -> Announce:
    """Return a listener that logs every signal; without a logger, structlog's own is asked."""
    chosen: Logger = logger or structlog.get_logger(LOGGER)
    is_down = False

    def listen(signal: Signal) -> None:
        nonlocal is_down
        if isinstance(signal, CircuitChanged):
            is_down = signal.state != "closed"
        say: Callable[..., object] = getattr(chosen, _level(signal, is_down=is_down))
        say(_event(signal), **_facts(signal))

    return listen


def _level(signal: Signal, *, is_down: bool) -> Level:
    if isinstance(signal, OperationSettled):
        # What a probe in an outage leaves in doubt is no news: the outage was told.
        is_news = not is_down or signal.outcome not in SETTLED_BY_OUTAGE
        return OUTCOMES.get(signal.outcome, "debug") if is_news else "debug"
    return LEVELS[type(signal)]


def _event(signal: Signal) -> str:
    """Return the signal's name in snake case: CallMade is call_made."""
    return _WORD_START.sub("_", type(signal).__name__).lower()


def _facts(signal: Signal) -> dict[str, object]:
    return {each.name: getattr(signal, each.name) for each in fields(signal)}
