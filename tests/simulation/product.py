"""What a simulated host runs: the real product, or one with something taken from it on purpose."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.ledger import Ledger
from sync.dispatcher.conversation_worker import Sender


class HostLedger(Ledger):
    """A ledger whose leases go by the clock that hosts share, for its own may be wrong."""

    def lease_now(self, connection: Connection) -> float:
        """Return the server's seconds where there is a server, else the host's own."""
        shared = self.database.now_seconds(connection)
        return super().lease_now(connection) if shared is None else shared


def _as_it_is(sender: Sender) -> Sender:
    return sender


@dataclass(frozen=True, slots=True)
class Product:
    """Where a host can be made to do wrong; as it is made here, it is the real one."""

    ledger: type[Ledger] = HostLedger
    sends_by: Callable[[Sender], Sender] = _as_it_is
    """What stands between dispatcher and client."""
    loses_events: bool = False
    """Whether it says that an event is recorded before it is."""


SOUND = Product()
