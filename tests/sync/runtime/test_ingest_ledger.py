import base64
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.log.envelope import outcome_source
from ledger.outbox import record_store
from ledger.reference import SourceRef
from sync.runtime.ingest_ledger import LedgerIngest
from sync.sources.event_reader import Rules, read_events
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest
from tests.places import contents_in
from tests.sync.runtime.ledgers import log_of, open_ledger, types_of
from tests.sync.sources.builders import line

PDF = b"%PDF-1.7 a diploma"


def certificate(number: int, content: bytes, **changes: object) -> bytes:
    document = {"content_base64": base64.b64encode(content).decode()}
    return line(number, "certificate.requested", data={"document": document}, **changes)


HISTORY = (
    line(1),
    line(2, "student.upserted"),
    b"{bad\n",
    line(3, "enrollment.upserted"),
    line(2, "student.upserted"),
    certificate(4, PDF),
    certificate(5, PDF),
    line(6, data={"nam": "misspelt"}),
    line(1, data={"name": "Something else"}),
    line(7, source="urn:sis:other", subject="R-1"),
    certificate(8, PDF + b"8"),
)


async def bring(ledger: Ledger, folder: Path, *lines: bytes) -> IngestReport:
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(lines))
    items = read_events([str(path)], rules=Rules())
    return await ingest(items, LedgerIngest(ledger), name=path.name)


async def test_every_line_is_taken_duplicate_or_quarantined(home: Path) -> None:
    async with open_ledger(home) as ledger:
        report = await bring(ledger, home, *HISTORY)
        types = await types_of(ledger)

    assert report == IngestReport(
        lines=11,
        taken=5,
        duplicate=1,
        quarantined=5,
        reasons={
            "conflict": 1,
            "document_used": 1,
            "foreign_source": 1,
            "json": 1,
            "unknown": 1,
        },
    )
    assert types == [
        "ingest.started",
        "course.upserted",
        "student.upserted",
        "enrollment.upserted",
        "certificate.requested",
        "certificate.requested",
        *["event.quarantined"] * 5,
        "ingest.finished",
    ]


async def test_the_same_file_twice_adds_no_event(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, *HISTORY)
        before = await ledger.head()
        report = await bring(ledger, home, *HISTORY)

        assert (report.taken, report.duplicate, report.quarantined) == (0, 6, 5)
        assert await ledger.head() == before
        page = await ledger.read(
            lambda connection: quarantine_store.read_page(
                connection, ledger.scope, after=-1, limit=10
            )
        )
        assert [kept.count for kept in page] == [2] * 5


@pytest.mark.parametrize("length", range(len(HISTORY)))
async def test_after_every_prefix_the_whole_file_finishes_the_work(home: Path, length: int) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, *HISTORY[:length])
    async with open_ledger(home, seed=2) as ledger:
        await bring(ledger, home, *HISTORY)
        names = [(event.id, event.type) for event in await log_of(ledger) if not event.is_outcome]
        count = await ledger.read(lambda c: quarantine_store.count(c, ledger.scope))

    assert names == [
        ("evt-1", "course.upserted"),
        ("evt-2", "student.upserted"),
        ("evt-3", "enrollment.upserted"),
        ("evt-4", "certificate.requested"),
        ("evt-8", "certificate.requested"),
    ]
    assert count == 5


async def test_a_corrected_line_takes_the_refused_one_out_of_quarantine(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, line(1, data={"nam": "misspelt"}))
        await bring(ledger, home, line(1, data={"name": 5}))
        waiting = await ledger.read(lambda c: quarantine_store.count(c, ledger.scope))
        await bring(ledger, home, line(1))
        left = await ledger.read(lambda c: quarantine_store.count(c, ledger.scope))
        types = await types_of(ledger)

    assert (waiting, left) == (2, 0)
    assert types[-4:] == [
        "course.upserted",
        "quarantine.released",
        "quarantine.released",
        "ingest.finished",
    ]


async def test_the_ledgers_own_source_is_refused_like_any_bad_line(home: Path) -> None:
    async with open_ledger(home) as ledger:
        own = outcome_source(ledger.ledger_id)
        report = await bring(ledger, home, line(1, source=own), line(2))

        assert (report.taken, report.reasons) == (1, {"reserved_source": 1})


async def test_nothing_of_a_refused_line_is_readable_in_the_database(home: Path) -> None:
    secret = "ada.secret@example.org"
    student = line(1, "student.upserted", data={"email": secret, "date_of_birth": "never"})
    async with open_ledger(home) as ledger:
        await bring(ledger, home, student, b"\xff" + secret.encode() + b"\n")

        kept = await contents_in(home)
        del kept["events.jsonl"]
        assert not any(secret.encode() in content for content in kept.values())


async def test_a_record_belongs_to_the_source_that_named_it_first(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, *HISTORY)
        record = await ledger.read(
            lambda c: record_store.find(c, ledger.scope, reference=SourceRef("course", "R-1"))
        )

        assert record is not None
        assert record.owner == "urn:sis:demo"
