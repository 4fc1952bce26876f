"""What a ledger knows and owes, in one answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from ledger import checkpoints
from ledger.errors import LedgerError
from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.log import store as log_store
from ledger.mapping import store as mapping_store
from ledger.moving import older_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Json, Scope
from ledger.schema.tables import ledgers
from ledger.transaction import PROJECTOR
from sync.dispatcher import circuit
from sync.dispatcher.outage import WRITES, Outage, to_json
from sync.dispatcher.pace_store import HostStand, read_stands, read_stop
from sync.dispatcher.reasons import Reason
from sync.runtime.page import Answer
from sync.runtime.standing import stand_of

SEEN_SECONDS: Final = 180.0
"""A host that was not seen for longer does not speak for the present, unless it was the last."""
FAILING_MAX: Final = 10
"""How many of the operations are named whose writes keep failing."""
_SHOWN: Final = tuple(state for state in State if state is not State.DISCARDED)


async def status(
    ledger: Ledger, *, outage: Outage | None = None, key_file: Path | None = None
) -> Answer:
    """Return what is known, owed, waiting, held and dead, all of one moment.

    An outage that the asking process sees counts; else what the hosts last wrote down.
    """

    def look(connection: Connection, scope: Scope) -> Answer:
        mine = ledgers.c.ledger == scope.ledger
        tenant = connection.execute(select(ledgers.c.tenant).where(mine)).scalar_one()
        head = log_store.read_head(connection, scope.ledger)
        planned = checkpoints.read(connection, scope, name=PROJECTOR)
        lag, _ = log_store.count_sources(connection, scope.ledger, after=planned)
        states = outbox_store.count_by_state(connection, scope)
        bindings: dict[str, Json] = dict(mapping_store.count_by_entity(connection, scope))
        stands = read_stands(connection, scope, now=ledger.lease_now(connection))
        return {
            "ledger": ledger.ledger_id,
            "tenant": tenant,
            "log": {"size": head.size, "root": head.root().hex()},
            "projection": {"position": planned, "lag": lag},
            "operations": {state.value: states.get(state, 0) for state in _SHOWN},
            "bindings": bindings,
            "quarantine": quarantine_store.count(connection, scope),
            **_with_failing(_circuit(outage, stands), connection, scope),
            "stopped": read_stop(connection, scope),
            "late_looks": outbox_store.count_looks(connection, scope),
            "accepted_older": _accepted_older(connection, scope),
        }

    found = await ledger.read_folded(look)
    if key_file is not None:
        found["checkpoint"] = await _checkpoint(ledger, key_file)
    return found


def _circuit(outage: Outage | None, stands: Sequence[HostStand]) -> Answer:
    """Return whether calls go: as this process sees it, or the host in the worst trouble."""
    lately = [each for each in stands if each.seen_seconds_ago < SEEN_SECONDS] or stands[:1]
    worst = max(lately, key=lambda each: each.outage is not None, default=None)
    found: dict[str, Json] | None = None
    if worst is not None and worst.outage is not None:
        # What a host said is as old as that host was last seen.
        seen = round(worst.seen_seconds_ago)
        found = {**worst.outage, "host": worst.host, "seen_seconds_ago": seen}
    state = circuit.State.CLOSED.value if worst is None else worst.circuit
    if outage is not None:
        found, state = to_json(outage), outage.state.value
    return {"circuit": state, "outage": found, "hosts": [each.to_json() for each in lately]}


def _with_failing(found: Answer, connection: Connection, scope: Scope) -> Answer:
    """Return the circuit with what keeps failing, where only writes do.

    While no write succeeds, records that DokStamp chokes on look like an outage and are not held:
    which ones they are is said here, so that a person can tell.
    """
    outage = found["outage"]
    if not isinstance(outage, dict) or outage.get("calls") != WRITES:
        return found
    doubted = outbox_store.read_page(
        connection,
        scope,
        states=[State.UNCERTAIN],
        reason=Reason.UNCERTAIN,
        limit=FAILING_MAX,
    )
    failing: list[Json] = [
        {
            "operation": each.key,
            "entity": each.reference.entity,
            "source_id": each.reference.source_id,
            "kind": each.kind,
            "attempts": each.attempts,
        }
        for each in doubted
    ]
    return {**found, "outage": {**outage, "failing": failing}}


def _accepted_older(connection: Connection, scope: Scope) -> Json:
    """Return where an older ledger was accepted that nobody has compared, and what is in doubt."""
    found = older_store.accepted(connection, scope)
    return None if found is None else {"position": found[0], "in_doubt": found[1]}


async def _checkpoint(ledger: Ledger, key_file: Path) -> Json:
    """Return how the ledger stands to what was published of it, also where that is broken."""
    try:
        stand = await stand_of(ledger, key_file)
    except LedgerError as error:
        return {"published": None, "standing": "unknown", "why": str(error)}
    return {**stand.to_json(), "why": None if stand.error is None else str(stand.error)}
