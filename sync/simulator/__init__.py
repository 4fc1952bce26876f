"""A practice DokStamp, for demonstrations, tests, and hosts' own tests.

It is an independent reading of the API contract: every route, every documented rule, and a
switch for every point on which the documentation is silent. It keeps everything in memory, calls
nobody, and notifies nobody. Faults, outages and a journal with a verdict show whether a client
does the right thing when the service does the wrong one.

```python
from sync.simulator import Simulator, parse_faults, serve

async def test_our_integration_survives_lost_answers():
    simulator = Simulator(seed=7, faults=parse_faults("cut_after:every=5"))
    async with serve(simulator) as address:
        tenant = address.tenant
        await run_our_integration(
            base_url=address.url, tenant=tenant.domain,
            client_id=tenant.client_id, client_secret=tenant.client_secret,
        )
    assert simulator.verdict().is_clean, simulator.verdict().faults
```

The core (`World`, `Simulator`) is pure: requests, time and dice come in, answers come out, so
it also runs inside a simulation with virtual time. Only `serve` needs aiohttp, and imports it late.
Other processes read the truth over HTTP, under `/_simulator` (see `sync.simulator.controls`).
"""

from sync.simulator.address import Address
from sync.simulator.authentication import (
    FOREIGN_TENANT,
    PRACTICE_TENANT,
    Tenant,
    practice_tenant,
)
from sync.simulator.faults import Fault, parse_faults
from sync.simulator.journal import Journal, NotificationEntry, RequestEntry, WriteEntry
from sync.simulator.message import SimulatedRequest, SimulatedResponse
from sync.simulator.outage import Outage
from sync.simulator.serving import serve, serve_forever
from sync.simulator.simulator import Simulator
from sync.simulator.switches import Switches, alternatives, parse_switches
from sync.simulator.verdict import Verdict
from sync.simulator.world import World

__all__ = [
    "FOREIGN_TENANT",
    "PRACTICE_TENANT",
    "Address",
    "Fault",
    "Journal",
    "NotificationEntry",
    "Outage",
    "RequestEntry",
    "SimulatedRequest",
    "SimulatedResponse",
    "Simulator",
    "Switches",
    "Tenant",
    "Verdict",
    "World",
    "WriteEntry",
    "alternatives",
    "parse_faults",
    "parse_switches",
    "practice_tenant",
    "serve",
    "serve_forever",
]
