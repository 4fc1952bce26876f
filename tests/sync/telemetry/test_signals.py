from datetime import UTC, datetime

from sync.dokstamp.exchange import Exchange
from sync.telemetry.signals import CallMade, Signal, TenantPaused, announce_to, nobody


def test_every_listener_hears_every_signal() -> None:
    first, second = list[Signal](), list[Signal]()

    announce_to(first.append, second.append, nobody)(TenantPaused(2.0))

    assert first == second == [TenantPaused(2.0)]


def test_a_listener_that_fails_harms_nobody() -> None:
    heard = list[Signal]()

    def fail(_signal: Signal) -> None:
        raise OSError

    announce_to(fail, heard.append)(TenantPaused(2.0))

    assert heard == [TenantPaused(2.0)]


def test_a_call_is_told_without_digests_and_moments() -> None:
    exchange = Exchange("GET", "/students", 200, datetime(2026, 2, 1, tzinfo=UTC), seconds=0.5)

    assert CallMade.of(exchange) == CallMade("GET", "/students", status=200, seconds=0.5)
