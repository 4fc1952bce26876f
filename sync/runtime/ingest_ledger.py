"""The ledger as an ingest sees it: every call is durable when it returns."""

from collections.abc import Sequence
from dataclasses import asdict

from ledger.ledger import Ledger
from ledger.log.envelope import outcome_source
from ledger.log.event import NewEvent
from ledger.reference import Json
from ledger.transaction import Appended, Offer, Transaction, Verdict
from sync.runtime.quarantine_keeper import QuarantineKeeper
from sync.sources.ingest_report import IngestReport, Intake
from sync.sources.quarantine import QuarantineEntry


class LedgerIngest:
    """Brings what an ingest worker read into a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._keeper = QuarantineKeeper(ledger)
        self._own_source = outcome_source(ledger.ledger_id)

    async def would_take(self, events: Sequence[NewEvent]) -> list[bool]:
        """Tell for each event whether it is new and nothing that is taken stands against it."""
        possible = await self._ledger.would_take(events)
        return [
            is_possible and not self._is_reserved(event)
            for event, is_possible in zip(events, possible, strict=True)
        ]

    async def start_run(self, name: str) -> str:
        """Append `ingest.started` and return its position, which names the run."""
        prepared = await self._ledger.outcome("ingest.started", public={}, private={"name": name})
        position = await self._ledger.transact(
            lambda step: step.record("ingest.started", public={}, prepared=prepared)
        )
        return str(position)

    async def finish_run(self, run: str, report: IngestReport) -> None:
        """Append `ingest.finished` with the counts."""
        counts: dict[str, Json] = asdict(report)
        public: dict[str, Json] = {"run": int(run), **counts}
        await self._ledger.transact(lambda step: step.record("ingest.finished", public=public))

    async def append(self, events: Sequence[NewEvent]) -> list[Intake]:
        """Offer events in order and tell for each what became of it."""
        offers = await self._ledger.offers([each for each in events if not self._is_reserved(each)])
        answers = iter(await self._ledger.transact(lambda step: self._take(step, offers)))
        return [
            Intake.RESERVED_SOURCE
            if self._is_reserved(event)
            else Intake(next(answers).verdict.value)
            for event in events
        ]

    async def quarantine(self, entries: Sequence[QuarantineEntry]) -> None:
        """Keep refused lines; one with a known key is counted again."""
        await self._keeper.keep(entries)

    async def add_document(self, content: bytes) -> str:
        """Store a document and return its SHA-256."""
        return await self._ledger.documents.add(content, now=self._ledger.clock.now())

    async def document_exists(self, sha256: str) -> bool:
        """Tell whether the bytes are in the document store."""
        return await self._ledger.documents.has(sha256)

    def _take(self, step: Transaction, offers: Sequence[Offer]) -> list[Appended]:
        answers = step.append(offers)
        taken = [
            (offer.prepared.source, offer.prepared.id)
            for offer, answer in zip(offers, answers, strict=True)
            if answer.verdict is Verdict.TAKEN
        ]
        self._keeper.settle(step, taken)
        return answers

    def _is_reserved(self, event: NewEvent) -> bool:
        return event.source == self._own_source
