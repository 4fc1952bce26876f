"""One run of `sync`: everything that can be done now, and what remains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.outbox import gate_store, lease_store
from ledger.outbox import store as outbox_store
from ledger.outbox.gate import Why
from ledger.outbox.operation import State
from ledger.reference import Json, OperationKey, Position, Scope
from sync.runtime.assembly import start_engine
from sync.runtime.engine import Engine, Remaining
from sync.runtime.settings import DEFAULT, Settings
from sync.telemetry.signals import Announce, nobody

PAGE_OPERATIONS = 500
TAKEOVER_MARGIN_SECONDS = 30.0
"""How much later than it could be a takeover is still waited for."""


class Exit(IntEnum):
    """How a run ends, as an exit code."""

    DONE = 0
    NEEDS_PERSON = 3
    TRY_LATER = 75


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run did and what it leaves."""

    done: int
    waiting: int
    held: int
    dead: int
    uncertain: int
    calls: Mapping[str, int]
    seconds: float
    exit: Exit
    seconds_to_takeover: float | None = None
    """How long until what other hosts hold is taken over, should they be gone."""
    late_looks: int = 0
    """Records made after an unclear answer: `run`, or a later `sync`, looks at them once more."""

    def to_json(self) -> dict[str, Json | float]:
        """Return the report as the command line prints it."""
        return {
            "done": self.done,
            "waiting": self.waiting,
            "held": self.held,
            "dead": self.dead,
            "uncertain": self.uncertain,
            "late_looks": self.late_looks,
            "calls": dict(self.calls),
            "seconds": round(self.seconds, 3),
            "exit": int(self.exit),
        }


async def run_sync(
    ledger: Ledger,
    settings: Settings,
    *,
    patience_seconds: float | None = None,
    announce: Announce = nobody,
    begun: Callable[[Engine], None] | None = None,
    waiting: Callable[[float], None] | None = None,
) -> SyncReport:
    """Project and dispatch until nothing more can be done within the patience.

    What another host holds is waited for beyond a patience that nobody chose, after telling
    `waiting` for how many seconds: unless that host prolongs its lease, it is gone.
    Raises what a person must mend first; everything is in the ledger for the next run.
    """
    patience = settings.patience_seconds if patience_seconds is None else patience_seconds
    started = ledger.clock.monotonic()
    async with start_engine(ledger, settings, announce=announce) as engine:
        if begun is not None:
            begun(engine)
        await engine.idle(patience)
        if patience_seconds is None and settings.origin("patience_seconds") == DEFAULT:
            await _wait_for_others(engine, ledger, settings, waiting=waiting)
        takeover = await _seconds_to_takeover(engine, ledger, settings)
    # Looked at after the stop: what was begun meanwhile is settled or given back by then.
    remaining = await engine.remaining()
    return SyncReport(
        done=engine.dispatcher.counts.done,
        waiting=remaining.waiting,
        held=remaining.states.get(State.HELD, 0),
        dead=remaining.states.get(State.DEAD, 0),
        uncertain=remaining.uncertain,
        calls=dict(sorted(engine.sender.calls.items())),
        seconds=ledger.clock.monotonic() - started,
        exit=await judge(ledger, remaining),
        seconds_to_takeover=takeover,
        late_looks=remaining.late_looks,
    )


async def _wait_for_others(
    engine: Engine,
    ledger: Ledger,
    settings: Settings,
    *,
    waiting: Callable[[float], None] | None,
) -> None:
    takeover = await _seconds_to_takeover(engine, ledger, settings)
    if takeover is None:
        return
    if waiting is not None:
        waiting(takeover)
    await engine.idle(takeover + TAKEOVER_MARGIN_SECONDS)


async def _seconds_to_takeover(engine: Engine, ledger: Ledger, settings: Settings) -> float | None:
    def look(connection: Connection, scope: Scope) -> float | None:
        after = ledger.lease_now(connection) - settings.settle_seconds
        ending = lease_store.others_end(connection, scope, host=engine.host, after=after)
        return None if ending is None else ending - after

    return await ledger.read_folded(look)


async def judge(ledger: Ledger, remaining: Remaining) -> Exit:
    """Return how a run ends that leaves this behind."""
    later = remaining.states.get(State.READY, 0) + remaining.uncertain + remaining.lag
    # A gate that nobody came to open yet hides work that is ready.
    if later or await ledger.read_folded(gate_store.has_wakes):
        return Exit.TRY_LATER
    needs_person = (
        remaining.states.get(State.HELD, 0) + remaining.states.get(State.DEAD, 0) > 0
        or await ledger.read_folded(quarantine_store.count) > 0
        or await ledger.read_folded(_waits_in_vain)
    )
    return Exit.NEEDS_PERSON if needs_person else Exit.DONE


def _waits_in_vain(connection: Connection, scope: Scope) -> bool:
    """Tell whether a blocked operation waits for what does not come by itself."""
    after: tuple[Position, OperationKey] | None = None
    while True:
        page = outbox_store.read_page(
            connection, scope, states=[State.BLOCKED], after=after, limit=PAGE_OPERATIONS
        )
        for operation in page:
            closed = gate_store.closed_of(connection, scope, operation=operation)
            if any(why is not Why.MOVING for _, why in closed):
                return True
        if len(page) < PAGE_OPERATIONS:
            return False
        after = (page[-1].cause, page[-1].key)
