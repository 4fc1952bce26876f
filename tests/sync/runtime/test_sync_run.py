from pathlib import Path

import pytest

from ledger.outbox.operation import State
from sync.errors import ConfigurationError
from sync.runtime.engine import Remaining
from sync.runtime.status import status
from sync.runtime.sync_run import Exit, judge, run_sync
from sync.simulator import parse_faults
from tests.sync.runtime import desk as desks
from tests.sync.system.practice import practising, settings_for
from tests.sync.system.university import Told

INSTITUTION: Told = (
    "institution.upserted",
    "U",
    {"name": "Demo", "country": "Brazil", "tax_id": "1"},
)
COURSE: Told = ("course.upserted", "C", {"institution_id": "U", "name": "Physics", "code": "P"})
ORPHAN: Told = ("course.upserted", "O", {"institution_id": "nobody", "name": "Art", "code": "A"})


async def test_a_run_that_leaves_nothing_ends_well(home: Path) -> None:
    async with practising(home) as practice:
        report = await practice.tell([INSTITUTION, COURSE])

    assert (report.exit, report.done, report.waiting, report.uncertain) == (Exit.DONE, 2, 0, 0)
    assert report.calls["POST"] == 2


async def test_what_waits_for_a_record_that_never_comes_needs_a_person(home: Path) -> None:
    async with practising(home) as practice:
        report = await practice.tell([INSTITUTION, ORPHAN])

    assert (report.exit, report.done, report.waiting) == (Exit.NEEDS_PERSON, 1, 1)


async def test_what_is_held_needs_a_person(home: Path) -> None:
    async with practising(home, institutions="bind") as practice:
        report = await practice.tell([INSTITUTION, COURSE])

    assert (report.exit, report.held, report.waiting) == (Exit.NEEDS_PERSON, 1, 1)


async def test_a_refused_line_needs_a_person(home: Path) -> None:
    async with practising(home) as practice:
        await practice.ingest([INSTITUTION, ("course.upserted", "C", {"nme": "misspelt"})])
        report = await practice.sync()

    assert (report.exit, report.done) == (Exit.NEEDS_PERSON, 1)


async def test_an_outage_leaves_everything_for_later(home: Path) -> None:
    async with practising(home, patience_seconds=30) as practice:
        practice.simulator.start_outage("503")
        report = await practice.tell([INSTITUTION, COURSE])
        practice.simulator.end_outage()
        again = await practice.sync()

    assert (report.exit, report.held, report.dead) == (Exit.TRY_LATER, 0, 0)
    assert report.waiting == 2
    assert (again.exit, again.done) == (Exit.DONE, 2)


async def test_refused_credentials_are_told_until_a_call_succeeds(home: Path) -> None:
    async with practising(home) as practice:
        await practice.tell([INSTITUTION])
        await practice.ingest([COURSE])
        wrong = settings_for(home, practice.address, client_secret="wrong")
        with pytest.raises(ConfigurationError) as refused:
            await run_sync(practice.ledger, wrong)
        stopped = (await status(practice.ledger))["stopped"]
        await practice.sync()
        again = (await status(practice.ledger))["stopped"]

    assert isinstance(stopped, dict)
    assert stopped["why"] == str(refused.value)
    assert again is None


async def test_later_comes_before_a_person(home: Path) -> None:
    async with practising(home, settle_seconds=3600) as practice:
        practice.simulator.set_faults(*parse_faults("cut_after:nth=1,method=POST,path=/courses"))
        report = await practice.tell([INSTITUTION, ORPHAN, COURSE])

    assert (report.exit, report.uncertain) == (Exit.TRY_LATER, 1)


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "cut_before", "error_before"])
async def test_a_lost_answer_leads_to_one_record(home: Path, fault: str) -> None:
    async with practising(home, settle_seconds=1) as practice:
        practice.simulator.set_faults(*parse_faults(f"{fault}:nth=1,method=POST,path=/courses"))
        report = await practice.tell([INSTITUTION, COURSE])

        assert report.exit is Exit.DONE
        assert len(practice.simulator.records("courses")) == 1
        assert await practice.faults() == []


async def test_the_report_is_what_the_command_line_prints(home: Path) -> None:
    async with practising(home) as practice:
        told = (await practice.tell([INSTITUTION])).to_json()

    assert list(told) == [
        "done",
        "waiting",
        "held",
        "dead",
        *["uncertain", "late_looks", "calls", "seconds", "exit"],
    ]
    assert told["exit"] == 0


async def test_a_gate_that_nobody_came_to_open_is_left_for_later(home: Path) -> None:
    idle = Remaining(lag=0, states={State.BLOCKED: 1}, uncertain=0)
    async with desks.desk_in(home) as desk:
        await desk.university()
        before = await judge(desk.ledger, idle)
        await desk.ledger.transact(
            lambda step: step.record(
                "mapping.bound", public={"target": "u-1"}, subject=desks.INSTITUTION
            )
        )
        after = await judge(desk.ledger, idle)

    assert (before, after) == (Exit.DONE, Exit.TRY_LATER)
