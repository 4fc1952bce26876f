"""A small ledger that plays random histories, and folds its log again."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from ledger import checkpoints, folding
from ledger.log import store as log_store
from ledger.log.envelope import Stored, decode
from ledger.outbox import gate_store, plan_codec, store
from ledger.outbox.fold_store import Cause
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation, State
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Facts, Named
from ledger.reference import Json, OperationKey, Position, Scope, SourceRef
from ledger.schema.tables import FOLDED
from ledger.transaction import PROJECTOR, Transaction
from tests.ledger.outbox.histories import terms
from tests.ledger.rows import LEDGER_SCOPE
from tests.ledger.steps import SOURCE, Told, in_step, offers

NAMES = ("r0", "r1", "r2", "r3")
NEVER_SENT = frozenset({State.BLOCKED, State.READY, State.HELD, State.DEAD})


@dataclass
class History:
    """Plays commands through transactions, as the workers would, opening gates now and then."""

    connection: Connection
    causes: dict[Position, Cause] = field(default_factory=dict)
    documents: dict[str, bytes | None] = field(default_factory=dict)
    """Which document an event named; a real rebuild finds it in the event's private part."""
    events: int = 0

    def play(self, command: str, first: int, second: int, *, pages: int) -> None:
        """Carry one command out and open a few pages; without anything to work on, nothing."""
        in_step(self.connection, lambda step: getattr(self, command)(step, first, second))
        for _ in range(pages):
            gate_store.open_page(self.connection, LEDGER_SCOPE, limit=2)

    def drain(self) -> None:
        """Open every gate that can be opened."""
        while gate_store.open_page(self.connection, LEDGER_SCOPE, limit=3):
            pass

    def take(self, step: Transaction, first: int, second: int) -> None:
        """Append an event about a record and plan it."""
        self.events += 1
        name, other = NAMES[first % 4], NAMES[second % 4]
        told = Told(str(self.events), name, document=f"{first} {second}".encode())
        self.documents[told.id] = told.document
        position = step.append(offers(told))[0].position
        if position is None:
            return
        reference = SourceRef("course", name)
        removes = second % 5 == 4
        facts = Facts(
            references=(Named("other_id", SourceRef("course", other)),),
            key_digests=(bytes([second]),),
            lane=f"lane {second % 3}",
            removes=removes,
            returns=first % 2 == 0,
        )
        cause = Cause(position, reference, SOURCE, sequence=second or None, facts=facts)
        self.causes[position] = cause
        plan = self._planned(position, reference, SourceRef("course", other), removes, second)
        step.plan_part(cause, plan)
        step.plan([(cause, plan)], through=position)

    def _planned(
        self,
        position: Position,
        reference: SourceRef,
        other: SourceRef,
        removes: bool,  # noqa: FBT001 - as the facts have it
        second: int,
    ) -> Plan:
        if second == 11:
            return Plan(position, late=(position,))
        if second == 12:
            return Plan(position)
        earlier = store.open_of_record(self.connection, LEDGER_SCOPE, reference=reference)
        gives_way = [each for each in earlier if each.state in NEVER_SENT]
        key = OperationKey(f"o{position}")
        gates = [
            Gate(GateKind.AFTER, reference, operation=each.key)
            for each in earlier
            if each not in gives_way
        ]
        if other != reference:
            kind = GateKind.COMPLETE if second % 4 == 3 else GateKind.BOUND
            gates.append(Gate(kind, other))
        intent = Intent(
            key=key,
            cause=position,
            reference=reference,
            kind="retire" if removes else "upsert",
            gates=tuple(gates),
            priority=second % 3,
            held="mass_change" if second == 9 else None,
            concerns=(other,) if second == 9 else (),
            finished="never_made" if removes and not earlier else None,
            place=gives_way[0].stands_at if gives_way else None,
            completes=second % 2 == 0,
        )
        supersedings = tuple(Superseding(each.key, key) for each in gives_way)
        holds = self._holds(reference) if second == 10 else ()
        return Plan(position, intents=(intent,), supersedings=supersedings, holds=holds)

    def _holds(self, reference: SourceRef) -> tuple[Hold, ...]:
        ready = store.read_page(self.connection, LEDGER_SCOPE, states=[State.READY], limit=1)
        return tuple(
            Hold(each.key, "cycle", (reference,)) for each in ready if each.reference != reference
        )

    def claim(self, step: Transaction, first: int, second: int) -> None:
        """Claim for one of two hosts, some time later than before."""
        now = 100.0 + 50 * self.events + 100 * second
        step.claim(terms(host=f"host {first % 2}", now=now, lanes_max=1 + second % 3))

    def settle(self, step: Transaction, first: int, second: int) -> None:
        """End one leased operation in one of all ways."""
        operation = self._some(State.LEASED, first)
        if operation is None:
            return
        outcome = ("done", "retry", "uncertain", "held", "dead", "done")[second % 6]
        public: dict[str, Json] = {"operation": operation.key, "outcome": outcome}
        public |= {"reason": "because", "not_before": 1000 * first, "failed": second % 2 == 1}
        if outcome == "done":
            public["after"] = "retired" if operation.kind == "retire" else "live"
            if second == 6:
                public["after"] = "missing"
            public["target"] = f"target {operation.reference.source_id}"
        step.record("operation.settled", public=public, subject=operation.reference)
        step.free(operation.lanes)

    def progress(self, step: Transaction, first: int, second: int) -> None:
        """Tell of a leased operation's progress, which may bind its record."""
        operation = self._some(State.LEASED, first)
        if operation is not None:
            public: dict[str, Json] = {"operation": operation.key}
            if second % 2:
                public["bind"] = f"target {operation.reference.source_id}"
            step.record("operation.progressed", public=public, subject=operation.reference)
            step.record("exchange.recorded", public=public)

    def bind(self, step: Transaction, first: int, second: int) -> None:
        """Bind or release a record by hand."""
        name = NAMES[first % 4]
        kind = "mapping.released" if second % 3 == 0 else "mapping.bound"
        public: dict[str, Json] = {"target": f"target {name} {second % 2}"}
        step.record(kind, public=public, subject=SourceRef("course", name))

    def decide(self, step: Transaction, first: int, second: int) -> None:
        """Let a held or dead operation go on, or give it up."""
        operation = self._some(State.HELD if second % 2 else State.DEAD, first)
        kinds = ("operator.approved", "operator.retried", "operator.discarded")
        if operation is not None:
            step.record(kinds[second % 3], public={"operations": [operation.key]})

    def quarantine(self, step: Transaction, first: int, second: int) -> None:
        """Refuse an event, and let it go at times."""
        self.events += 1
        public: dict[str, Json] = {"key": f"q{self.events}"}
        public["reasons"] = [{"code": "b"}, {"code": "a"}]
        step.record("event.quarantined", public=public)
        if (first + second) % 2:
            step.record("quarantine.released", public={"key": f"q{self.events}"})

    def _some(self, state: State, number: int) -> Operation | None:
        found = store.read_page(self.connection, LEDGER_SCOPE, states=[state], limit=9)
        return found[number % len(found)] if found else None


