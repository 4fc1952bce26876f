"""Nothing waits for itself, nothing goes out of order, and whatever stays open has an excuse."""

from hypothesis import HealthCheck, given, settings

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
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.orderly import check_no_circles, check_rest, finish

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
