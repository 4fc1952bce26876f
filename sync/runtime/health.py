"""How the services of a runtime fare, for a host's own health checks."""

from dataclasses import dataclass

from sync.dispatcher.circuit import State
from sync.dispatcher.outage import Outage
from sync.runtime.engine import Engine


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How one service fares."""

    name: str
    is_alive: bool
    deaths: int
    last_error: str
    """The kind of the last error, without its text; empty if there was none."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a runtime fares."""

    is_healthy: bool
    circuit: str
    services: tuple[ServiceHealth, ...]
    stopped_by: str = ""
    """Why nothing is sent any more until a person mends a setting."""
    outage: Outage | None = None
    """Since when calls do not go, why, and when it is tried again; `None` while they go."""
    calls_spared: int | None = None
    """About how many calls were not made since then that the rate allows."""


def health_of(engine: Engine) -> Health:
    """Return how the engine's services fare now."""
    services = tuple(
        ServiceHealth(
            service.name,
            is_alive=service.pulse.is_alive,
            deaths=service.pulse.deaths,
            last_error=_kind(service.pulse.last_error),
        )
        for service in engine.services
    )
    fault, outage = engine.dispatcher.fault, engine.pace.outage
    return Health(
        is_healthy=fault is None and all(service.is_alive for service in services),
        circuit=State.CLOSED.value if outage is None else outage.state.value,
        services=services,
        stopped_by="" if fault is None else str(fault),
        outage=outage,
        calls_spared=None if outage is None else engine.calls_spared(outage),
    )


def _kind(error: Exception | None) -> str:
    return "" if error is None else type(error).__name__
