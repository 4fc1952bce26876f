"""What another host holds: waited for where it may be gone, and told where nobody may wait."""

from pathlib import Path

import pytest

from ledger.outbox.lease_store import ClaimTerms
from sync.projector.worker import Projector
from sync.runtime.settings import Settings
from sync.runtime.sync_run import Exit, run_sync
from tests.sync.system.practice import Practice, practising
from tests.sync.system.university import PEOPLE

STUDENT = [told for told in PEOPLE if told[:2] == ("student.upserted", "S-1")]
LEASE_SECONDS, SETTLE_SECONDS = 120.0, 1.0
"""Far longer than the patience that nobody chose, however slow the machine is to begin."""
SPEED = 20


async def _claim_and_die(practice: Practice) -> Settings:
    """Let another host claim the work and never be heard of again; returns our settings."""
    await practice.ingest(STUDENT)
    await Projector(practice.ledger).project()
    terms = ClaimTerms(
        host="gone",
        now=0.0,
        lease_seconds=LEASE_SECONDS,
        lanes_max=9,
        group_max=1,
        settle_seconds=SETTLE_SECONDS,
        may_group=lambda _: False,
    )
    claimed = await practice.ledger.transact(lambda step: step.claim(terms.at(step.lease_now)))
    assert len(claimed) == 1
    chosen = practice.settings.model_dump(exclude_unset=True, exclude={"patience_seconds"})
    return Settings.load(environment={}, **chosen)


async def test_a_run_waits_until_what_a_dead_host_left_can_be_taken_over(home: Path) -> None:
    async with practising(
        home, speed=SPEED, lease_seconds=LEASE_SECONDS, settle_seconds=SETTLE_SECONDS
    ) as practice:
        settings = await _claim_and_die(practice)
        told: list[float] = []
        report = await run_sync(practice.ledger, settings, waiting=told.append)
        is_shared = practice.ledger.database.is_shared

        # A file has one host: whoever held a lease is gone, and only the settle window is left.
        assert len(told) == (1 if is_shared else 0)
        assert all(SETTLE_SECONDS < seconds <= LEASE_SECONDS + SETTLE_SECONDS for seconds in told)
        assert (report.exit, report.done, report.uncertain) == (Exit.DONE, 1, 0)
        assert report.seconds_to_takeover is None
        assert await practice.faults() == []


@pytest.mark.one_database("A file has one host at a time.")
async def test_a_run_with_a_patience_of_its_own_tells_how_long_to_wait(served: Path) -> None:
    async with practising(
        served, speed=SPEED, lease_seconds=LEASE_SECONDS, settle_seconds=SETTLE_SECONDS
    ) as practice:
        settings = await _claim_and_die(practice)
        told: list[float] = []
        report = await run_sync(
            practice.ledger, settings, patience_seconds=1.0, waiting=told.append
        )

    assert (report.exit, report.uncertain, told) == (Exit.TRY_LATER, 1, [])
    assert report.seconds_to_takeover is not None
    assert 0 < report.seconds_to_takeover <= LEASE_SECONDS + SETTLE_SECONDS
