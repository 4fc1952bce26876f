"""Events in a host's own transaction: prepared before it, put on its connection, taken after it."""

import json
from typing import Final

from sqlalchemy import Connection

from ledger.errors import EventError
from ledger.ledger import Ledger
from ledger.log import inbox_store
from ledger.log.inbox_store import Entry, Waiting
from ledger.reference import Json
from ledger.transaction import Appended, Offer, Transaction, Verdict
from sync.runtime.quarantine_keeper import QuarantineKeeper
from sync.sources.ingest_report import REFUSALS, Intake
from sync.sources.ingest_worker import IngestLedger, put_document
from sync.sources.item import Checked, Item, Refused
from sync.sources.quarantine import entry as quarantined

ENTRIES_MAX: Final = 200
ORIGIN: Final = "inbox"


class HostInbox:
    """The way in for a host whose own write and the event must stand or fall together."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._keeper = QuarantineKeeper(ledger)

    async def prepare(self, item: Item, *, documents: IngestLedger) -> Entry:
        """Return a checked event sealed and ready; raises `EventError` with every reason."""
        outcome = item.outcome
        faults = outcome.reasons if isinstance(outcome, Refused) else ()
        if isinstance(outcome, Checked) and outcome.document is not None:
            # Nothing is stored for what will not be taken: nobody would know whose it is.
            is_welcome = all(await documents.would_take([outcome.event]))
            missing = await put_document(documents, outcome.document) if is_welcome else None
            faults = () if missing is None else (missing,)
        if faults or not isinstance(outcome, Checked):
            reasons = "; ".join(f"{fault.field} {fault.message}" for fault in faults)
            message = f"the event cannot be taken as it is, correct it: {reasons}"
            raise EventError(message)
        (offer,) = await self._ledger.offers([outcome.event])
        return Entry(offer.prepared, document=offer.document)

    def put(self, connection: Connection, entry: Entry) -> None:
        """Insert an entry on the host's connection; it counts once the host commits."""
        ledger, database = self._ledger.scope.ledger, self._ledger.database
        inbox_store.put(connection, ledger, entry=entry, database=database)

    def has_waiting(self, connection: Connection) -> bool:
        """Tell whether anything waits to be given a position."""
        return inbox_store.has_any(connection, self._ledger.scope.ledger)

    async def take(self) -> int:
        """Give what waits its positions and return how many entries left the inbox."""
        ledger = self._ledger.scope.ledger
        waiting = await self._ledger.read(
            lambda connection: inbox_store.read_page(connection, ledger, limit=ENTRIES_MAX)
        )
        if not waiting:
            return 0
        answers = await self._ledger.transact(lambda step: self._append(step, waiting))
        refused = [
            (each, answer)
            for each, answer in zip(waiting, answers, strict=True)
            if Intake(answer.verdict.value) in REFUSALS
        ]
        for each, answer in refused:
            await self._refuse(each, Intake(answer.verdict.value))
        return len(waiting)

    def _append(self, step: Transaction, waiting: list[Waiting]) -> list[Appended]:
        offers = [Offer(each.entry.prepared, document=each.entry.document) for each in waiting]
        answers = step.append(offers)
        pairs = list(zip(waiting, answers, strict=True))
        taken = [each.entry.prepared for each, answer in pairs if answer.verdict is Verdict.TAKEN]
        self._keeper.settle(step, [(prepared.source, prepared.id) for prepared in taken])
        kept = [each.number for each, answer in pairs if answer.position is not None]
        inbox_store.remove(step.connection, numbers=kept)
        return answers

    async def _refuse(self, waiting: Waiting, intake: Intake) -> None:
        # Quarantined first: a crash in between only counts the same refusal again.
        prepared = waiting.entry.prepared
        raw = await self._raw(waiting.entry)
        refused = Refused(
            (REFUSALS[intake],),
            id=prepared.id,
            source=prepared.source,
            type=prepared.type,
            subject=prepared.subject.source_id if prepared.subject else "",
            raw=raw,
        )
        item = Item(waiting.number, refused, raw, ORIGIN)
        await self._keeper.keep([quarantined(item, refused)])
        await self._ledger.transact(
            lambda step: inbox_store.remove(step.connection, numbers=[waiting.number])
        )

    async def _raw(self, entry: Entry) -> bytes:
        """Return the event as its source would have written it."""
        prepared = entry.prepared
        private = await self._ledger.sealer.private_of(prepared) or {}
        envelope: dict[str, Json] = {
            "specversion": "1.0",
            "id": prepared.id,
            "source": prepared.source,
            "type": prepared.type,
            "subject": prepared.subject.source_id if prepared.subject else None,
            **{name: private[name] for name in ("data", "actor") if name in private},
        }
        return json.dumps(envelope, ensure_ascii=False).encode()
