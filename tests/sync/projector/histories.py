"""Random histories: events of every kind, and a dispatcher that now and then has trouble."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from ledger.outbox.operation import State
from ledger.reference import Json
from sync.projector.certificate import CERTIFICATE_REVOKED
from sync.resources import EVENT_TYPES, check
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.orderly import STUCK, claim, finish

Ids = Mapping[str, tuple[str, ...]]
"""The ids that a history uses, by entity."""

CROWD_IDS: Ids = {
    "institution": ("I1",),
    "organization": ("O1", "O2"),
    "course": ("C1", "C2"),
    "module": ("M1", "M2", "M3"),
    "module_group": ("G1", "G2"),
    "course_module": ("A1", "A2", "A3", "A4"),
    "cohort": ("K1", "K2"),
    "student": ("S1", "S2", "S3"),
    "enrollment": ("E1", "E2", "E3"),
    "certificate": ("X1", "X2", "X3"),
}
"""Enough records that keys and parents are contended."""

FOCUS_IDS: Ids = {
    "institution": ("I1",),
    "organization": ("O1",),
    "course": ("C1",),
    "module": ("M1",),
    "module_group": ("G1",),
    "course_module": ("A1",),
    "cohort": ("K1", "K9"),
    "student": ("S1",),
    "enrollment": ("E1",),
    "certificate": ("X1", "X2"),
}
"""One record of each, so that everything concerns everything; K9 may never come."""

Fields = Mapping[str, st.SearchStrategy[Json]]


def maybe(strategy: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.none() | strategy


WORDS = st.sampled_from(("red", "blue"))


def data_of(pool: Ids) -> Mapping[str, Fields]:
    """Return few values for every field, so that events meet: the same keys, parents, contents."""
    ids = {entity: st.sampled_from(names) for entity, names in pool.items()}
    return {
        "institution.upserted": {"name": WORDS, "country": st.just("Brazil")},
        "organization.upserted": {"institution_id": ids["institution"], "name": WORDS},
        "course.upserted": {
            "institution_id": ids["institution"],
            "name": WORDS,
            "code": maybe(st.sampled_from(("c1", "c2"))),
            "organization_id": maybe(ids["organization"]),
        },
        "module.upserted": {
            "institution_id": ids["institution"],
            "name": WORDS,
            "code": st.sampled_from(("m1", "m2", "m3")),
        },
        "module_group.upserted": {"course_id": ids["course"], "name": WORDS},
        "course_module.upserted": {
            "course_id": ids["course"],
            "module_id": ids["module"],
            "order": st.integers(1, 2),
            "module_group_id": maybe(ids["module_group"]),
        },
        **_people(ids),
    }


def _people(ids: Fields) -> dict[str, Fields]:
    return {
        "cohort.upserted": {"course_id": ids["course"], "code": st.sampled_from(("k1", "k2"))},
        "student.upserted": {
            "name": WORDS,
            "email": st.sampled_from(("a@x.org", "b@x.org", "c@x.org")),
            "date_of_birth": st.just("2000-01-02"),
        },
        "enrollment.upserted": {
            "student_id": ids["student"],
            "course_id": ids["course"],
            "enrolled_at": st.just("2026-01-01"),
            "cohort_id": maybe(ids["cohort"]),
            "completion_status": st.sampled_from(("enrolled", "completed", "completed")),
            "completed_at": st.just("2026-06-01"),
        },
        "certificate.requested": {
            "institution_id": ids["institution"],
            "course_id": ids["course"],
            "student_id": ids["student"],
            "document": st.sampled_from(({"sha256": "0" * 64}, {"sha256": "1" * 64})),
            "enrollment_id": maybe(ids["enrollment"]),
            "cohort_id": maybe(ids["cohort"]),
        },
        "certificate.revoked": {"reason_code": st.sampled_from(("withdrawn", "superseded"))},
    }


@dataclass(frozen=True)
class Pool:
    """The records of a history, and what their events may say."""

    ids: Ids
    data: Mapping[str, Fields]


CROWD = Pool(CROWD_IDS, data_of(CROWD_IDS))
FOCUS = Pool(FOCUS_IDS, data_of(FOCUS_IDS))

Act = Callable[[FakeLedger], None]


@dataclass(frozen=True)
class Take:
    """An event arrives."""

    event_type: str
    subject: str
    data: dict[str, Json] | None
    guarded: frozenset[str] = frozenset()

    def __call__(self, ledger: FakeLedger) -> None:
        ledger.take(self.event_type, self.subject, self.data, guarded=self.guarded)


@dataclass(frozen=True)
class Lease:
    """The dispatcher claims something ready."""

    choice: int

    def __call__(self, ledger: FakeLedger) -> None:
        ready = ledger.ready()
        if ready:
            claim(ledger, ready[self.choice % len(ready)])


@dataclass(frozen=True)
class Settle:
    """Something leased comes to an end: well, refused, held, put off, or unknown."""

    choice: int
    state: State

    def __call__(self, ledger: FakeLedger) -> None:
        leased = [each for each in ledger.operations.values() if each.state is State.LEASED]
        if leased:
            ledger.settle(leased[self.choice % len(leased)], self.state)


@dataclass(frozen=True)
class Decide:
    """A person approves or discards something held or dead."""

    choice: int
    approves: bool

    def __call__(self, ledger: FakeLedger) -> None:
        stuck = [each for each in ledger.operations.values() if each.state in STUCK]
        if stuck:
            chosen = stuck[self.choice % len(stuck)]
            # To issue after all what was revoked is a decision against the log.
            may_go_on = self.approves and chosen.reason != CERTIFICATE_REVOKED
            (ledger.approve if may_go_on else ledger.discard)(chosen)


@dataclass(frozen=True)
class Work:
    """The dispatcher does everything it can."""

    def __call__(self, ledger: FakeLedger) -> None:
        finish(ledger)


UPSERTS = tuple(name for name in EVENT_TYPES if name.endswith(("upserted", "requested")))
REMOVALS = tuple(name for name in EVENT_TYPES if name not in UPSERTS)
KEYED = ("student.upserted", "student.upserted", "student.removed", "module.upserted")
CAMPUS = (
    "course.upserted",
    "course.removed",
    "module.upserted",
    "module.removed",
    "course_module.upserted",
    "course_module.removed",
    "cohort.upserted",
    "student.upserted",
    "enrollment.upserted",
    "enrollment.removed",
    "certificate.requested",
    "certificate.requested",
    "certificate.revoked",
)
STATES = (State.DONE, State.DONE, State.READY, State.DEAD, State.HELD, State.UNCERTAIN)


@st.composite
def events(draw: st.DrawFn, types: tuple[str, ...], pool: Pool = CROWD) -> Act:
    """Return the arrival of one event of these types about one record of the pool."""
    event_type = draw(st.sampled_from(types))
    entity = event_type.partition(".")[0]
    fields = pool.data.get(event_type)
    data = None if fields is None else draw(st.fixed_dictionaries(dict(fields)))
    subject = draw(st.sampled_from(pool.ids[entity]))
    checked = check(event_type, subject, data)
    assert not checked.faults, checked.faults
    guarded = draw(st.sampled_from((frozenset[str](),) * 24 + (frozenset({entity}),)))
    return Take(event_type, subject, dict(checked.data) if checked.data else None, guarded)


_choices = st.integers(0, 20)
working: st.SearchStrategy[Act] = st.builds(Work)
leasing: st.SearchStrategy[Act] = st.builds(Lease, _choices)
settling: st.SearchStrategy[Act] = st.builds(Settle, _choices, st.sampled_from(STATES))
deciding: st.SearchStrategy[Act] = st.builds(Decide, _choices, st.booleans())


def mixed(*parts: tuple[int, st.SearchStrategy[Act]]) -> st.SearchStrategy[list[Act]]:
    """Return long histories in which each kind of act comes as often as its weight says."""
    weighted = [strategy for weight, strategy in parts for _ in range(weight)]
    act = st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)
    return st.lists(act, min_size=15, max_size=40)


FOUNDING: dict[str, Callable[[int], dict[str, Json]]] = {
    "institution": lambda _: {"name": "red", "country": "Brazil"},
    "organization": lambda n: {"institution_id": "I1", "name": ("red", "blue")[n]},
    "course": lambda n: {"institution_id": "I1", "name": "red", "code": f"c{n + 1}"},
    "module": lambda n: {"institution_id": "I1", "name": "red", "code": f"m{n + 1}"},
    "module_group": lambda n: {"course_id": f"C{n + 1}", "name": "red"},
    "course_module": lambda n: {"course_id": f"C{n % 2 + 1}", "module_id": f"M{n // 2 + 1}"},
    "cohort": lambda n: {"course_id": f"C{n + 1}", "code": f"k{n + 1}"},
    "student": lambda n: {
        "name": "red",
        "email": f"{'abc'[n]}@x.org",
        "date_of_birth": "2000-01-02",
    },
    "enrollment": lambda n: {
        "student_id": f"S{n + 1}",
        "course_id": "C1",
        "enrolled_at": "2026-01-01",
        "completion_status": ("completed", "enrolled", "completed")[n],
        "completed_at": "2026-06-01",
    },
}


def founded(pool: Pool = CROWD) -> FakeLedger:
    """Return a ledger in which every record is live, so that random events change and remove."""
    ledger = FakeLedger()
    for event_type in UPSERTS[:-1]:
        entity = event_type.partition(".")[0]
        for number, subject in enumerate(pool.ids[entity]):
            if not subject.endswith("9"):
                ledger.take(event_type, subject, FOUNDING[entity](number))
    ledger.work()
    assert not [each for each in ledger.operations.values() if each.is_open]
    return ledger
