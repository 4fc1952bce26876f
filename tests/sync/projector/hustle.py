"""Random business on a real ledger: events, plans, claims, endings of every kind, operators."""

from collections.abc import Callable, Mapping
from random import Random

from ledger.errors import ConflictError
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.mapping import store as mapping_store
from ledger.outbox import gate_store, store
from ledger.outbox.gate_store import START
from ledger.outbox.lease_store import ClaimTerms
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, SourceRef, TargetId
from ledger.transaction import Transaction
from sync.dispatcher.looking import can_double
from sync.projector.worker import Projector
from sync.resources import EVENT_TYPES, check, resource

SOURCE = "urn:sis:demo"
IDS: Mapping[str, tuple[str, ...]] = {
    "institution": ("I1",),
    "organization": ("O1",),
    "course": ("C1", "C2"),
    "module": ("M1", "M2"),
    "module_group": ("G1",),
    "course_module": ("A1", "A2"),
    "cohort": ("K1", "K2"),
    "student": ("S1", "S2"),
    "enrollment": ("E1", "E2"),
    "certificate": ("X1", "X2"),
}
Chooser = Callable[[Random], Json]


def _one(*values: Json) -> Chooser:
    return lambda random: random.choice(values)


def _id(entity: str) -> Chooser:
    return lambda random: random.choice(IDS[entity])


def _document(random: Random) -> Json:
    return {"sha256": random.choice(("a", "b", "c")) * 64}


_WORD = _one("red", "blue")
FIELDS: Mapping[str, Mapping[str, Chooser]] = {
    "institution.upserted": {"name": _WORD, "country": _one("Brazil")},
    "organization.upserted": {"institution_id": _id("institution"), "name": _WORD},
    "course.upserted": {
        "institution_id": _id("institution"),
        "name": _WORD,
        "code": _WORD,
        "status": _one("active", "archived"),
    },
    "module.upserted": {"institution_id": _id("institution"), "name": _WORD, "code": _WORD},
    "module_group.upserted": {"course_id": _id("course"), "name": _WORD},
    "course_module.upserted": {"course_id": _id("course"), "module_id": _id("module")},
    "cohort.upserted": {"course_id": _id("course"), "code": _WORD},
    "student.upserted": {
        "name": _WORD,
        "email": _one("a@example.org", "b@example.org"),
        "date_of_birth": _one("2000-01-02"),
    },
    "enrollment.upserted": {
        "student_id": _id("student"),
        "course_id": _id("course"),
        "enrolled_at": _one("2026-02-01"),
        "completion_status": _one("enrolled", "completed"),
        "completed_at": _one("2026-12-01"),
    },
    "certificate.requested": {
        "institution_id": _id("institution"),
        "course_id": _id("course"),
        "student_id": _id("student"),
        "enrollment_id": _one("E1", "E2", None),
        "document": _document,
    },
    "certificate.revoked": {"reason_code": _one("withdrawn")},
}
TYPES = (*FIELDS, *FIELDS, *(name for name in EVENT_TYPES if name.endswith(".removed")))
OUTCOMES = ("done", "done", "done", "retry", "uncertain", "held", "dead")
AFTERS: Mapping[str, tuple[str | None, ...]] = {
    "upsert": ("live", "live", "live", "missing"),
    "issue": ("live",),
    "revoke": ("revoked",),
    "retire": ("retired", "missing", "released", None),
    "recheck": (None,),
}
UNBOUND = frozenset({"retire", "recheck"})
"""Kinds of operations that never bind what they are about."""


