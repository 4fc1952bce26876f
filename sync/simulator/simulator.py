"""One practice service with its own dice: what a server serves and a test reads."""

from collections.abc import Iterable
from datetime import datetime
from random import Random

from sync.simulator.authentication import FOREIGN_TENANT, PRACTICE_TENANT, Tenant
from sync.simulator.controls import raw_records
from sync.simulator.faults import Fault
from sync.simulator.journal import Journal
from sync.simulator.message import JsonObject, SimulatedRequest, SimulatedResponse
from sync.simulator.outage import Outage
from sync.simulator.switches import Switches
from sync.simulator.verdict import Verdict
from sync.simulator.world import World


class Simulator:
    """A practice DokStamp whose every answer follows from its settings, seed and requests.

    `tenants` holds the practice credentials; the first tenant is the one to practise with, and
    the others show that nothing leaks. `token_seconds` shortens the life of tokens.
    `journal_entries_max` bounds the journal; without it everything is kept.
    """

    def __init__(
        self,
        *,
        switches: Switches | None = None,
        seed: int = 0,
        faults: Iterable[Fault] = (),
        tenants: tuple[Tenant, ...] = (PRACTICE_TENANT, FOREIGN_TENANT),
        token_seconds: int | None = None,
        journal_entries_max: int | None = None,
    ) -> None:
        self.seed = seed
        self.tenant = tenants[0]
        self.world = World(
            switches=switches,
            faults=faults,
            tenants=tenants,
            token_seconds=token_seconds,
            journal_entries_max=journal_entries_max,
        )
        self._rng = Random(seed)  # noqa: S311 - practice must repeat itself, not be secret

    @property
    def journal(self) -> Journal:
        """Return the journal of requests, writes and notices."""
        return self.world.journal

    def handle(self, request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
        """Answer one request at a moment."""
        return self.world.handle(request, now=now, rng=self._rng)

    def collect(self, ticket: int, *, now: datetime) -> SimulatedResponse:
        """Return the real answer to a stalled request, once its moment has come."""
        self.advance(now=now)
        return self.world.collect(ticket)

    def advance(self, *, now: datetime) -> None:
        """Let everything happen that is due."""
        self.world.advance(now=now, rng=self._rng)

    def verdict(self, *, tenant: str | None = None) -> Verdict:
        """Return the verdict over everything so far."""
        return self.world.verdict(tenant=tenant)

    def records(
        self, table: str, *, tenant: str | None = None, with_deleted: bool = False
    ) -> list[JsonObject]:
        """Return the stored records of a table as they truly are."""
        return raw_records(self.world, table, tenant=tenant, with_deleted=with_deleted)

    def set_switches(self, **positions: str) -> None:
        """Put some switches in another position while running."""
        self.world.set_switches(positions)

    def set_faults(self, *faults: Fault) -> None:
        """Replace the faults while running."""
        self.world.set_faults(faults)

    def set_search_lag(self, seconds: float) -> None:
        """Make new records appear in lists only some seconds after they were made."""
        self.world.search_lag_seconds = seconds

    def start_outage(
        self, mode: str = "cut", *, since: datetime | None = None, until: datetime | None = None
    ) -> None:
        """Start refusing everything: `cut` connections, or answer `503`."""
        self.world.outage = Outage(mode=mode, starts_at=since, ends_at=until)

    def end_outage(self) -> None:
        """Answer again."""
        self.world.outage = None
