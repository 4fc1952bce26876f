"""Plans told briefly: what tests of the outbox begin with."""

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.outbox import ending_store, fold_store, gate_store, lease_store, record_store, store
from ledger.outbox.ending_store import Ending
from ledger.outbox.fold_store import Cause
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.lease_store import ClaimTerms
from ledger.outbox.operation import FINAL, Move, Operation, Priority, State
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Facts, Named
from ledger.reference import OperationKey, SourceRef
from ledger.schema.tables import operations
from tests.ledger.rows import LEDGER_SCOPE

SOURCE = "urn:university"
NOW = 100.0
MUCH_LATER = NOW + 91
"""After the end of a lease and the settle window that follows it."""


def record(name: str) -> SourceRef:
    """Return the course of this name."""
    return SourceRef("course", name)


def key(name: str) -> OperationKey:
    """Return a short key, since nothing depends on how keys look."""
    return OperationKey(name)


def bound(name: str) -> Gate:
    """Return a gate that waits until a record is bound."""
    return Gate(GateKind.BOUND, record(name))


def complete(name: str) -> Gate:
    """Return a gate that waits until a record is complete."""
    return Gate(GateKind.COMPLETE, record(name))


def after(operation: str, about: str = "C-1") -> Gate:
    """Return a gate that waits for an operation to end."""
    return Gate(GateKind.AFTER, record(about), operation=key(operation))


@dataclass
class Outbox:
    """Folds small plans one after another, each caused by an event of its own."""

    connection: Connection
    position: int = 0
    planned: int = 1000

    def plan(
        self,
        name: str,
        about: str | None = None,
        *,
        gates: tuple[Gate, ...] = (),
        lane: str | None = None,
        supersedes: str | None = None,
        holds: tuple[Hold, ...] = (),
        names: tuple[str, ...] = (),
        priority: int = Priority.REST,
        held: str | None = None,
        finished: str | None = None,
        removes: bool = False,
        completes: bool = False,
    ) -> Operation:
        """Plan one operation on a record (of the operation's own name unless told otherwise)."""
        self.see(about or name)
        intent = Intent(
            key=key(name),
            cause=self.position,
            reference=record(about or name),
            kind="retire" if removes else "upsert",
            gates=gates,
            priority=priority,
            held=held,
            finished=finished,
            completes=completes,
        )
        given_way = (Superseding(key(supersedes), key(name)),) if supersedes else ()
        self.fold(
            Plan(self.position, (intent,), given_way, holds),
            Facts(
                references=tuple(Named(f"{each}_id", record(each)) for each in names),
                lane=name if lane is None else lane,
                removes=removes,
            ),
            about=about or name,
        )
        return self.the(name)

    def fold(self, plan: Plan, facts: Facts, *, about: str) -> None:
        """Fold a plan that an event about a record caused."""
        cause = Cause(self.position, record(about), source=SOURCE, sequence=None, facts=facts)
        self.planned += 1
        fold_store.fold_plan(
            self.connection, LEDGER_SCOPE, cause=cause, plan=plan, position=self.planned
        )

    def see(self, name: str) -> None:
        """Let an event about a record enter the log; the first one makes it known."""
        self.position += 1
        reference = record(name)
        if record_store.find(self.connection, LEDGER_SCOPE, reference=reference) is None:
            record_store.first_seen(
                self.connection,
                LEDGER_SCOPE,
                reference=reference,
                owner=SOURCE,
                position=self.position,
            )

    def the(self, name: str) -> Operation:
        """Return an operation as it stands."""
        return store.find(self.connection, LEDGER_SCOPE, keys=[key(name)])[key(name)]

    def states(self) -> dict[str, State]:
        """Return the state of every operation."""
        page = store.read_page(self.connection, LEDGER_SCOPE, limit=10_000)
        return {operation.key: operation.state for operation in page}

    def waits(self, name: str) -> list[str]:
        """Return why an operation's gates are closed."""
        closed = gate_store.closed_of(self.connection, LEDGER_SCOPE, operation=self.the(name))
        return [why.value for _, why in closed]

    def drain(self, limit: int = 100) -> int:
        """Open what can be opened; returns how many pages that took."""
        pages = 0
        while gate_store.open_page(self.connection, LEDGER_SCOPE, limit=limit):
            pages += 1
        return pages

    def put(self, name: str, state: State, **columns: object) -> None:
        """Bring an operation into a state without asking how it came there."""
        changed = operations.update().where(store.within(LEDGER_SCOPE), operations.c.key == name)
        ended = {"ended": 0 if state in FINAL else None}
        self.connection.execute(changed.values(**ended, state=state.value, **columns))


def terms(
    *,
    host: str = "host a",
    now: float = NOW,
    lanes_max: int = 8,
    group_max: int = 10,
    groups: bool = False,
) -> ClaimTerms:
    """Return terms of a claim that lasts a minute, with a settle window of 30 seconds."""
    return ClaimTerms(
        host=host,
        now=now,
        lease_seconds=60,
        lanes_max=lanes_max,
        group_max=group_max,
        settle_seconds=30,
        may_group=lambda _: groups,
    )


def claim(outbox: Outbox, wanted: ClaimTerms) -> list[list[str]]:
    """Claim and fold the claim, as one transaction does; returns the keys of each group."""
    groups = lease_store.claim(outbox.connection, LEDGER_SCOPE, terms=wanted)
    keys = [each.key for group in groups for each in group.operations]
    if keys:
        outbox.planned += 1
        ending_store.fold_claim(
            outbox.connection,
            LEDGER_SCOPE,
            keys=keys,
            epoch=groups[0].epoch,
            position=outbox.planned,
        )
    return [[each.key for each in group.operations] for group in groups]


def settle(outbox: Outbox, name: str, move: Move, *, not_before: float = 0.0) -> None:
    """Fold how an operation ended and give its lanes back."""
    outbox.planned += 1
    ending = Ending(key(name), move, reason=None, not_before=not_before, failed=False)
    ending_store.fold_ending(
        outbox.connection, LEDGER_SCOPE, ending=ending, position=outbox.planned
    )
    lease_store.release(outbox.connection, LEDGER_SCOPE, lanes=outbox.the(name).lanes)
