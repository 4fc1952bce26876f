"""What workers tell about their work: one typed signal per fact, and who listens.

This package owns the signals and turns them into log events. It decides nothing, configures no
logging, and holds no personal data.

```
 worker ── announce(signal) ──► log_signals ──► structlog
                            └─► a host's own listener
```
"""

from sync.telemetry.logs import log_signals
from sync.telemetry.signals import Announce, Signal, announce_to, nobody

__all__ = ["Announce", "Signal", "announce_to", "log_signals", "nobody"]
