"""What is kept beside the key file knows more than a ledger that was put back from before."""

from pathlib import Path
from typing import Any

import pytest

from ledger.ledger import Ledger
from ledger.log.store import read_at
from ledger.reference import Json, SourceRef
from ledger.testing import ledger_in
from sync.errors import InputError
from sync.projector.rebuild_worker import rebuild
from sync.runtime.moving import backup, restore
from sync.runtime.notary import Notary
from sync.runtime.settings import Settings
from sync.runtime.standing import accept_older, compare_older, stand_of
from sync.runtime.status import status
from sync.runtime.subject_admin import subject_erase
from tests.places import settings_in
from tests.sync.runtime.desk import INSTITUTION, INSTITUTION_DATA, Desk, desk_in


def settings_of(folder: Path) -> Settings:
    given: dict[str, Any] = {**settings_in(folder), "durability": "normal"}
    return Settings.load(environment={}, **given)


async def told_of(desk: Desk) -> None:
    for number in (1, 2):
        state: dict[str, Json] = {"name": "Eve", "date_of_birth": "2000-01-02"}
        reference = SourceRef("student", f"S-{number}")
        await desk.tell("student.upserted", reference, email=f"eve{number}@example.org", **state)


async def lost_erasure(home: Path) -> int:
    """Put a ledger back as it was before its last erasure; returns where that erasure stood."""
    async with desk_in(home) as desk:
        await told_of(desk)
        await subject_erase(desk.ledger, "S-2")
        await backup(desk.ledger, settings_of(home), home / "backup")
        await desk.university()
        await subject_erase(desk.ledger, "S-1")
        last = positions(desk.ledger)[-1]
        assert (await stand_of(desk.ledger, home / "ledger.key")).error is None
    await restore(settings_of(home), home / "backup", replaces=True)
    return last


def positions(ledger: Ledger) -> list[int]:
    return [each.position for each in ledger.vault.register.entries(ledger.ledger_id)]


async def test_a_log_that_lacks_a_registered_erasure_is_an_older_one(home: Path) -> None:
    last = await lost_erasure(home)
    # Opening erases the person again, which may make the log longer than it was.
    async with ledger_in(home) as ledger:
        stand = await stand_of(ledger, home / "ledger.key")
        told = await status(ledger, key_file=home / "ledger.key")

    assert stand.published is None
    assert f"names an erasure at position {last} that is not among them" in str(stand.error)
    assert isinstance(told["checkpoint"], dict)
    assert told["checkpoint"]["standing"] == "older"


async def test_who_is_erased_again_at_the_same_position_hides_no_lost_erasure(home: Path) -> None:
    async with desk_in(home) as desk:
        await told_of(desk)
        await backup(desk.ledger, settings_of(home), home / "backup")
        await subject_erase(desk.ledger, "S-1")
        (last,) = positions(desk.ledger)
        await desk.university()
    await restore(settings_of(home), home / "backup", replaces=True)
    async with ledger_in(home) as ledger:
        found = await ledger.read(lambda c: read_at(c, ledger.scope.ledger, positions=[last]))
        stand = await stand_of(ledger, home / "ledger.key")

    assert [each.type for each in found] == ["subject.erased"]
    assert f"names an erasure at position {last} that is not among them" in str(stand.error)


async def test_an_accepted_ledger_is_not_asked_for_the_lost_erasures_again(home: Path) -> None:
    key_file = home / "ledger.key"
    await lost_erasure(home)
    async with ledger_in(home) as ledger:
        await accept_older(ledger, key_file, reason="the disk was lost")
        accepted = await stand_of(ledger, key_file)
        with pytest.raises(InputError, match="nothing to accept"):
            await accept_older(ledger, key_file)

    assert accepted.error is None


async def test_a_ledger_that_is_accepted_again_has_to_be_compared_again(home: Path) -> None:
    key_file = home / "ledger.key"
    await lost_erasure(home)
    async with ledger_in(home) as ledger:
        first = (await accept_older(ledger, key_file))["position"]
        said = await compare_older(ledger, actor="Ana", reason="looked through")
        compared = (await status(ledger))["accepted_older"]
        with pytest.raises(InputError, match="still to be compared"):
            await compare_older(ledger)
        second = await ledger.transact(
            lambda step: step.record("operator.accepted_older", public={"unchanging": []})
        )
        found = (await status(ledger))["accepted_older"]
        report = await rebuild(ledger, check=True)

    assert (said["accepted"], compared) == (first, None)
    assert found == {"position": second, "in_doubt": said["in_doubt"]}
    assert report.first_difference is None


async def test_erasures_that_are_in_the_log_speak_for_it(home: Path) -> None:
    async with desk_in(home) as desk:
        await told_of(desk)
        await subject_erase(desk.ledger, "S-1")
        stand = await stand_of(desk.ledger, home / "ledger.key")

    assert (stand.error, stand.erased) == (None, None)


async def test_status_counts_what_an_accepted_older_ledger_leaves_in_doubt(home: Path) -> None:
    course = SourceRef("course", "C-1")
    key_file = home / "ledger.key"
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "done", target="u-1", after="live")
        await desk.tell("course.upserted", course, institution_id="I-1", name="Physics", code="P")
        await backup(desk.ledger, settings_of(home), home / "backup")
        await told_of(desk)
        await Notary(desk.ledger, key_file=key_file).publish()
        unasked = (await status(desk.ledger))["accepted_older"]
    await restore(settings_of(home), home / "backup", replaces=True)

    async with ledger_in(home) as ledger:
        desk = Desk(ledger, events=10)
        position = (await accept_older(ledger, key_file))["position"]
        told = [(await status(ledger))["accepted_older"]]
        await desk.settle(course, "done", target="c-1", after="live")
        told.append((await status(ledger))["accepted_older"])
        await desk.tell("institution.upserted", INSTITUTION, **INSTITUTION_DATA)
        await desk.settle(INSTITUTION, "done", after="live")
        told.append((await status(ledger))["accepted_older"])

    assert unasked is None
    assert told == [{"position": position, "in_doubt": left} for left in (2, 1, 0)]
