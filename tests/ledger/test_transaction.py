import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from ledger.database import Database, PostgresqlDatabase, Server, SqliteDatabase
from ledger.log import store as log_store
from ledger.log.canonical import canonical_bytes
from ledger.log.envelope import Stored
from ledger.log.merkle import CompactRange
from ledger.outbox import record_store
from ledger.reference import Scope, SourceRef
from ledger.transaction import Appended, Transaction, Verdict
from tests.conftest import DATABASES
from tests.ledger.rows import LEDGER_SCOPE, begin_ledger
from tests.ledger.stages import Stage
from tests.ledger.steps import Told, in_step, offers
from tests.postgresql import SCHEMA, Cluster

LEDGER = LEDGER_SCOPE.ledger
TAKEN, DUPLICATE = Verdict.TAKEN, Verdict.DUPLICATE


def append(connection: Connection, *told: Told) -> list[Appended]:
    return in_step(connection, lambda transaction: transaction.append(offers(*told)))


def ids(connection: Connection) -> list[str]:
    stored = log_store.read_page(connection, LEDGER, after=-1, limit=10_000)
    assert [event.position for event in stored] == list(range(len(stored)))
    return [event.id for event in stored]


def test_events_get_consecutive_positions(connection: Connection) -> None:
    first = append(connection, Told("a"), Told("b"))
    second = append(connection, Told("c"))

    assert [answer.position for answer in first + second] == [0, 1, 2]
    assert ids(connection) == ["a", "b", "c"]


def test_an_event_that_comes_again_is_a_duplicate(connection: Connection) -> None:
    append(connection, Told("a"), Told("b"))

    answers = append(connection, Told("b"), Told("c"), Told("c"))

    assert answers == [Appended(DUPLICATE, 1), Appended(TAKEN, 2), Appended(DUPLICATE, 2)]
    assert ids(connection) == ["a", "b", "c"]


def test_a_known_id_with_other_content_is_a_conflict(connection: Connection) -> None:
    append(connection, Told("a"))

    answers = append(connection, Told("a", content="new"), Told("b"), Told("b", content="new"))

    assert [answer.verdict for answer in answers] == ["conflict", "taken", "conflict"]
    assert ids(connection) == ["a", "b"]


def test_the_same_id_from_another_source_is_another_event(connection: Connection) -> None:
    answers = append(connection, Told("a"), Told("a", "C-2", source="urn:other"))

    assert [answer.position for answer in answers] == [0, 1]


def test_a_record_of_another_source_is_refused(connection: Connection) -> None:
    append(connection, Told("a", "C-1"))

    answers = append(
        connection,
        Told("b", "C-1", source="urn:other"),
        Told("c", "C-2", source="urn:other"),
        Told("d", "C-2"),
    )

    assert answers == [
        Appended(Verdict.FOREIGN, None),
        Appended(TAKEN, 1),
        Appended(Verdict.FOREIGN, None),
    ]


def test_sources_that_share_their_ids_may_name_each_others_records(
    connection: Connection,
) -> None:
    answers = append(
        connection,
        Told("a", source="urn:admissions"),
        Told("b", source="urn:registry"),
        Told("c"),
    )

    assert [answer.verdict for answer in answers] == [TAKEN, TAKEN, Verdict.FOREIGN]


def test_a_document_serves_one_certificate_only(connection: Connection) -> None:
    append(connection, Told("a", "X-1", entity="certificate", document=b"digest"))

    answers = append(
        connection,
        Told("b", "X-2", entity="certificate", document=b"digest"),
        Told("c", "X-1", entity="certificate", document=b"digest"),
        Told("d", "X-3", entity="certificate", document=b"other"),
        Told("e", "X-4", entity="certificate", document=b"other"),
    )

    used = Verdict.DOCUMENT_USED
    assert [answer.verdict for answer in answers] == [used, TAKEN, TAKEN, used]


def test_a_refused_event_leaves_no_record(connection: Connection, scope: Scope) -> None:
    append(connection, Told("a", "X-1", entity="certificate", document=b"digest"))
    append(connection, Told("b", "X-2", entity="certificate", document=b"digest"))

    refused = SourceRef("certificate", "X-2")
    assert record_store.find(connection, scope, reference=refused) is None


