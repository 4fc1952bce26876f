"""Where a practice service listens."""

from dataclasses import dataclass

from sync.simulator.authentication import Tenant


@dataclass(frozen=True, slots=True)
class Address:
    """Where a practice service listens, and the credentials that it accepts."""

    host: str
    port: int
    tenant: Tenant

    @property
    def url(self) -> str:
        """Return the base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
