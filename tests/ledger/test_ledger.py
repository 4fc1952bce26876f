import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.testing import ledger_in
from ledger.transaction import Appended, Transaction, Verdict
from tests.ledger.steps import SOURCE


@pytest.fixture
async def ledger(home: Path) -> AsyncIterator[Ledger]:
    async with ledger_in(home) as opened:
        yield opened


def event(name: str) -> NewEvent:
    return NewEvent(
        source=SOURCE,
        id=name,
        type="course.changed",
        subject=SourceRef("course", name),
        private={"data": {"name": name}},
    )


async def ids(ledger: Ledger) -> list[str]:
    stored = await ledger.read(
        lambda connection: log_store.read_page(
            connection, ledger.scope.ledger, after=-1, limit=1000
        )
    )
    assert [each.position for each in stored] == list(range(len(stored)))
    return [each.id for each in stored]


async def test_events_come_back_as_they_were_appended(ledger: Ledger) -> None:
    answers = await ledger.append([event("a"), event("b")])

    found = await ledger.events_at([1])

    assert [answer.position for answer in answers] == [0, 1]
    assert found[1].data == {"name": "b"}


async def test_many_tasks_share_commits_and_each_event_enters_once(ledger: Ledger) -> None:
    names = [str(number % 20) for number in range(60)]

    answers = await asyncio.gather(*(ledger.append([event(name)]) for name in names))

    verdicts = [answer.verdict for batch in answers for answer in batch]
    assert verdicts.count(Verdict.TAKEN) == 20
    assert verdicts.count(Verdict.DUPLICATE) == 40
    assert sorted(await ids(ledger)) == sorted(set(names))


async def test_a_step_that_fails_spoils_nothing_for_those_it_shares_a_commit_with(
    ledger: Ledger,
) -> None:
    def fail(step: Transaction) -> None:
        step.record("ingest.started", public={"run": "lost"})
        message = "this step fails after it wrote"
        raise LookupError(message)

    answers = await asyncio.gather(
        ledger.append([event("before")]),
        ledger.transact(fail),
        ledger.append([event("after")]),
        return_exceptions=True,
    )

    kinds = [type(answer) for answer in answers]
    assert kinds == [list, LookupError, list]
    assert sorted(await ids(ledger)) == ["after", "before"]


async def test_a_savepoint_takes_back_events_and_their_places(ledger: Ledger) -> None:
    def partly(step: Transaction) -> int:
        step.record("ingest.started", public={})
        with suppress(LookupError), step.savepoint():
            step.record("ingest.finished", public={})
            raise LookupError
        return step.record("ingest.finished", public={})

    position = await ledger.transact(partly)

    assert position == 1
    assert await ids(ledger) == ["ingest.started/0", "ingest.finished/1"]


async def test_what_was_appended_is_there_after_reopening(home: Path) -> None:
    async with ledger_in(home) as first:
        await first.append([event("a")])
    async with ledger_in(home) as second:
        again = await second.append([event("a")])

        assert again == [Appended(Verdict.DUPLICATE, 0)]


async def test_an_append_whose_caller_was_cancelled_is_resolved_by_its_name(
    ledger: Ledger,
) -> None:
    caller = asyncio.create_task(ledger.append([event("a")]))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])

    answer = await ledger.append([event("a")])

    assert answer[0].position == 0
    assert await ids(ledger) == ["a"]
