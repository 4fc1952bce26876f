"""Nothing unsafe is sent for a person who is erased or being erased."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.dispatcher.opener_worker import Opener
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Settlement
from sync.dokstamp.answer import Answer
from sync.dokstamp.request import Request
from sync.runtime.subject_admin import subject_erase
from tests.sync.dispatcher.floor import (
    SETTLE_SECONDS,
    Floor,
    advance,
    answered,
    floor_in,
    listed,
    register_of,
)

STUDENT = SourceRef("student", "S-1")


def found_nobody(request: Request) -> Answer | None:
    return answered(request, 200, listed([])) if request.is_safe else None


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger with a student who is ready to be made, and whom a search does not find."""
    async with floor_in(home) as floor:
        data = {"name": "Ana", "email": "ana@example.org", "date_of_birth": "2000-01-02"}
        await floor.desk.tell("student.upserted", STUDENT, **data)
        await Opener(floor.ledger).open_woken()
        register_of(floor).before = found_nobody
        yield floor


def endings(settlements: tuple[Settlement, ...]) -> list[tuple[Outcome, str]]:
    return [(each.outcome, str(each.reason)) for each in settlements]


async def test_a_student_is_made_while_nobody_erases_them(floor: Floor) -> None:
    await (await floor.conversation()).run()

    assert register_of(floor).unsafe == ["POST"]


async def test_an_erasure_before_the_first_step_stops_at_the_first_write(floor: Floor) -> None:
    worker = await floor.conversation()
    await subject_erase(floor.ledger, "S-1")
    settlements = await worker.run()

    assert endings(settlements) == [(Outcome.HELD, Reason.PERSON_ERASED)]
    assert register_of(floor).unsafe == []
    assert register_of(floor).requests != []


async def test_an_erasure_between_search_and_write_is_heard_before_the_write(floor: Floor) -> None:
    async def erase(request: Request) -> Answer | None:
        if request.is_safe:
            await subject_erase(floor.ledger, "S-1")
        return found_nobody(request)

    register_of(floor).before = erase
    settlements = await (await floor.conversation()).run()

    assert endings(settlements) == [(Outcome.HELD, Reason.PERSON_ERASED)]
    assert register_of(floor).unsafe == []
    operation = await floor.operation(STUDENT)
    assert (operation.state, operation.possibly_sent) == (State.HELD, False)


async def test_without_the_data_nothing_is_even_asked(floor: Floor) -> None:
    await floor.ledger.vault.erase_person("student:S-1")
    settlements = await (await floor.conversation()).run()

    assert endings(settlements) == [(Outcome.HELD, Reason.PERSON_ERASED)]
    assert register_of(floor).requests == []


async def test_what_may_have_been_sent_is_searched_for_and_never_sent_again(floor: Floor) -> None:
    def lose(request: Request) -> Answer | None:
        return found_nobody(request) or answered(request, 503)

    register_of(floor).before = lose
    first = await (await floor.conversation()).run()
    begun = await subject_erase(floor.ledger, "S-1")
    advance(floor, SETTLE_SECONDS + 1)
    second = await (await floor.conversation()).run()
    ended = await subject_erase(floor.ledger, "S-1")

    assert [each.outcome for each in first] == [Outcome.UNCERTAIN]
    assert endings(second) == [(Outcome.HELD, Reason.PERSON_ERASED)]
    assert register_of(floor).unsafe == ["POST"]
    assert (begun.is_finished, ended.is_finished) == (False, True)
    assert (await floor.operation(STUDENT)).state is State.DISCARDED
