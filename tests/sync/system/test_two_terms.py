"""A small university through the whole system, in good weather."""

from pathlib import Path

from tests.sync.system.practice import practising
from tests.sync.system.university import FIRST_TERM, SECOND_TERM


async def test_two_terms_come_out_as_told(home: Path) -> None:
    async with practising(home) as practice:
        first = await practice.tell(FIRST_TERM)
        assert (first.exit, await practice.faults()) == (0, [])

        second = await practice.tell(SECOND_TERM)
        assert (second.exit, await practice.faults()) == (0, [])

        assert (await practice.sync()).calls == {}


async def test_changes_cost_one_call_each_and_a_look_only_where_one_is_needed(
    home: Path,
) -> None:
    async with practising(home) as practice:
        await practice.tell(FIRST_TERM)
        report = await practice.tell(SECOND_TERM)

        # Eight changed fields, one attachment made anew, one diploma with its file.
        writes = {name: count for name, count in report.calls.items() if name != "GET"}
        assert writes == {"DELETE": 3, "PATCH": 8, "POST": 3, "PUT": 1}


async def test_events_that_come_again_change_nothing(home: Path) -> None:
    async with practising(home) as practice:
        await practice.tell(FIRST_TERM)
        told, practice.told = practice.told, []
        again = await practice.ingest(told)
        practice.told = told

        assert (again.taken, again.duplicate) == (0, len(FIRST_TERM))
        assert (await practice.sync()).calls == {}
