from datetime import datetime, timedelta, timezone

from ledger.log.canonical import canonical_bytes
from sync.dokstamp.answer import Fault
from sync.dokstamp.exchange import Exchange, digest

STARTED = datetime(2026, 3, 1, 13, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=1)))


def test_an_exchange_is_canonical_json() -> None:
    exchange = Exchange("POST", "/students", 201, STARTED, 0.12345, "aa", "bb", "", 10, 20)

    assert exchange.to_json() == {
        "method": "POST",
        "route": "/students",
        "status": 201,
        "started_at": "2026-03-01T12:00:00.123Z",
        "seconds": "0.123",
        "request_sha256": "aa",
        "answer_sha256": "bb",
        "fault": "",
        "bytes_sent": 10,
        "bytes_received": 20,
    }
    assert canonical_bytes(exchange.to_json())


def test_an_exchange_that_failed_is_canonical_json_too() -> None:
    exchange = Exchange("POST", "/students", None, STARTED, 5.0, fault=Fault.RESET)

    assert b'"fault":"reset"' in canonical_bytes(exchange.to_json())


def test_nothing_has_no_digest() -> None:
    assert digest(b"") == ""
    assert len(digest(b"x")) == 64
