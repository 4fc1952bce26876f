from pathlib import Path

import pytest

from ledger.audit.verify_store import verify
from ledger.erasure.holding_worker import hold, release_hold
from ledger.erasure.steps import SubjectHeldError
from ledger.erasure.unfinished_worker import finish
from ledger.erasure.worker import Erasing
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.reference import SourceRef
from ledger.subjects import subject_store
from ledger.subjects.subject_store import Standing
from ledger.transaction import Verdict
from tests.ledger.persons import (
    ANNA,
    BERT,
    DOCUMENT,
    MARK,
    event,
    files_with,
    name,
    populated,
    tell,
    wish,
)


async def erase(ledger: Ledger, reference: SourceRef = ANNA) -> None:
    person = await Erasing(ledger).begin(wish(reference))
    assert await finish(ledger, person) is None


async def opened(ledger: Ledger) -> dict[str, bool]:
    """Tell for each source event whether it can still be read."""
    stored = await ledger.read(
        lambda c: log_store.read_page(c, ledger.scope.ledger, after=-1, limit=100, is_outcome=False)
    )
    return {each.id: each.data is not None for each in await ledger.sealer.open(stored)}


async def test_nothing_of_an_erased_person_can_be_read_and_everybody_else_can(
    home: Path,
) -> None:
    async with populated(home) as ledger:
        digest = await ledger.documents.add(DOCUMENT, now=ledger.clock.now())
        before = await opened(ledger)
        await erase(ledger)

        assert set(before.values()) == {True}
        assert await opened(ledger) == {"e-1": False, "e-2": True, "paper": False, "e-3": False}
        assert await ledger.documents.get(digest) is None
        assert files_with(home) == []


async def test_the_log_still_verifies_and_no_earlier_leaf_changed(home: Path) -> None:
    async with populated(home) as ledger:
        before = await ledger.head()
        leaves = await ledger.read(
            lambda c: log_store.read_page(c, ledger.scope.ledger, after=-1, limit=before.size)
        )
        await erase(ledger)
        now = await ledger.read(
            lambda c: log_store.read_page(c, ledger.scope.ledger, after=-1, limit=before.size)
        )

        assert [each.leaf for each in now] == [each.leaf for each in leaves]
        assert (await verify(ledger)).first_bad_position is None


async def test_events_about_an_erased_person_are_refused_and_known_ones_are_duplicates(
    home: Path,
) -> None:
    async with populated(home) as ledger:
        await erase(ledger)
        answers = await tell(ledger, event(1), event(9), event(10, BERT))

        assert [each.verdict for each in answers] == [
            Verdict.DUPLICATE,
            Verdict.ERASED,
            Verdict.TAKEN,
        ]
        assert await ledger.would_take([event(11), event(11, BERT)]) == [False, True]
        assert await opened(ledger) == {
            "e-1": False,
            "e-2": True,
            "paper": False,
            "e-3": False,
            "e-10": True,
        }


async def test_from_the_first_step_on_nothing_more_is_taken(home: Path) -> None:
    async with populated(home) as ledger:
        await Erasing(ledger).begin(wish())

        assert (await tell(ledger, event(9)))[0].verdict is Verdict.ERASED
        assert (await opened(ledger))["e-1"]


async def test_who_was_sealed_before_the_erasure_is_refused_after_it(home: Path) -> None:
    async with populated(home) as ledger:
        offers = await ledger.offers([event(9)])
        await erase(ledger)
        answers = await ledger.transact(lambda step: step.append(offers))

        assert [each.verdict for each in answers] == [Verdict.ERASED]


async def test_a_hold_refuses_the_erasure_until_it_is_released(home: Path) -> None:
    async with populated(home) as ledger:
        assert await hold(ledger, wish())
        assert not await hold(ledger, wish())
        with pytest.raises(SubjectHeldError, match="release the hold first"):
            await Erasing(ledger).begin(wish())
        assert (await tell(ledger, event(9)))[0].verdict is Verdict.TAKEN
        assert await release_hold(ledger, wish())
        assert not await release_hold(ledger, wish())
        await erase(ledger)

        assert files_with(home) == []


async def test_to_erase_again_changes_nothing(home: Path) -> None:
    async with populated(home) as ledger:
        await erase(ledger)
        size = (await ledger.head()).size
        await erase(ledger)

        assert (await ledger.head()).size == size


async def test_an_earlier_event_of_a_record_tells_whose_a_removal_is(home: Path) -> None:
    async with populated(home) as ledger:
        removal = event(9, SourceRef("paper", "D-1"))
        removal = type(removal)(
            source=removal.source,
            id=removal.id,
            type="paper.removed",
            subject=removal.subject,
            inherits_person=True,
        )
        unknown = type(removal)(
            source=removal.source,
            id="unknown",
            type="paper.removed",
            subject=SourceRef("paper", "D-9"),
            inherits_person=True,
        )
        persons = [each.person for each in await ledger.with_persons([removal, unknown])]
        await erase(ledger)

        assert persons == [name(ANNA), ""]
        assert (await tell(ledger, removal))[0].verdict is Verdict.ERASED


async def test_every_host_sees_how_a_person_stands(home: Path) -> None:
    async with populated(home) as ledger:
        await erase(ledger)
        found = await ledger.read(
            lambda c: subject_store.names_of(c, ledger.scope, person=name(ANNA))
        )

        assert [(each.person, each.standing) for each in found] == [(name(ANNA), Standing.ERASED)]
        assert MARK not in repr(found)


async def test_a_document_goes_with_the_person_whose_event_names_it_and_no_other(
    home: Path,
) -> None:
    async with populated(home) as ledger:
        now = ledger.clock.now()
        named = await ledger.documents.add(DOCUMENT, now=now)
        nobodys = await ledger.documents.add(b"%PDF of nobody yet", now=now)
        await erase(ledger)

        assert [await ledger.documents.has(each) for each in (named, nobodys)] == [False, True]
