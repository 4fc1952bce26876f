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


def test_a_call_is_told_without_digests_moments_and_uuids() -> None:
    path = "/students/baf3897a-3e70-416a-9548-5822de1b372a"
    exchange = Exchange("GET", path, 200, datetime(2026, 2, 1, tzinfo=UTC), seconds=0.5)

    assert CallMade.of(exchange) == CallMade("GET", "/students/{uuid}", status=200, seconds=0.5)
    assert exchange.to_json()["route"] == path
