"""A ledger with two persons in it, told of by nobody who knows what a person is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.clock import ManualClock, SeededEntropy
from ledger.erasure.premises import Wish
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.subjects.name import name_of
from ledger.testing import address_in, ledger_in
from ledger.transaction import Appended

MARK = "Zanzibar-Mark"
"""Stands in everything personal; no byte of it may be left after an erasure."""
ANNA = SourceRef("person", "P-1")
BERT = SourceRef("person", "P-2")
DOCUMENT = f"%PDF-{MARK}".encode() * 100
REASON = {"reason": f"{MARK} wrote a letter", "actor": f"officer of {MARK}"}


def wish(reference: SourceRef = ANNA) -> Wish:
    return Wish(name(reference), reference, private=REASON)


def name(reference: SourceRef) -> str:
    return name_of(reference.entity, reference.source_id)


def event(number: int, reference: SourceRef = ANNA, **data: str) -> NewEvent:
    return NewEvent(
        source="urn:registry",
        id=f"e-{number}",
        type="person.upserted",
        subject=reference,
        private={"data": {"name": MARK, **data}, "actor": MARK},
        person=name(reference),
    )


async def tell(ledger: Ledger, *events: NewEvent) -> list[Appended]:
    return await ledger.append(events)


@asynccontextmanager
async def populated(folder: Path) -> AsyncIterator[Ledger]:
    """Give a ledger in which Anna and Bert are known, Anna with a document."""
    async with ledger_in(folder, clock=ManualClock(), entropy=SeededEntropy(7)) as ledger:
        digest = await ledger.documents.add(DOCUMENT, now=ledger.clock.now())
        paper = NewEvent(
            source="urn:registry",
            id="paper",
            type="paper.requested",
            subject=SourceRef("paper", "D-1"),
            private={"data": {"owner": MARK, "document": {"sha256": digest}}},
            person=name(ANNA),
        )
        await tell(ledger, event(1), event(2, BERT), paper, event(3, city="Zanzibar"))
        yield ledger


async def reopened(folder: Path) -> Ledger:
    """Open the ledger of a folder again, as the next process would."""
    return await Ledger.open(address_in(folder), clock=ManualClock(), entropy=SeededEntropy(8))


def files_with(folder: Path, text: str = MARK) -> list[str]:
    """Return the files that hold a text anywhere."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return sorted(each.name for each in files if text.encode() in each.read_bytes())
