"""A person whose address changed before anything was sent, and who is there under the old one."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.reference import SourceRef
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from sync.resources.former import Former
from tests.sync.dispatcher.procedures.samples import row, upsert
from tests.sync.dispatcher.procedures.transcript import Reply, Transcript, lists, made, play, shows

SEARCH = "GET /students?where[email]=ana+sis@example.edu"
FORMER_SEARCH = "GET /students?where[email]=ana@old.example"
OLDER_SEARCH = "GET /students?where[email]=ana@older.example"


OLD_NAME = "Ana Lima"
OLD_BIRTHDAY = "2001-03-05"


def told_before(*addresses: str, **more: Any) -> Work:
    wanted = upsert("student").wanted or {}
    formerly = (
        Former({**wanted, "email": each}, ({**wanted, "email": each, **more},))
        for each in addresses
    )
    return upsert("student", formerly=tuple(formerly))


def there(uuid: str, **more: Any) -> Reply:
    return lists(row("student", uuid, **{"email": "ana@old.example", **more}))


def played_with(former: Reply, work: Work | None = None, **more: Any) -> Transcript:
    script = [(SEARCH, lists()), (FORMER_SEARCH, former), ("POST /students", made("u-9"))]
    return play(work or told_before("ana@old.example"), script, **more)


def test_the_person_is_adopted_and_gets_the_new_address() -> None:
    script = [
        (SEARCH, lists()),
        (FORMER_SEARCH, there("u-1")),
        ("PATCH /students/u-1", shows(row("student", "u-1"))),
    ]

    played = play(told_before("ana@old.example"), script)

    assert (played.settlement.outcome, played.settlement.target) == (Outcome.DONE, "u-1")
    assert played.body("PATCH /students/u-1") == {"email": "ana+sis@example.edu"}


def test_who_is_there_under_the_new_address_is_asked_for_under_no_other() -> None:
    played = play(told_before("ana@old.example"), [(SEARCH, lists(row("student", "u-1")))])

    assert played.settlement.target == "u-1"


def test_nobody_there_at_all_is_made() -> None:
    assert played_with(lists()).settlement.target == "u-9"


def test_somebody_else_with_the_old_address_is_left_alone() -> None:
    played = played_with(there("u-1", name="Bea Reis", date_of_birth="1999-01-01"))

    assert played.settlement.target == "u-9"


@pytest.mark.parametrize("other", [{"name": OLD_NAME}, {"date_of_birth": OLD_BIRTHDAY}])
def test_who_may_be_the_person_is_shown_to_somebody(other: dict[str, str]) -> None:
    played = play(
        told_before("ana@old.example"), [(SEARCH, lists()), (FORMER_SEARCH, there("u-1", **other))]
    )

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.FORMER_ADDRESS


def test_who_is_there_as_it_was_told_before_is_shown_to_somebody() -> None:
    before = {"name": OLD_NAME, "date_of_birth": OLD_BIRTHDAY}
    work = told_before("ana@old.example", **before)

    played = play(work, [(SEARCH, lists()), (FORMER_SEARCH, there("u-1", **before))])

    assert played.settlement.reason == Reason.FORMER_ADDRESS


@pytest.mark.parametrize(
    "other", [{"date_of_birth": "1980-01-01"}, {"date_of_birth": None}, {"name": None}]
)
def test_who_is_in_part_as_it_was_told_before_or_shows_nothing_is_shown_to_somebody(
    other: dict[str, Any],
) -> None:
    before = {"name": OLD_NAME, "date_of_birth": None}
    work = told_before("ana@old.example", **before)

    played = play(work, [(SEARCH, lists()), (FORMER_SEARCH, there("u-1", **before | other))])

    assert played.settlement.reason == Reason.FORMER_ADDRESS


def test_once_a_person_said_that_it_is_somebody_else_a_new_one_is_made() -> None:
    approved = replace(told_before("ana@old.example"), approved=frozenset({Reason.FORMER_ADDRESS}))

    assert played_with(there("u-1", name=OLD_NAME), approved).settlement.target == "u-9"


def test_who_stands_for_another_source_record_is_left_alone() -> None:
    played = played_with(there("u-1"), holders={"u-1": SourceRef("student", "S-2")})

    assert played.settlement.target == "u-9"


def test_two_under_two_old_addresses_are_held() -> None:
    script = [
        (SEARCH, lists()),
        (FORMER_SEARCH, there("u-1")),
        (OLDER_SEARCH, there("u-2", email="ana@older.example")),
    ]

    played = play(told_before("ana@old.example", "ana@older.example"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.SEVERAL_MATCHES