def fold_again(history: History, scope: Scope) -> None:
    """Fold the whole log into another generation, opening gates after each event."""
    connection = history.connection
    for stored in log_store.read_page(connection, scope.ledger, after=-1, limit=10_000):
        if stored.is_outcome:
            _fold_outcome(connection, scope, stored, history.causes)
        elif stored.subject is not None:
            folding.fold_taken(
                connection,
                scope,
                reference=stored.subject,
                owner=stored.source,
                position=stored.position,
                document=history.documents[stored.id],
            )
        while gate_store.open_page(connection, scope, limit=1000):
            pass


def _fold_outcome(
    connection: Connection, scope: Scope, stored: Stored, causes: dict[Position, Cause]
) -> None:
    public: dict[str, Any] = decode(stored)["public"]
    if stored.type != "operations.planned":
        outcome = folding.Outcome(stored.position, stored.type, stored.subject, public)
        folding.fold_outcome(connection, scope, outcome=outcome)
        return
    through = public["through"]
    steps = {plan.through: plan for plan in map(plan_codec.decode, public["steps"])}
    folding.fold_plan(
        connection,
        scope,
        cause=causes[through],
        plan=steps.get(through, Plan(through)),
        position=stored.position,
    )
    checkpoints.write(connection, scope, name=PROJECTOR, position=through)


def rows_of(connection: Connection, scope: Scope) -> dict[str, list[tuple[Any, ...]]]:
    """Return every folded row of a generation, without the generation itself."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in FOLDED:
        columns = [column for column in table.c if column.name != "generation"]
        statement = select(*columns).where(
            table.c.ledger == scope.ledger, table.c.generation == scope.generation
        )
        rows = connection.execute(statement.order_by(*table.primary_key.columns))
        found[table.name] = [tuple(row) for row in rows]
    return found
