"""An ingest run is judged whole, and never waited for without end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.clock import ManualClock
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import SourceRef
from ledger.testing import ledger_in
from ledger.transaction import Transaction
from sync.projector.run_store import WINDOW_POSITIONS
from sync.projector.run_worker import (
    QUIET_SECONDS,
    RUN_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    GuardTerms,
)
from sync.projector.worker import Projector

TERMS = GuardTerms(percent=20, floor=2)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ledger(home: Path, clock: ManualClock) -> AsyncIterator[Ledger]:
    async with ledger_in(home, clock=clock) as opened:
        yield opened


def institution(number: int, name: str) -> NewEvent:
    return NewEvent(
        source="urn:sis",
        id=f"{number}/{name}",
        type="institution.upserted",
        subject=SourceRef("institution", f"I-{number}"),
        private={"data": {"name": name, "country": "PT", "status": "active"}},
    )


async def start(ledger: Ledger) -> None:
    await ledger.transact(lambda step: step.record("ingest.started", public={}))


async def finish(ledger: Ledger) -> None:
    await ledger.transact(lambda step: step.record("ingest.finished", public={"run": 0}))


async def plan_all(ledger: Ledger) -> int:
    projector, planned = Projector(ledger, guard=TERMS), 0
    while count := await projector.project():
        planned += count
    return planned


async def states(ledger: Ledger) -> dict[State, int]:
    return await ledger.read(
        lambda connection: outbox_store.count_by_state(connection, ledger.scope)
    )


async def bind_all(ledger: Ledger, count: int) -> None:
    for number in range(count):
        reference = SourceRef("institution", f"I-{number}")
        public = {"target": f"uuid-{number}"}
        await ledger.transact(
            lambda step, ref=reference, what=public: step.record(  # type: ignore[misc]
                "mapping.bound", public=what, subject=ref
            )
        )


async def test_a_run_that_is_still_written_is_not_planned(ledger: Ledger) -> None:
    await start(ledger)
    await ledger.append([institution(1, "One")])

    assert await plan_all(ledger) == 0


async def test_a_finished_run_is_planned_at_once(ledger: Ledger) -> None:
    await start(ledger)
    await ledger.append([institution(1, "One")])
    await finish(ledger)

    assert await plan_all(ledger) == 1


async def test_an_abandoned_run_is_planned_once_it_is_quiet(
    ledger: Ledger, clock: ManualClock
) -> None:
    await start(ledger)
    await ledger.append([institution(1, "One")])

    clock.advance(QUIET_SECONDS + 1)

    assert await plan_all(ledger) == 1


async def test_events_that_keep_coming_after_an_abandoned_run_delay_it_no_longer_than_the_bound(
    ledger: Ledger, clock: ManualClock
) -> None:
    await start(ledger)
    for number in range(int(WAIT_SECONDS_MAX)):
        await ledger.append([institution(number, "Name")])
        clock.advance(1)

    await ledger.append([institution(99, "Last")])

    assert await plan_all(ledger) == int(WAIT_SECONDS_MAX) + 1


async def test_what_comes_long_after_an_abandoned_run_is_not_counted_with_it(
    ledger: Ledger, clock: ManualClock
) -> None:
    await ledger.append([institution(number, "Old") for number in range(5)])
    await plan_all(ledger)
    await bind_all(ledger, 5)
    await start(ledger)
    await ledger.append([institution(0, "Changed by the run")])
    clock.advance(RUN_SECONDS_MAX + 1)

    for number in range(5):
        await fill_a_window(ledger)
        await ledger.append([institution(number, "Changed alone")])
        await plan_all(ledger)

    assert State.HELD not in await states(ledger)


async def fill_a_window(ledger: Ledger) -> None:
    def fill(step: Transaction) -> None:
        for _ in range(WINDOW_POSITIONS):
            step.record("told.nothing", public={})

    await ledger.transact(fill)


async def test_a_run_that_changes_too_many_known_records_is_held_whole(ledger: Ledger) -> None:
    await ledger.append([institution(number, "Old") for number in range(5)])
    await plan_all(ledger)
    await bind_all(ledger, 5)

    await start(ledger)
    await ledger.append([institution(number, "New") for number in range(3)])
    await finish(ledger)
    await plan_all(ledger)

    assert (await states(ledger))[State.HELD] == 3


async def test_a_run_of_new_records_is_never_held(ledger: Ledger) -> None:
    await start(ledger)
    await ledger.append([institution(number, "New") for number in range(50)])
    await finish(ledger)
    await plan_all(ledger)

    assert State.HELD not in await states(ledger)


async def test_repeating_what_is_known_is_no_change(ledger: Ledger) -> None:
    await ledger.append([institution(number, "Same") for number in range(5)])
    await plan_all(ledger)
    await bind_all(ledger, 5)

    again = [institution(number, "Same") for number in range(5)]
    await start(ledger)
    await ledger.append([replace_id(event) for event in again])
    await finish(ledger)
    await plan_all(ledger)

    assert State.HELD not in await states(ledger)


def replace_id(event: NewEvent) -> NewEvent:
    return NewEvent(
        source=event.source,
        id=f"again {event.id}",
        type=event.type,
        subject=event.subject,
        private=event.private,
    )
