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

from importlib import import_module as _import_module
from types import MappingProxyType as _MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.runtime.engine import Remaining
    from sync.runtime.health import Health, ServiceHealth
    from sync.runtime.runtime import Recorded, Runtime
    from sync.runtime.settings import Settings

_HOMES = _MappingProxyType(
    {
        "Health": "health",
        "Recorded": "runtime",
        "Remaining": "engine",
        "Runtime": "runtime",
        "ServiceHealth": "health",
        "Settings": "settings",
    }
)


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would make every misspelt name a public one.
    def __getattr__(name: str) -> object:
        """Return a public name; the engine is imported only once something asks for it."""
        # Most verbs of the command line ask a question that no engine is needed for.
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["Health", "Recorded", "Remaining", "Runtime", "ServiceHealth", "Settings"]
