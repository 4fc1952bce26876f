"""Brings items into the ledger: documents first, then events, refusals into quarantine.

Every step is safe to repeat and a batch is counted only when all of it is durable. So an ingest
that was killed anywhere is finished by running it again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from ledger.log.event import NewEvent
from sync.errors import InputError
from sync.resources.definition import Fault
from sync.sources import document
from sync.sources.batch_reader import BatchLimits, BatchReader
from sync.sources.ingest_report import REFUSALS, IngestReport, Intake, Tally
from sync.sources.item import Checked, Document, Item, Refused, Skipped
from sync.sources.quarantine import QuarantineEntry, entry

_UNKNOWN: Final = document.fault(
    "document_unknown",
    "no document with this SHA-256 was handed over; add it with `document add`, then send again",
)


class IngestLedger(Protocol):
    """What an ingest needs of the ledger; each call is durable when it returns."""

    async def would_take(self, events: Sequence[NewEvent]) -> Sequence[bool]:
        """Tell for each event whether it is new and nothing that is taken stands against it."""

    async def start_run(self, name: str) -> str:
        """Append `ingest.started` and return the run's id."""

    async def finish_run(self, run: str, report: IngestReport) -> None:
        """Append `ingest.finished` with the counts."""

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Intake]:
        """Offer events in order and tell for each what became of it."""

    async def quarantine(self, entries: Sequence[QuarantineEntry]) -> None:
        """Keep refused lines; one with a known key is counted again."""

    async def add_document(self, content: bytes) -> str:
        """Store a document and return its SHA-256."""

    async def document_exists(self, sha256: str) -> bool:
        """Tell whether the bytes are in the document store."""


async def ingest(
    items: Iterator[Item],
    ledger: IngestLedger,
    *,
    name: str,
    limits: BatchLimits | None = None,
    announce: Callable[[IngestReport], None] | None = None,
) -> IngestReport:
    """Take what the items hold and return the counts; `announce` hears them after each batch.

    An InputError from the reader is raised after everything read before it is safe.
    """
    worker = _Ingest(ledger, name)
    try:
        async with BatchReader(items, limits or BatchLimits()) as batches:
            async for batch in batches:
                await worker.take(batch)
                if announce is not None:
                    announce(worker.tally.report())
    except InputError:
        await worker.finish()
        raise
    return await worker.finish()


async def take_one(item: Item, ledger: IngestLedger) -> Intake | Refused:
    """Take one event that comes by itself and tell what became of it, durable on return.

    A refusal is kept in quarantine, whole and with its reasons.
    """
    (outcome,) = await _Ingest(ledger, name=None).take([item])
    assert not isinstance(outcome, Skipped), "an event is taken or refused"
    return outcome


class _Ingest:
    """One run: it is announced in the log only once something new is about to enter."""

    def __init__(self, ledger: IngestLedger, name: str | None) -> None:
        self.tally = Tally()
        self._ledger = ledger
        self._name = name
        self._run: str | None = None

    async def take(self, batch: Sequence[Item]) -> list[Intake | Refused | Skipped]:
        outcomes = await self._with_documents([item.outcome for item in batch])
        offered = [outcome.event for outcome in outcomes if isinstance(outcome, Checked)]
        await self._start(offered)
        intakes = iter(await self._ledger.append(offered) if offered else ())
        settled = [
            (item, _settle(item, next(intakes)) if isinstance(outcome, Checked) else outcome)
            for item, outcome in zip(batch, outcomes, strict=True)
        ]
        refused = [
            entry(item, outcome) for item, outcome in settled if isinstance(outcome, Refused)
        ]
        if refused:
            await self._ledger.quarantine(refused)
        for _, outcome in settled:
            self.tally.add(outcome)
        return [outcome for _, outcome in settled]

    async def finish(self) -> IngestReport:
        report = self.tally.report()
        if self._run is not None:
            await self._ledger.finish_run(self._run, report)
        return report

    async def _start(self, offered: Sequence[NewEvent]) -> None:
        if self._name is None or self._run is not None or not offered:
            return
        # A package that was read before must leave no trace in the log, the run's own included.
        if any(await self._ledger.would_take(offered)):
            self._run = await self._ledger.start_run(self._name)

    async def _with_documents(
        self, outcomes: Sequence[Checked | Refused | Skipped]
    ) -> list[Checked | Refused | Skipped]:
        """Put documents into the ledger, and refuse the events that lack theirs."""
        naming = [each for each in outcomes if isinstance(each, Checked) and each.document]
        welcome = await self._ledger.would_take([each.event for each in naming]) if naming else ()
        # Nothing is stored for what is not taken: it may be an old event of who was erased.
        wanted = {
            id(each.event): each.document
            for each, is_welcome in zip(naming, welcome, strict=True)
            if is_welcome
        }
        return [
            await self._prepare(each, wanted.get(id(each.event)))
            if isinstance(each, Checked)
            else each
            for each in outcomes
        ]

    async def _prepare(self, checked: Checked, document: Document | None) -> Checked | Refused:
        reason = None if document is None else await put_document(self._ledger, document)
        return checked if reason is None else _refused(checked.event, reason)


async def put_document(ledger: IngestLedger, wanted: Document) -> Fault | None:
    """Make the ledger have a document, or return why it cannot."""
    if not await ledger.document_exists(wanted.sha256):
        if wanted.content is None:
            return _UNKNOWN
        await ledger.add_document(wanted.content)
    return None


def _settle(item: Item, intake: Intake) -> Intake | Refused:
    reason = REFUSALS.get(intake)
    if reason is None or not isinstance(item.outcome, Checked):
        return intake
    return replace(_refused(item.outcome.event, reason), raw=item.raw)


def _refused(event: NewEvent, reason: Fault) -> Refused:
    return Refused(
        (reason,),
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject.source_id if event.subject else "",
    )
