"""What a ledger knows and owes, in one answer."""

from typing import Final

from sqlalchemy import Connection, select

from ledger import checkpoints
from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.log import store as log_store
from ledger.mapping import store as mapping_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Json
from ledger.schema.tables import ledgers
from ledger.transaction import PROJECTOR
from sync.runtime.page import Answer

_SHOWN: Final = tuple(state for state in State if state is not State.DISCARDED)


async def status(ledger: Ledger, *, circuit: str = "closed") -> Answer:
    """Return what is known, owed, waiting, held and dead, all of one moment."""
    scope = ledger.scope

    def look(connection: Connection) -> Answer:
        mine = ledgers.c.ledger == scope.ledger
        tenant = connection.execute(select(ledgers.c.tenant).where(mine)).scalar_one()
        head = log_store.read_head(connection, scope.ledger)
        planned = checkpoints.read(connection, scope, name=PROJECTOR)
        lag, _ = log_store.count_sources(connection, scope.ledger, after=planned)
        states = outbox_store.count_by_state(connection, scope)
        bindings: dict[str, Json] = dict(mapping_store.count_by_entity(connection, scope))
        return {
            "ledger": ledger.ledger_id,
            "tenant": tenant,
            "log": {"size": head.size, "root": head.root().hex()},
            "projection": {"position": planned, "lag": lag},
            "operations": {state.value: states.get(state, 0) for state in _SHOWN},
            "bindings": bindings,
            "quarantine": quarantine_store.count(connection, scope),
            "circuit": circuit,
        }

    return await ledger.read(look)
