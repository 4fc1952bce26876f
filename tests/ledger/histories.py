"""A small ledger that plays random histories, of persons and of what is nobody's."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from sqlalchemy import Connection

from ledger.erasure.premises import Teller, Wish
from ledger.erasure.steps import Begin, Conclude, Traces, records_of
from ledger.errors import ConflictError
from ledger.log.envelope import Stored
from ledger.outbox import gate_store, store
from ledger.outbox.fold_store import Cause
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation, State
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Facts, Named
from ledger.reference import Json, OperationKey, Position, Scope, SourceRef
from ledger.scribe import Scribe
from ledger.sealing import Sealer
from ledger.subjects import subject_store
from ledger.subjects.name import following
from ledger.subjects.subject_store import Standing
from ledger.transaction import Transaction
from tests.ledger import refolding
from tests.ledger.outbox.histories import terms
from tests.ledger.refolding import Refolding
from tests.ledger.rows import LEDGER_SCOPE
from tests.ledger.steps import SOURCE, Told, in_step, offers

NAMES = ("r0", "r1", "r2", "r3")
PERSONS = {"r0": "person:p", "r1": "person:p", "r2": "person:q"}
"""Whose records these are; the last one is nobody's."""
NEVER_SENT = frozenset({State.BLOCKED, State.READY, State.HELD, State.DEAD})


class Unsealed(Scribe):
    """Tells outcomes without anything private."""

    def record(
        self,
        step: Transaction,
        kind: str,
        *,
        public: Mapping[str, Json],
        subject: SourceRef | None = None,
        private: Mapping[str, Json] | None = None,  # noqa: ARG002 - as a scribe has it
        person: str = "",  # noqa: ARG002 - as a scribe has it
    ) -> Position:
        return step.record(kind, public=public, subject=subject)


@dataclass
class History:
    """Plays commands through transactions, as the workers would, opening gates now and then."""

    connection: Connection
    causes: dict[Position, Cause] = field(default_factory=dict)
    documents: dict[str, bytes | None] = field(default_factory=dict)
    """Which document an event named; a real rebuild finds it in the event's private part."""
    persons: dict[Position, str] = field(default_factory=dict)
    events: int = 0
    outages: int = 0

    def play(self, command: str, first: int, second: int, *, pages: int) -> None:
        """Carry one command out and open a few pages; without anything to work on, nothing."""
        in_step(self.connection, lambda step: getattr(self, command)(step, first, second))
        for _ in range(pages):
            gate_store.open_page(self.connection, LEDGER_SCOPE, limit=2)

    def fold_again(self, generation: int) -> Refolding:
        """Return a folding of the log so far, by what could be opened of it now."""
        scope = Scope(LEDGER_SCOPE.ledger, LEDGER_SCOPE.generation + generation)
        again = Refolding(self.connection, scope, refolding.Told(self._cause, self._document))
        again.go_on()
        return again

    def _cause(self, position: Position) -> Cause:
        cause = self.causes[position]
        if not self._is_erased(position):
            return cause
        return replace(cause, facts=replace(cause.facts, key_digests=(), lane=""))

    def _document(self, stored: Stored) -> bytes | None:
        return None if self._is_erased(stored.position) else self.documents[stored.id]

    def _is_erased(self, position: Position) -> bool:
        standing = self._standing(self.persons.get(position, ""))
        return standing is Standing.ERASED

    def _standing(self, person: str) -> Standing | None:
        found = subject_store.find(self.connection, LEDGER_SCOPE, persons=[person])
        return found[person].standing if person in found else None

    def _name(self, person: str) -> str:
        """Return the name that a person goes by: the last one that stands in some way."""
        names = subject_store.names_of(self.connection, LEDGER_SCOPE, person=person)
        return names[-1].person if names else person

    def take(self, step: Transaction, first: int, second: int) -> None:
        """Append an event about a record and plan it."""
        self.events += 1
        name, other = NAMES[first % 4], NAMES[second % 4]
        person = self._name(PERSONS[name]) if name in PERSONS else ""
        document = f"{first} {second}".encode()
        told = Told(str(self.events), name, document=document, person=person)
        self.documents[told.id] = told.document
        position = step.append(offers(told))[0].position
        if position is None:
            return
        self.persons[position] = person
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
        now = 100.0 + 50 * self.events + 100 * second + 1_000 * self.outages
        step.claim(terms(host=f"host {first % 2}", now=now, lanes_max=1 + second % 3))

    def crash(self, step: Transaction, first: int, second: int) -> None:
        """Let whoever works die, and another host claim what was not settled."""
        self.outages += 2
        self.claim(step, first + 1, second)

    def settle(self, step: Transaction, first: int, second: int) -> None:
        """End one leased operation in one of all ways."""
        operation = self._some(State.LEASED, first)
        if operation is None:
            return
        outcome = ("held", "done", "dead", "uncertain", "retry", "done")[second % 6]
        public: dict[str, Json] = {"operation": operation.key, "outcome": outcome}
        public |= {"reason": "because", "not_before": 1000 * first, "failed": second % 2 == 1}
        if outcome == "done":
            public["after"] = "retired" if operation.kind == "retire" else "live"
            if second == 7:
                public["after"] = "missing"
            # Now and then two records want the same.
            source_id = "shared" if second == 5 else operation.reference.source_id
            public["target"] = f"target {source_id}"
        elif outcome == "held":
            public["in_doubt"] = first % 2 == 0
        try:
            with step.savepoint():
                step.record("operation.settled", public=public, subject=operation.reference)
        except ConflictError:
            held: dict[str, Json] = {"operation": operation.key, "outcome": "held"}
            step.record("operation.settled", public=held, subject=operation.reference)
        step.free(operation.lanes)

    def work(self, step: Transaction, first: int, second: int) -> None:
        """Claim and settle at once."""
        self.claim(step, first, second)
        self.settle(step, first, second)

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
        states = (State.HELD, State.DEAD) if second % 2 else (State.DEAD, State.HELD)
        operation = self._some(states[0], first) or self._some(states[1], first)
        kinds = ("operator.approved", "operator.retried", "operator.discarded")
        if operation is not None:
            step.record(kinds[first % 3], public={"operations": [operation.key]})

    def accept_older(self, step: Transaction, first: int, _second: int) -> None:
        """Take the ledger for one that fell behind."""
        unchanging: list[Json] = ["course"] if first % 2 else []
        step.record("operator.accepted_older", public={"unchanging": unchanging})

    def compare_older(self, step: Transaction, first: int, _second: int) -> None:
        """Say of an older ledger that it was compared."""
        step.record("operator.compared_older", public={"accepted": first})

    def subject(self, step: Transaction, first: int, second: int) -> None:
        """Bring a person to one of the standings that may follow."""
        name = NAMES[first % 3]
        person, reference = self._name(PERSONS[name]), SourceRef("course", name)
        teller = Teller(Unsealed(cast("Sealer", None), {}), Wish(person, reference))
        match self._standing(person):
            case Standing.HELD:
                step.record("subject.hold_released", public={"person": person}, subject=reference)
            case Standing.ERASING:
                records = records_of(self.connection, LEDGER_SCOPE.ledger, person)
                served = sorted({each.source_id for each in records})
                Conclude(teller, person, [], served)(step)
            case Standing.ERASED:
                public: dict[str, Json] = {"person": following(person)}
                step.record("subject.readmitted", public=public, subject=reference)
            case None | Standing.READMITTED if second % 4 == 0:
                step.record("subject.held", public={"person": person}, subject=reference)
            case None | Standing.READMITTED:
                Begin(teller, person, Traces(), is_again=False)(step)

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
