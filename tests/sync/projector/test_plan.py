"""Nothing waits for itself, nothing goes out of order, and whatever stays open has an excuse."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from ledger.outbox.plan import Plan
from sync.projector.plan import park_event, plan_event
from tests.sync.projector.histories import (
    CAMPUS,
    FOCUS,
    KEYED,
    REMOVALS,
    UPSERTS,
    Act,
    deciding,
    events,
    founded,
    leasing,
    mixed,
    settling,
    working,
)
from tests.sync.projector.ledger_fake import FakeLedger, name_operation
from tests.sync.projector.orderly import check_no_circles, check_rest, finish
from tests.sync.projector.worlds import STUDENT, student, university, upsert

quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

anything = events(UPSERTS + UPSERTS + REMOVALS)
keyed = events(KEYED)
campus = events(CAMPUS, FOCUS)
trouble = ((3, leasing), (3, settling), (1, deciding))


def play(ledger: FakeLedger, acts: list[Act]) -> None:
    for act in acts:
        act(ledger)
        check_no_circles(ledger)
    finish(ledger)
    check_rest(ledger)


@quick
@given(mixed((6, anything), (1, working)))
def test_events_in_any_order_come_to_rest(acts: list[Act]) -> None:
    play(FakeLedger(), acts)


@quick
@given(mixed((6, anything), (1, working), *trouble))
def test_troubles_in_between_come_to_rest(acts: list[Act]) -> None:
    play(founded(), acts)


@quick
@given(mixed((6, keyed), (1, working), *trouble))
def test_contended_keys_come_to_rest(acts: list[Act]) -> None:
    play(founded(), acts)


@quick
@given(mixed((6, campus), (1, working)))
def test_removals_and_returns_come_to_rest(acts: list[Act]) -> None:
    play(founded(FOCUS), acts)


@quick
@given(mixed((6, campus), (1, working), *trouble))
def test_removals_and_returns_in_troubled_times_come_to_rest(acts: list[Act]) -> None:
    play(founded(FOCUS), acts)


def test_a_late_event_plans_nothing() -> None:
    ledger = FakeLedger()
    ledger.take("student.upserted", "S", student(), sequence=5)

    plan = ledger.take("student.upserted", "S", student(name="Old Name"), sequence=5)

    assert plan == Plan(through=1, late=(1,))


def test_another_source_counts_for_itself() -> None:
    ledger = FakeLedger()
    ledger.take("student.upserted", "S", student(), sequence=5)

    ledger.take("student.upserted", "S", student(name="New"), sequence=1, source="urn:other")

    assert ledger.only(STUDENT).cause == 1


def test_an_erased_event_is_parked() -> None:
    ledger = FakeLedger()
    event = replace(ledger.append("student.upserted", "S", student()), private=None)

    plan = plan_event(event, ledger, operation_key=name_operation)

    assert plan == Plan(through=0, parked=((0, "erased"),))


def test_an_outcome_event_plans_nothing() -> None:
    ledger = FakeLedger()
    event = replace(ledger.append("student.upserted", "S", student()), type="operations.planned")

    assert plan_event(event, ledger, operation_key=name_operation) == Plan(through=0)


def test_an_event_that_cannot_be_planned_stops_its_record() -> None:
    ledger = university()
    event = ledger.append("student.upserted", "S", student(name="New"))

    ledger.fold(park_event(event, ledger, operation_key=name_operation))

    assert ledger.only(STUDENT).reason == "cannot_plan"
    assert ledger.last_plan.parked == ((event.position, "cannot_plan"),)


def test_the_next_event_heals_a_record_that_was_stopped() -> None:
    ledger = university()
    event = ledger.append("student.upserted", "S", student(name="New"))
    ledger.fold(park_event(event, ledger, operation_key=name_operation))

    upsert(ledger, STUDENT, student(name="Newer"))
    ledger.work()

    assert ledger.every_open() == []


def test_the_same_history_gives_the_same_plans() -> None:
    first, second = university(), university()

    assert list(first.operations) == list(second.operations)
