import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.util import await_only

from ledger.clock import START_OF_MANUAL_TIME, to_microseconds
from ledger.schema.migrate import upgrade
from ledger.schema.vault_tables import person_keys
from ledger.testing import address_in
from ledger.vault.key_store import (
    PERSONS_PER_QUERY,
    destroy_key,
    ensure_keys,
    load_keys,
    note_scrubbed,
    scrub_pending,
)
from tests.ledger.vault.vaults import Place

NOW = START_OF_MANUAL_TIME
LEDGER = 1


@pytest.fixture
def connection(vault_connection: Connection) -> Connection:
    return vault_connection


def numbered(person: str) -> bytes:
    return b"wrapped for " + person.encode()


def never(person: str) -> bytes:
    raise AssertionError(person)


def test_keys_are_made_once_and_found_again(connection: Connection) -> None:
    persons = ["student:S-1", "", "student:S-1"]

    made = ensure_keys(connection, LEDGER, persons=persons, make=numbered, now=NOW)
    again = ensure_keys(connection, LEDGER, persons=persons, make=never, now=NOW)

    assert made == {"student:S-1": b"wrapped for student:S-1", "": b"wrapped for "}
    assert again == made == load_keys(connection, LEDGER, persons=persons)


def test_only_what_is_missing_is_made(connection: Connection) -> None:
    ensure_keys(connection, LEDGER, persons=["a"], make=numbered, now=NOW)
    asked: list[str] = []

    def make(person: str) -> bytes:
        asked.append(person)
        return b"new"

    found = ensure_keys(connection, LEDGER, persons=["a", "b"], make=make, now=NOW)

    assert found == {"a": b"wrapped for a", "b": b"new"}
    assert asked == ["b"]


def test_a_person_without_a_key_is_left_out(connection: Connection) -> None:
    assert load_keys(connection, LEDGER, persons=["nobody here"]) == {}
    assert load_keys(connection, LEDGER, persons=[]) == {}


def test_ledgers_do_not_share_keys(connection: Connection) -> None:
    ensure_keys(connection, 1, persons=["a"], make=numbered, now=NOW)

    assert load_keys(connection, 2, persons=["a"]) == {}


def test_a_destroyed_key_is_gone_for_ever(connection: Connection) -> None:
    ensure_keys(connection, LEDGER, persons=["a", "b"], make=numbered, now=NOW)

    first, second = (destroy_key(connection, LEDGER, person="a") for _ in range(2))
    fresh = ensure_keys(connection, LEDGER, persons=["a"], make=lambda _: b"fresh", now=NOW)

    assert (first, second) == (True, False)
    assert fresh == {}
    assert load_keys(connection, LEDGER, persons=["a", "b"]) == {"b": b"wrapped for b"}


def test_traces_of_a_destroyed_key_are_remembered_until_they_are_scrubbed(
    connection: Connection,
) -> None:
    ensure_keys(connection, LEDGER, persons=["a", "b"], make=numbered, now=NOW)
    destroy_key(connection, LEDGER, person="a")

    before = scrub_pending(connection, LEDGER, persons=["a", "b", "c"])
    note_scrubbed(connection, LEDGER, person="a", now=NOW)

    assert before == {"a"}
    assert scrub_pending(connection, LEDGER, persons=["a", "b", "c"]) == set()


def test_a_key_that_is_destroyed_before_it_is_made_never_is(connection: Connection) -> None:
    destroy_key(connection, LEDGER, person="a")

    assert ensure_keys(connection, LEDGER, persons=["a"], make=numbered, now=NOW) == {}


def test_more_persons_than_fit_one_query_are_all_found(connection: Connection) -> None:
    persons = [f"student:{number}" for number in range(2 * PERSONS_PER_QUERY + 1)]

    made = ensure_keys(connection, LEDGER, persons=persons, make=numbered, now=NOW)

    assert made == {person: numbered(person) for person in persons}
    assert load_keys(connection, LEDGER, persons=iter(persons)) == made


def test_the_moment_of_making_is_kept(connection: Connection) -> None:
    ensure_keys(connection, LEDGER, persons=["a"], make=numbered, now=NOW)

    assert connection.scalar(select(person_keys.c.created_at)) == to_microseconds(NOW)


def makes(content: bytes) -> Callable[[Connection], dict[str, bytes]]:
    return partial(ensure_keys, ledger=LEDGER, persons=["a"], make=lambda _: content, now=NOW)


async def test_two_processes_at_once_agree_on_one_key(home: Path) -> None:
    ours, theirs = (address_in(home).vault() for _ in range(2))
    await ours.run(partial(upgrade, line="vault"))

    found = await asyncio.gather(ours.run(makes(b"ours")), theirs.run(makes(b"theirs")))

    await ours.close()
    await theirs.close()
    assert found[0] == found[1]
    assert found[0] in ({"a": b"ours"}, {"a": b"theirs"})


@pytest.mark.one_database("a file lets nobody else write between our look and our insert")
async def test_a_key_committed_between_look_and_insert_is_the_key(served: Place) -> None:
    ours, theirs = served.database(), served.database()

    def slow_make(_: str) -> bytes:
        await_only(theirs.run(makes(b"theirs")))
        return b"ours"

    found = await ours.run(
        partial(ensure_keys, ledger=LEDGER, persons=["a"], make=slow_make, now=NOW)
    )

    await ours.close()
    await theirs.close()
    assert found == {"a": b"theirs"}