class Hustle:
    """One random history; the same seed plays the same one."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._ledger = ledger
        self._random = Random(seed)
        self._projector = Projector(ledger)
        self._events = 0

    async def act(self) -> None:
        """Let one thing happen."""
        actions = (
            *[self.take] * 6,
            *[self.project] * 3,
            *[self.open_a_little] * 2,
            *[self.work] * 5,
            self.sweep,
            self.operate,
            self.rebind,
            self.refuse,
        )
        await self._random.choice(actions)()

    async def take(self) -> None:
        event_type = self._random.choice(TYPES)
        entity = event_type.split(".")[0]
        chosen = {name: pick(self._random) for name, pick in FIELDS.get(event_type, {}).items()}
        source_id = self._random.choice(IDS[entity])
        checked = check(event_type, source_id, chosen if event_type in FIELDS else None)
        if checked.faults:
            return
        self._events += 1
        event = NewEvent(
            source=SOURCE,
            id=str(self._events),
            type=event_type,
            subject=SourceRef(entity, source_id),
            private=None if checked.data is None else {"data": dict(checked.data)},
            person=resource(entity).person(source_id, checked.data or {}),
            sequence=self._random.choice((None, None, self._random.randrange(50))),
        )
        await self._ledger.append([event])

    async def project(self) -> None:
        await self._projector.project()

    async def open_a_little(self) -> None:
        limit = self._random.randrange(1, 4)
        await self._ledger.transact(
            lambda step: gate_store.open_page(step.connection, step.scope, limit=limit)
        )

    async def sweep(self) -> None:
        await self._ledger.transact(
            lambda step: gate_store.sweep_page(
                step.connection, step.scope, after=START, limit=1_000
            )
        )

    async def work(self) -> None:
        now = self._ledger.clock.now().timestamp()
        terms = ClaimTerms(
            host="host",
            now=now,
            lease_seconds=0,
            lanes_max=2,
            group_max=2,
            settle_seconds=0.0,
            may_group=lambda operation: operation.reference.entity == "course_module",
            looks_again=can_double,
        )
        groups = await self._ledger.transact(lambda step: step.claim(terms))
        for group in groups:
            for operation in group.operations:
                if self._random.random() < 0.9:
                    await self._settle(operation)
            lanes = sorted({lane for each in group.operations for lane in each.lanes})
            await self._ledger.transact(_free(lanes))

    async def operate(self) -> None:
        scope = self._ledger.scope
        stuck = await self._ledger.read(
            lambda c: store.read_page(c, scope, states=(State.HELD, State.DEAD), limit=50)
        )
        free: list[Json] = [each.key for each in stuck if not each.possibly_sent]
        if free:
            verb = self._random.choice(("approved", "retried", "discarded"))
            keys = free[: self._random.randrange(1, 4)]
            public: dict[str, Json] = {"operations": keys}
            await self._ledger.transact(lambda step: step.record(f"operator.{verb}", public=public))

    async def rebind(self) -> None:
        entity = self._random.choice(tuple(IDS))
        reference = SourceRef(entity, self._random.choice(IDS[entity]))
        verb = self._random.choice(("bound", "released"))
        target = self._target(reference)
        await self._ledger.transact(lambda step: _link(step, verb, reference, target))

    async def refuse(self) -> None:
        public: dict[str, Json] = {
            "key": str(self._random.randrange(1_000_000)),
            "line": 1,
            "reasons": [{"field": "line", "code": "json", "message": "no"}],
        }
        await self._ledger.transact(lambda step: step.record("event.quarantined", public=public))

    async def _settle(self, operation: Operation) -> None:
        if self._random.random() < 0.2:
            await self._ledger.transact(lambda step: self._progress(step, operation))
        outcome = self._random.choice(OUTCOMES)
        fields: dict[str, Json] = {
            "operation": operation.key,
            "outcome": outcome,
            "reason": None if outcome == "done" else "unavailable",
            "failed": self._random.choice((True, None)),
            "not_before": 1_000 if outcome == "retry" else None,
        }
        if outcome == "done":
            after = self._random.choice(AFTERS[operation.kind])
            target = self._target(operation.reference) if operation.kind not in UNBOUND else None
            fields |= {"after": after, "target": target}
        if outcome == "held":
            fields["in_doubt"] = self._random.choice((True, None))
        public: dict[str, Json] = {n: value for n, value in fields.items() if value is not None}
        await self._ledger.transact(lambda step: _settled(step, operation, public))

    def _progress(self, step: Transaction, operation: Operation) -> None:
        public: dict[str, Json] = {"operation": operation.key, "exchanges": []}
        if operation.kind not in UNBOUND and self._random.random() < 0.5:
            public["bind"] = self._target(operation.reference)
        try:
            with step.savepoint():
                step.record("operation.progressed", public=public, subject=operation.reference)
        except ConflictError:
            return

    def _target(self, reference: SourceRef) -> TargetId:
        # Few enough that two records now and then want the same one.
        number = self._random.choice((reference.source_id, reference.source_id, "shared"))
        return TargetId(f"{reference.entity}-{number}")


def _free(lanes: list[str]) -> Callable[[Transaction], None]:
    return lambda step: step.free(lanes)


def _settled(step: Transaction, operation: Operation, public: dict[str, Json]) -> None:
    try:
        with step.savepoint():
            step.record("operation.settled", public=public, subject=operation.reference)
    except ConflictError:
        held: dict[str, Json] = {
            "operation": operation.key,
            "outcome": "held",
            "reason": "held_by_another",
        }
        step.record("operation.settled", public=held, subject=operation.reference)


def _link(step: Transaction, verb: str, reference: SourceRef, target: TargetId) -> None:
    known = mapping_store.find(step.connection, step.scope, reference=reference)
    if verb == "released":
        if known is None:
            return
        target = known.target
    try:
        with step.savepoint():
            step.record(f"mapping.{verb}", public={"target": target}, subject=reference)
    except ConflictError:
        return
