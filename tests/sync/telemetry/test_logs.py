from typing import Any, get_args

import pytest
from structlog.testing import capture_logs

from sync.telemetry.logs import LEVELS, log_signals
from sync.telemetry.signals import CallMade, OperationSettled, ServiceDied, Signal


def logged(signal: Signal) -> dict[str, Any]:
    with capture_logs() as entries:
        log_signals()(signal)
    (entry,) = entries
    return dict(entry)


def test_every_signal_has_a_level() -> None:
    assert set(LEVELS) == set(get_args(Signal))


def test_a_signal_is_logged_under_its_name_with_its_facts() -> None:
    entry = logged(CallMade("GET", "/students", status=200, seconds=0.25))

    assert entry == {
        "event": "call_made",
        "log_level": "debug",
        "method": "GET",
        "route": "/students",
        "status": 200,
        "seconds": 0.25,
        "fault": "",
    }


@pytest.mark.parametrize(
    ("outcome", "level"),
    [("done", "debug"), ("retry", "debug"), ("uncertain", "warning"), ("held", "warning")],
)
def test_a_settlement_that_needs_attention_is_louder(outcome: str, level: str) -> None:
    signal = OperationSettled("op", "course", "C-1", kind="upsert", outcome=outcome)

    assert logged(signal)["log_level"] == level


def test_a_dead_service_is_an_error_of_which_only_the_kind_is_logged() -> None:
    assert logged(ServiceDied("projector", "ValueError")) == {
        "event": "service_died",
        "log_level": "error",
        "name": "projector",
        "error": "ValueError",
    }
