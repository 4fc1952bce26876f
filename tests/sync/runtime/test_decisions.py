"""What a person decides: that it is on record, that it works, and that what waited goes on."""

import asyncio
import re
from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import SourceRef
from sync.dispatcher.reasons import WORDS, Reason
from sync.errors import InputError
from sync.runtime.decisions import Selection, Signature, count_fitting, decide
from sync.runtime.outbox_admin import outbox_show
from tests.sync.runtime.desk import COURSE_DATA, INSTITUTION_DATA, Desk, desk_in
from tests.sync.runtime.ledgers import log_of

_ALL = list(Reason)
HELD = _ALL[_ALL.index(Reason.SEVERAL_MATCHES) : _ALL.index(Reason.REFUSED)]
DEAD = _ALL[_ALL.index(Reason.REFUSED) :]
PLANNED_HOLDS = (
    "parent_changed", "certificate_changed", "certificate_revoked", "key_taken", "key_cycle",
    "mass_change", "cannot_plan",
)  # fmt: skip
COMMANDS = re.compile(r"`(outbox (?:approve|retry|discard)|mapping (?:bind|release))[^`]*`")
BY = Signature(actor="registrar", reason="looked at it")


@pytest.mark.parametrize("code", [*HELD, *DEAD, *PLANNED_HOLDS])
def test_what_waits_for_a_person_names_the_command_that_decides_it(code: str) -> None:
    todo = WORDS[code].todo

    # What was erased is given up together with the erasure.
    assert COMMANDS.search(todo) or code == Reason.PERSON_ERASED


async def _stopped(desk: Desk, code: str, *, outcome: str) -> tuple[SourceRef, SourceRef]:
    """Make a record stand still for this reason, and another one that waits for it."""
    institution, course = SourceRef("institution", f"I-{code}"), SourceRef("course", f"C-{code}")
    await desk.tell("institution.upserted", institution, **INSTITUTION_DATA)
    data = {**COURSE_DATA, "institution_id": institution.source_id, "code": code}
    await desk.tell("course.upserted", course, **data)
    await desk.settle(institution, outcome, reason=code)
    return institution, course


async def test_every_reason_takes_the_decision_and_what_waited_goes_on(home: Path) -> None:
    stuck: list[str] = []
    async with desk_in(home) as desk:
        for code in map(str, (*HELD, *DEAD)):
            outcome = "held" if code in HELD else "dead"
            institution, course = await _stopped(desk, code, outcome=outcome)
            shown = await outbox_show(desk.ledger, await desk.key(institution))
            offered = [str(each).split()[1] for each in shown["decisions"]]  # type: ignore[union-attr]
            assert "retry" in offered, code
            key = await desk.key(institution)
            assert await decide(desk.ledger, "retry", Selection((key,)), signature=BY) == (key,)
            await desk.settle(institution, "done", target=f"u-{code}", after="live")
            if (await desk.operation(course)).state is not State.READY:
                stuck.append(code)
            await desk.settle(course, "done", target=f"c-{code}", after="live")
        told = [each for each in await log_of(desk.ledger) if each.type == "operator.retried"]
        opened = await desk.ledger.sealer.open(told)

    assert stuck == []
    assert len(opened) == len(HELD) + len(DEAD)
    assert all(each.private == {"actor": "registrar", "reason": BY.reason} for each in opened)


async def test_a_count_tells_what_a_filter_means_and_nothing_else_is_touched(home: Path) -> None:
    async with desk_in(home) as desk:
        dead, _ = await _stopped(desk, "refused", outcome="dead")
        held, _ = await _stopped(desk, "missing", outcome="held")
        chosen = Selection(states=(State.DEAD,))
        counted = await count_fitting(desk.ledger, "retry", chosen)
        done = await decide(desk.ledger, "retry", chosen, signature=BY)

        assert counted.by_reason() == {"institution refused": 1}
        assert done == (await desk.key(dead),)
        assert (await desk.operation(held)).state is State.HELD
        assert await decide(desk.ledger, "retry", chosen, signature=BY) == ()


async def test_a_decision_takes_what_was_counted_and_nothing_that_came_later(home: Path) -> None:
    async with desk_in(home) as desk:
        first, _ = await _stopped(desk, "refused", outcome="dead")
        gone, _ = await _stopped(desk, "missing", outcome="dead")
        counted = await count_fitting(desk.ledger, "retry", Selection(states=(State.DEAD,)))
        later, _ = await _stopped(desk, "mass_change", outcome="dead")
        await decide(desk.ledger, "retry", Selection((await desk.key(gone),)), signature=BY)
        done = await decide(desk.ledger, "retry", counted, signature=BY)

        assert counted.by_reason().total() == 2
        assert done == (await desk.key(first),)
        assert (await desk.operation(later)).state is State.DEAD


async def test_what_was_counted_for_one_reason_is_not_decided_for_another(home: Path) -> None:
    async with desk_in(home) as desk:
        held, _ = await _stopped(desk, "missing", outcome="held")
        counted = await count_fitting(desk.ledger, "approve", Selection())
        await decide(desk.ledger, "retry", Selection((await desk.key(held),)), signature=BY)
        await desk.settle(held, "held", reason="several_matches")

        assert await decide(desk.ledger, "approve", counted, signature=BY) == ()
        assert (await desk.operation(held)).state is State.HELD


async def test_named_operations_that_change_after_the_first_batch_are_passed_over(
    home: Path,
) -> None:
    async with desk_in(home) as desk:
        stopped = [await _stopped(desk, f"refused-{at}", outcome="dead") for at in range(3)]
        keys = tuple([await desk.key(institution) for institution, _ in stopped])
        batches = Selection(keys, per_event=1)
        ours = asyncio.create_task(decide(desk.ledger, "retry", batches, signature=BY))
        heard = desk.ledger.bell.rings
        await desk.ledger.bell.wait(heard, seconds_max=30)
        theirs = await decide(desk.ledger, "discard", Selection(states=(State.DEAD,)))
        done = await ours

    assert done[0] == keys[0]
    assert set(done).isdisjoint(theirs)
    assert {*done, *theirs} == set(keys)


async def test_named_operations_are_all_refused_when_the_last_of_them_is(home: Path) -> None:
    async with desk_in(home) as desk:
        stopped = [await _stopped(desk, f"refused-{at}", outcome="dead") for at in range(3)]
        keys = tuple([await desk.key(institution) for institution, _ in stopped])
        counted = await count_fitting(desk.ledger, "retry", Selection(keys, per_event=1))
        await decide(desk.ledger, "discard", Selection(keys[-1:]), signature=BY)
        size = (await desk.ledger.head()).size

        with pytest.raises(InputError, match="it is discarded"):
            await decide(desk.ledger, "retry", counted, signature=BY)
        assert (await desk.ledger.head()).size == size


async def test_a_decision_on_many_that_is_cut_short_is_finished_by_saying_it_again(
    home: Path,
) -> None:
    async with desk_in(home) as desk:
        stopped = [await _stopped(desk, f"refused-{at}", outcome="dead") for at in range(5)]
        chosen = Selection(states=(State.DEAD,), per_event=2)
        heard = desk.ledger.bell.rings
        first = asyncio.create_task(decide(desk.ledger, "retry", chosen, signature=BY))
        await desk.ledger.bell.wait(heard, seconds_max=30)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        rest = await decide(desk.ledger, "retry", chosen, signature=BY)
        states = [(await desk.operation(institution)).state for institution, _ in stopped]

    assert first.cancelled()
    assert 0 < len(rest) < len(stopped)
    assert states == [State.READY] * len(stopped)