def test_an_outcome_is_named_by_its_place_in_the_log(connection: Connection) -> None:
    append(connection, Told("a"))

    positions = in_step(
        connection,
        lambda transaction: [
            transaction.record("ingest.started", public={"run": "1"}),
            transaction.record("ingest.started", public={"run": "1"}),
        ],
    )

    assert positions == [1, 2]
    assert ids(connection) == ["a", "ingest.started/1", "ingest.started/2"]


def test_positions_stay_dense_after_a_rollback(stage: Stage) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.append(offers(Told("lost"), Told("lost too")))
        message = "something else went wrong"
        raise LookupError(message)

    with stage.begin() as connection:
        append(connection, Told("a"))
    with pytest.raises(LookupError), stage.begin() as connection:
        in_step(connection, fail)
    with stage.begin() as connection:
        answers = append(connection, Told("b"), Told("lost"))

        assert [answer.position for answer in answers] == [1, 2]
        assert ids(connection) == ["a", "b", "lost"]


TOLD = st.builds(
    Told,
    id=st.sampled_from("abcdefgh"),
    source_id=st.sampled_from(["C-1", "C-2"]),
    content=st.sampled_from(["one", "two"]),
    source=st.sampled_from(["urn:university", "urn:admissions", "urn:registry"]),
)
BATCHES = st.lists(st.lists(TOLD, max_size=4), max_size=6)


async def _append_from_tasks(
    database: Database, batches: Sequence[Sequence[Told]]
) -> tuple[list[list[Appended]], list[Stored], CompactRange]:
    await database.run(begin_ledger)

    async def one(batch: Sequence[Told]) -> list[Appended]:
        return await database.run(lambda connection: append(connection, *batch))

    answers = await asyncio.gather(*(one(batch) for batch in batches))
    stored = await database.read(
        lambda connection: log_store.read_page(connection, LEDGER, after=-1, limit=1000)
    )
    head = await database.read(lambda connection: log_store.read_head(connection, LEDGER))
    await database.close()
    return answers, stored, head


@contextmanager
def fresh(kind: str, cluster: Cluster) -> Iterator[Database]:
    """Give a database for one example."""
    if kind == "postgresql":
        with cluster.lent() as address:
            yield PostgresqlDatabase(Server(address, SCHEMA))
        return
    with tempfile.TemporaryDirectory() as folder:
        yield SqliteDatabase(Path(folder) / "a.db", durability="normal")


@pytest.mark.one_database("`kind` brings both, and a database for every example")
@pytest.mark.parametrize("kind", DATABASES)
@settings(max_examples=8)
@given(BATCHES)
def test_whatever_is_offered_enters_once_and_without_gaps(
    cluster: Cluster, kind: str, batches: list[list[Told]]
) -> None:
    with fresh(kind, cluster) as database:
        answers, stored, head = asyncio.run(_append_from_tasks(database, batches))

    told = [each for batch in batches for each in batch]
    verdicts = [answer for batch in answers for answer in batch]
    taken = sorted(a.position for a in verdicts if a.verdict is TAKEN and a.position is not None)
    assert [event.position for event in stored] == taken == list(range(len(stored)))
    assert len({(event.source, event.id) for event in stored}) == len(stored)
    for each, answer in zip(told, verdicts, strict=True):
        if answer.position is not None:
            event = stored[answer.position]
            assert (event.source, event.id) == (each.source, each.id)
            assert event.content_digest == each.content.encode()
    assert head == CompactRange().extend([event.leaf for event in stored])


def test_public_parts_are_stored_as_canonical_json(connection: Connection) -> None:
    in_step(connection, lambda step: step.record("ingest.started", public={"b": 1, "a": [2]}))

    envelope = log_store.read_page(connection, LEDGER, after=-1, limit=1)[0].envelope

    assert b'"public":' + canonical_bytes({"a": [2], "b": 1}) in envelope
