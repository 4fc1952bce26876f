import pytest
from sqlalchemy import Connection

from ledger.outbox import record_store
from ledger.outbox.record_store import Facts, Named, Record
from ledger.reference import Scope, SourceRef

COURSE = SourceRef("course", "C-1")
OTHER = SourceRef("course", "C-2")
SCHOOL = SourceRef("institution", "I-1")
STATED = Facts(references=(Named("institution_id", SCHOOL),), key_digests=(b"k",), lane="lane")
REMOVED = Facts(removes=True)


@pytest.fixture
def seen(connection: Connection, scope: Scope) -> Connection:
    """Give an outbox in which two courses were named by their first events."""
    for position, reference in enumerate((COURSE, OTHER)):
        record_store.first_seen(
            connection, scope, reference=reference, owner="urn:a", position=position
        )
    return connection


def follow(
    connection: Connection,
    scope: Scope,
    position: int,
    facts: Facts,
    *,
    reference: SourceRef = COURSE,
    source: str = "urn:a",
    sequence: int | None = None,
) -> Record:
    record_store.follow(
        connection,
        scope,
        reference=reference,
        position=position,
        source=source,
        sequence=sequence,
        facts=facts,
    )
    found = record_store.find(connection, scope, reference=reference)
    assert found is not None
    return found


def test_a_record_that_was_only_seen_has_no_state(seen: Connection, scope: Scope) -> None:
    found = record_store.find(seen, scope, reference=COURSE)

    assert found is not None
    assert (found.owner, found.state_position, found.last_position) == ("urn:a", None, None)
    assert record_store.find(seen, scope, reference=SCHOOL) is None


def test_a_state_is_followed(seen: Connection, scope: Scope) -> None:
    found = follow(seen, scope, 5, STATED)

    named = record_store.references_of(seen, scope, reference=COURSE)
    assert (found.state_position, found.last_position, found.lane) == (5, 5, "lane")
    assert named == STATED.references
    assert record_store.key_digests_of(seen, scope, reference=COURSE) == (b"k",)


def test_a_removal_keeps_the_last_state(seen: Connection, scope: Scope) -> None:
    follow(seen, scope, 5, STATED)

    found = follow(seen, scope, 6, REMOVED)

    assert (found.state_position, found.last_position, found.removed_position) == (5, 6, 6)
    assert found.lane == "lane"
    assert record_store.references_of(seen, scope, reference=COURSE) == STATED.references


@pytest.mark.parametrize(("returns", "removed"), [(True, None), (False, 6)])
def test_a_state_after_a_removal_takes_it_back_where_that_is_possible(
    seen: Connection, scope: Scope, *, returns: bool, removed: int | None
) -> None:
    follow(seen, scope, 5, STATED)
    follow(seen, scope, 6, REMOVED)

    found = follow(seen, scope, 7, Facts(lane="lane", returns=returns))

    assert (found.state_position, found.removed_position) == (7, removed)


def test_references_follow_the_state_and_keys_are_kept(seen: Connection, scope: Scope) -> None:
    follow(seen, scope, 5, STATED)
    follow(
        seen,
        scope,
        6,
        Facts(
            references=(Named("b", COURSE), Named("a", OTHER)),
            key_digests=(b"new", b"k", b"new"),
            lane="x",
        ),
    )

    named = record_store.references_of(seen, scope, reference=COURSE)
    assert [each.field for each in named] == ["a", "b"]
    assert record_store.key_digests_of(seen, scope, reference=COURSE) == (b"k", b"new")


def test_who_names_a_record_is_found_by_entity(seen: Connection, scope: Scope) -> None:
    follow(seen, scope, 5, STATED)
    both = (Named("a", SCHOOL), Named("b", SCHOOL))
    follow(seen, scope, 6, Facts(references=both, lane="x"), reference=OTHER)

    courses = record_store.naming(seen, scope, reference=SCHOOL, entity="course")
    modules = record_store.naming(seen, scope, reference=SCHOOL, entity="module")

    assert (courses, modules) == ((COURSE, OTHER), ())


def test_who_has_a_natural_key_is_found_in_a_fixed_order(seen: Connection, scope: Scope) -> None:
    follow(seen, scope, 5, STATED, reference=OTHER)
    follow(seen, scope, 6, STATED)

    assert record_store.holders(seen, scope, digest=b"k", entity="course") == (COURSE, OTHER)
    assert record_store.holders(seen, scope, digest=b"k", entity="module") == ()


def test_every_source_has_a_sequence_of_its_own(seen: Connection, scope: Scope) -> None:
    follow(seen, scope, 5, STATED, sequence=3)
    follow(seen, scope, 6, STATED, source="urn:b", sequence=1)
    follow(seen, scope, 7, STATED, sequence=4)
    follow(seen, scope, 8, STATED)

    found = [
        record_store.last_sequence(seen, scope, reference=COURSE, source=source)
        for source in ("urn:a", "urn:b", "urn:c")
    ]

    assert found == [4, 1, None]
