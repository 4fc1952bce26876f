"""What a host embeds: a runtime, its settings, and what they answer with.

`Runtime` joins a ledger with an engine; the engine runs its services over it, and they meet only
in the ledger. Nothing here installs a signal handler, configures logging or touches an event-loop
policy: those belong to the host, or to the command line.

```
 Runtime ─► Ledger ◄─┬─ inbox        what hosts committed gets its place in the log
                     ├─ projector    events become operations
                     ├─ opener       operations become ready
                     ├─ dispatcher   operations become calls
                     └─ heartbeat    leases outlast calls
```
"""

from sync.runtime.engine import Remaining
from sync.runtime.health import Health, ServiceHealth
from sync.runtime.runtime import Recorded, Runtime
from sync.runtime.settings import Settings

__all__ = ["Health", "Recorded", "Remaining", "Runtime", "ServiceHealth", "Settings"]
