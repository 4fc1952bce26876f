import hashlib
import json
from pathlib import Path

from ledger.ledger import Ledger
from ledger.reference import Json
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.quarantine_admin import quarantine_page, quarantine_release
from sync.runtime.subject_admin import subject_erase
from sync.sources.event_reader import Rules, read_line
from sync.sources.ingest_report import Intake
from sync.sources.ingest_worker import take_one
from sync.sources.item import Refused
from tests.sync.runtime.ledgers import open_ledger

DIPLOMA, TRANSCRIPT = b"%PDF-a diploma", b"%PDF-a transcript"


async def ask(
    ledger: Ledger, folder: Path, *, number: int, file: str, source: str = "urn:sis:demo"
) -> Intake | Refused:
    """Ask for a certificate whose document is told by its path alone."""
    data: dict[str, Json] = {
        "institution_id": "I-1",
        "course_id": "C-1",
        "student_id": "S-1",
        "document": {"path": file},
    }
    event = {"specversion": "1.0", "id": f"evt-{number}", "source": source, "data": data}
    raw = json.dumps(event | {"type": "certificate.requested", "subject": "X-1"}).encode()
    item = read_line(raw, number=number, origin="file", folder=folder, rules=Rules())
    return await take_one(item, LedgerIngest(ledger))


async def is_kept(ledger: Ledger, content: bytes) -> bool:
    return await ledger.documents.get(hashlib.sha256(content).hexdigest()) is not None


async def test_a_document_that_only_a_refused_line_names_by_path_is_not_stored(
    home: Path,
) -> None:
    (home / "diploma.pdf").write_bytes(DIPLOMA)
    async with open_ledger(home) as ledger:
        await ask(ledger, home, number=1, file="diploma.pdf")
        missing = await ask(ledger, home, number=2, file="transcript.pdf", source="urn:other")
        (home / "transcript.pdf").write_bytes(TRANSCRIPT)
        refused = await ask(ledger, home, number=2, file="transcript.pdf", source="urn:other")
        before = await is_kept(ledger, DIPLOMA), await is_kept(ledger, TRANSCRIPT)
        await subject_erase(ledger, "S-1")
        after = await is_kept(ledger, DIPLOMA), await is_kept(ledger, TRANSCRIPT)

    assert [each.reasons[0].code for each in (missing, refused) if isinstance(each, Refused)] == [
        "document_missing",
        "foreign_source",
    ]
    assert before == (True, False)
    assert after == (False, False)


async def test_a_release_in_vain_stores_no_document(home: Path) -> None:
    (home / "diploma.pdf").write_bytes(DIPLOMA)
    async with open_ledger(home) as ledger:
        await ask(ledger, home, number=1, file="diploma.pdf")
        await ask(ledger, home, number=2, file="transcript.pdf", source="urn:other")
        (home / "transcript.pdf").write_bytes(TRANSCRIPT)
        [row] = (await quarantine_page(ledger)).rows
        released = await quarantine_release(ledger, str(row["id"]), rules=Rules(), folder=home)

        assert released["released"] is False
        assert not await is_kept(ledger, TRANSCRIPT)
