import asyncio
import base64
import io
from collections.abc import Iterator

import pytest

from sync.errors import InputError
from sync.sources.batch_reader import BatchLimits
from sync.sources.event_reader import Rules, read_stream
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest
from sync.sources.item import Item, Skipped
from tests.sync.sources.builders import line
from tests.sync.sources.fakes import MemoryLedger, PowerCut

PDF = b"%PDF-1.7 a small one"
SMALL = BatchLimits(items_max=3, ahead_max=1)


def certificate(number: int, content: bytes = PDF, **changes: object) -> bytes:
    document = {"content_base64": base64.b64encode(content).decode()}
    changes.setdefault("data", {"document": document})
    return line(number, "certificate.requested", **changes)


def items(*lines: bytes) -> Iterator[Item]:
    stream = io.BytesIO(b"".join(lines))
    return read_stream(stream, origin="events.jsonl", folder=None, rules=Rules())


async def take(ledger: MemoryLedger, *lines: bytes) -> IngestReport:
    report = await ingest(items(*lines), ledger, name="events.jsonl", limits=SMALL)
    assert report.taken + report.duplicate + report.quarantined == report.lines
    return report


async def test_every_line_is_taken_duplicate_or_quarantined() -> None:
    ledger = MemoryLedger()

    report = await take(ledger, line(1), line(2), line(1), b"{bad\n", line(3, subject=""), line(4))

    assert report == IngestReport(
        lines=6, taken=3, duplicate=1, quarantined=2, reasons={"json": 1, "length": 1}
    )
    assert ledger.log == ["started events.jsonl", "evt-1", "evt-2", "evt-4", "finished run 3"]
    assert [(e.line, e.source, e.subject) for e in ledger.entries.values()] == [
        (4, "events.jsonl", ""),
        (5, "urn:sis:demo", ""),
    ]


async def test_the_same_file_twice_adds_no_event_and_counts_its_bad_lines() -> None:
    ledger = MemoryLedger()
    lines = (
        *map(line, range(10)),
        b"{bad\n",
        line(11, time="yesterday"),
        certificate(12),
        certificate(13),
        line(1, data={"name": "Other"}),
        line(14, subject="R-1", source="urn:other"),
    )
    await take(ledger, *lines)
    before = list(ledger.log)

    report = await take(ledger, *lines)

    assert ledger.log == before
    assert (report.taken, report.duplicate, report.quarantined) == (0, 11, 5)
    assert sorted(ledger.counts.values()) == [2, 2, 2, 2, 2]


async def test_a_known_id_with_other_content_is_quarantined_whole() -> None:
    ledger = MemoryLedger()
    other = line(1, data={"name": "Other"})

    report = await take(ledger, line(1), other)

    assert (report.taken, report.reasons) == (1, {"conflict": 1})
    [entry] = ledger.entries.values()
    assert entry.raw == other.strip()
    assert (entry.type, entry.subject) == ("course.upserted", "R-1")


async def test_a_record_belongs_to_the_source_that_first_named_it() -> None:
    report = await take(MemoryLedger(), line(1), line(2, subject="R-1", source="urn:other"))

    assert report.reasons == {"foreign_source": 1}


async def test_a_document_is_stored_before_its_certificate() -> None:
    ledger = MemoryLedger()

    report = await take(ledger, certificate(1))

    assert report.taken == 1
    assert list(ledger.documents.values()) == [PDF]


async def test_a_document_serves_one_certificate_only() -> None:
    ledger = MemoryLedger()

    report = await take(ledger, certificate(1), certificate(2), certificate(3, PDF + b"2"))
    again = await take(ledger, certificate(4, subject="R-1"))

    assert (report.taken, report.reasons) == (2, {"document_used": 1})
    assert again.taken == 1
    [entry] = ledger.entries.values()
    assert PDF in base64.b64decode(entry.raw.split(b'content_base64": "')[1].split(b'"')[0])


async def test_a_document_known_only_by_digest_must_have_been_handed_over() -> None:
    ledger = MemoryLedger()
    sha256 = await ledger.add_document(PDF)
    known = certificate(1, data={"document": {"sha256": sha256.upper()}})
    unknown = certificate(2, data={"document": {"sha256": "00" * 32}})

    report = await take(ledger, known, unknown)

    assert (report.taken, report.reasons) == (1, {"document_unknown": 1})


async def test_no_document_is_stored_for_an_event_that_is_known() -> None:
    ledger = MemoryLedger()
    await take(ledger, certificate(1))
    ledger.documents.clear()

    report = await take(ledger, certificate(1))

    assert (report.duplicate, report.quarantined) == (1, 0)
    assert not ledger.documents


async def test_rows_that_are_no_events_are_counted_apart() -> None:
    found = [Item(2, Skipped("not_a_student")), *items(line(1)), Item(3, Skipped("not_used"))]

    report = await ingest(iter(found), MemoryLedger(), name="package")

    assert (report.lines, report.taken) == (1, 1)
    assert report.skipped == {"not_a_student": 1, "not_used": 1}


async def test_batches_are_bounded_by_count_and_by_size() -> None:
    ledger, heard = MemoryLedger(), list[int]()
    small, large = (line(number) for number in range(7)), certificate(9, PDF + b"." * 5000)
    limits = BatchLimits(items_max=4, bytes_max=4000, ahead_max=1)

    found = items(*small, large, line(10))
    await ingest(
        found, ledger, name="x", limits=limits, announce=lambda report: heard.append(report.lines)
    )

    assert ledger.batches == [4, 4, 1]
    assert heard == [4, 8, 9]


async def test_an_empty_input_adds_nothing() -> None:
    ledger = MemoryLedger()

    report = await take(ledger, b"\n", b"  \r\n")

    assert (report, ledger.calls) == (IngestReport(), 0)


async def test_what_was_read_before_a_failure_is_safe() -> None:
    ledger = MemoryLedger()

    def failing() -> Iterator[Item]:
        yield from items(line(1), line(2), line(3), line(4))
        message = "the disk is gone"
        raise InputError(message)

    with pytest.raises(InputError, match="the disk is gone"):
        await ingest(failing(), ledger, name="x", limits=SMALL)

    assert ledger.log == ["started x", "evt-1", "evt-2", "evt-3", "evt-4", "finished run 4"]


@pytest.mark.parametrize("dies_at", range(1, 14))
async def test_killed_anywhere_a_second_run_finishes_the_work(dies_at: int) -> None:
    lines = (
        *map(line, range(4)),
        b"{bad\n",
        certificate(5),
        certificate(6),
        certificate(7, PDF + b"7"),
        line(8),
    )
    ledger = MemoryLedger(dies_at=dies_at)

    with pytest.raises(PowerCut):
        await take(ledger, *lines)
    report = await take(ledger, *lines)

    assert [name for name in ledger.log if name.startswith("evt")] == [
        f"evt-{number}" for number in (0, 1, 2, 3, 5, 7, 8)
    ]
    assert report.reasons == {"json": 1, "document_used": 1}
    assert len(ledger.entries) == 2
    assert len(ledger.documents) == 2


async def test_a_cancelled_ingest_stops_reading_and_closes_its_input() -> None:
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    began = asyncio.Event()

    def endless() -> Iterator[Item]:
        number = 0
        try:
            while True:
                number += 1
                yield from items(line(number))
        finally:
            loop.call_soon_threadsafe(closed.set)

    task = asyncio.create_task(
        ingest(endless(), MemoryLedger(), name="x", announce=lambda _: began.set())
    )
    await began.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await closed.wait()
