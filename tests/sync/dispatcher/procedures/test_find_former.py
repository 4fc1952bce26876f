"""A person whose address changed before anything was sent, and who is there under the old one."""

from typing import Any

from ledger.reference import SourceRef
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Work
from tests.sync.dispatcher.procedures.samples import row, upsert
from tests.sync.dispatcher.procedures.transcript import Reply, Transcript, lists, made, play, shows

SEARCH = "GET /students?where[email]=ana+sis@example.edu"
FORMER_SEARCH = "GET /students?where[email]=ana@old.example"
OLDER_SEARCH = "GET /students?where[email]=ana@older.example"


def told_before(*addresses: str) -> Work:
    wanted = upsert("student").wanted or {}
    return upsert("student", formerly=tuple({**wanted, "email": each} for each in addresses))


def there(uuid: str, **more: Any) -> Reply:
    return lists(row("student", uuid, **{"email": "ana@old.example", **more}))


def played_with(former: Reply, **more: Any) -> Transcript:
    script = [(SEARCH, lists()), (FORMER_SEARCH, former), ("POST /students", made("u-9"))]
    return play(told_before("ana@old.example"), script, **more)


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
    played = played_with(there("u-1", date_of_birth="1999-01-01"))

    assert played.settlement.target == "u-9"


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
