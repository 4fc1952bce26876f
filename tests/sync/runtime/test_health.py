from pathlib import Path

from ledger.testing import ledger_in
from sync.errors import ConfigurationError
from sync.runtime.engine import Engine
from sync.runtime.health import health_of
from tests.sync.dispatcher.floor import Register
from tests.sync.runtime.test_engine import SETTINGS


async def test_a_new_engine_is_healthy(home: Path) -> None:
    async with ledger_in(home) as ledger:
        engine = Engine(ledger, Register(ledger.clock), SETTINGS, announce=lambda _: None)
        health = health_of(engine)

    assert (health.is_healthy, health.circuit, health.stopped_by) == (True, "closed", "")
    names = [service.name for service in health.services]
    assert names == ["inbox", "projector", "opener", "dispatcher", "heartbeat", "erasures"]
    assert {(service.deaths, service.last_error) for service in health.services} == {(0, "")}


async def test_health_tells_what_a_service_died_of_and_no_more(home: Path) -> None:
    async with ledger_in(home) as ledger:
        engine = Engine(ledger, Register(ledger.clock), SETTINGS, announce=lambda _: None)
        engine.services[0].pulse.is_alive = False
        engine.services[0].pulse.last_error = ValueError("ana@example.edu")
        engine.dispatcher.stop_tenant(ConfigurationError("wrong secret"))
        health = health_of(engine)

    assert not health.is_healthy
    assert health.services[0].last_error == "ValueError"
    assert health.stopped_by == "wrong secret"
    assert "ana" not in repr(health)
