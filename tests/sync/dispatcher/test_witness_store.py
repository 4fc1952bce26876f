from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.reference import SourceRef
from sync.dispatcher.witness_store import FAILING_MAX, were_others_answered
from sync.dokstamp.exchange import Exchange
from tests.sync.dispatcher.floor import Floor, failing, floor_in, register_of


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger on which one institution was made before anything went wrong."""
    async with floor_in(home) as floor:
        await make(floor, "before")
        yield floor


async def make(floor: Floor, source_id: str) -> SourceRef:
    reference = await floor.institution(source_id)
    await (await floor.conversation()).run()
    return reference


async def make_in_vain(floor: Floor, source_id: str) -> SourceRef:
    register = register_of(floor)
    register.before = failing(500, "POST")
    reference = await make(floor, source_id)
    register.before = lambda _: None
    return reference


async def is_alone(floor: Floor, reference: SourceRef) -> bool:
    operation = await floor.operation(reference)
    return await floor.ledger.read_folded(
        lambda connection, scope: were_others_answered(connection, scope, operation=operation.key)
    )


async def test_who_was_never_in_doubt_needs_no_witness(floor: Floor) -> None:
    reference = await floor.institution("A")

    assert not await is_alone(floor, reference)


async def test_what_went_through_before_says_nothing(floor: Floor) -> None:
    reference = await make_in_vain(floor, "A")

    assert not await is_alone(floor, reference)


async def test_others_that_fail_as_well_say_nothing(floor: Floor) -> None:
    reference = await make_in_vain(floor, "A")
    await make_in_vain(floor, "B")

    assert not await is_alone(floor, reference)


async def test_a_token_that_was_given_says_nothing(floor: Floor) -> None:
    reference = await make_in_vain(floor, "A")
    now = floor.ledger.clock.now()
    register_of(floor).tokens = (Exchange("POST", "/oauth/token", 200, now, seconds=0.0),)
    await make_in_vain(floor, "B")

    assert not await is_alone(floor, reference)


async def test_a_write_that_goes_through_since_shows_who_is_alone(floor: Floor) -> None:
    reference = await make_in_vain(floor, "A")
    await make(floor, "B")
    later = await make_in_vain(floor, "C")

    assert await is_alone(floor, reference)
    assert not await is_alone(floor, later)


async def test_many_that_fail_since_are_in_an_outage(floor: Floor) -> None:
    reference = await make_in_vain(floor, "A")
    await make(floor, "B")
    for number in range(FAILING_MAX):
        await make_in_vain(floor, f"in vain {number}")
    few = await is_alone(floor, reference)
    await make_in_vain(floor, "one more")

    assert few
    assert not await is_alone(floor, reference)
