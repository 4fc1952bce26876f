"""A ledger in memory that keeps what an ingest gives it, as the real one promises to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from sync.sources.ingest_report import IngestReport, Intake
from sync.sources.quarantine import QuarantineEntry


class PowerCut(BaseException):
    """The process dies here."""


@dataclass
class MemoryLedger:
    """Keeps events, documents and quarantine; dies before the call numbered `dies_at`."""

    events: dict[tuple[str, str], NewEvent] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    owners: dict[SourceRef, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    users: dict[str, SourceRef] = field(default_factory=dict)
    entries: dict[str, QuarantineEntry] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    dies_at: int = -1
    calls: int = 0

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            raise PowerCut

    async def would_take(self, events: Sequence[NewEvent]) -> Sequence[bool]:
        self._call()
        return [
            (event.source, event.id) not in self.events
            and self._owner(event) == event.source
            and self._user(event) == event.subject
            for event in events
        ]

    def _owner(self, event: NewEvent) -> str:
        assert event.subject is not None
        return self.owners.get(event.subject, event.source)

    def _user(self, event: NewEvent) -> SourceRef | None:
        wanted = _document(event)
        return self.users.get(wanted, event.subject) if wanted else event.subject

    async def start_run(self, name: str) -> str:
        self._call()
        self.log.append(f"started {name}")
        return "run"

    async def finish_run(self, run: str, report: IngestReport) -> None:
        self._call()
        self.log.append(f"finished {run} {report.taken}")

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Intake]:
        self._call()
        self.batches.append(len(events))
        return [self._append(event) for event in events]

    def _append(self, event: NewEvent) -> Intake:
        key = (event.source, event.id)
        known = self.events.get(key)
        if known is not None:
            same = (known.type, known.subject, known.private) == (
                event.type,
                event.subject,
                event.private,
            )
            return Intake.DUPLICATE if same else Intake.CONFLICT
        assert event.subject is not None
        if self.owners.setdefault(event.subject, event.source) != event.source:
            return Intake.FOREIGN_SOURCE
        if _document(event) and self._user(event) != event.subject:
            return Intake.DOCUMENT_USED
        if _document(event):
            self.users[_document(event)] = event.subject
        self.events[key] = event
        self.log.append(event.id)
        return Intake.TAKEN

    async def quarantine(self, entries: Sequence[QuarantineEntry]) -> None:
        self._call()
        for entry in entries:
            self.entries[entry.key] = entry
            self.counts[entry.key] = self.counts.get(entry.key, 0) + 1

    async def add_document(self, content: bytes) -> str:
        self._call()
        sha256 = hashlib.sha256(content).hexdigest()
        self.documents[sha256] = content
        return sha256

    async def document_exists(self, sha256: str) -> bool:
        self._call()
        return sha256 in self.documents


def _document(event: NewEvent) -> str:
    data = (event.private or {}).get("data")
    document = data.get("document") if isinstance(data, dict) else None
    return str(document["sha256"]) if isinstance(document, dict) else ""
