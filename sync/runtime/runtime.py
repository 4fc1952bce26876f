"""What a host embeds: record what happens, and the rest happens by itself.

```python
async with Runtime(Settings.load()) as runtime:
    recorded = await runtime.record(event)
    rest = await runtime.idle(patience_seconds=30)
    story = await runtime.audit.timeline("student", "S-1001")
```
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from ledger.clock import Clock, Entropy
from ledger.errors import LedgerError
from ledger.ledger import Ledger
from ledger.log.inbox_store import Entry
from ledger.reference import Json
from ledger.vault.key_source import HostKey
from sync.errors import InputError
from sync.resources import Fault
from sync.runtime.assembly import make_ledger, start_engine
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.engine import Engine, Remaining
from sync.runtime.health import Health, health_of
from sync.runtime.host_inbox import HostInbox
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.settings import Settings
from sync.runtime.status import status
from sync.sources.event_reader import read_events, read_line
from sync.sources.ingest_report import IngestReport, Intake
from sync.sources.ingest_worker import ingest, take_one
from sync.sources.item import Item
from sync.telemetry.signals import Announce, nobody

HOST_ORIGIN = "host"
LETTERS_IN_LOOP_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an event that a host recorded."""

    is_taken: bool
    """Whether it is in the log now and was not before."""
    is_duplicate: bool
    """Whether the same event was in the log already; nothing needs to be done."""
    reasons: tuple[Fault, ...] = field(default=())
    """Why it was refused; it is kept in quarantine, whole. Empty when it is in the log."""


class Runtime:
    """A ledger with its engine, for the life of a host.

    Entering makes or migrates the ledger, opens it and starts the services; leaving finishes what
    is under way within a bound and leaves nothing leased. Both are safe to cancel at any time.
    The master key comes from the settings, or from `master_key`: a function, asynchronous if need
    be, that returns its 32 bytes; it is asked again when another process has rotated the key.
    One runtime works on a SQLite ledger at a time: entering a second raises `LedgerBusyError`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        announce: Announce = nobody,
        master_key: HostKey | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._announce = announce
        self._master_key = master_key
        self._exits = AsyncExitStack()
        self._open: tuple[Ledger, Engine] | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exits:
            ledger = await exits.enter_async_context(
                make_ledger(
                    self._settings,
                    clock=self._clock,
                    entropy=self._entropy,
                    master_key=self._master_key,
                )
            )
            engine = await exits.enter_async_context(
                start_engine(ledger, self._settings, announce=self._announce)
            )
            self._open = (ledger, engine)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = None
        await self._exits.aclose()

    @property
    def ledger(self) -> Ledger:
        """The open ledger; raises `LedgerError` outside the runtime's context."""
        return self._opened()[0]

    @property
    def audit(self) -> AuditDesk:
        """The questions that an auditor asks."""
        return AuditDesk(self.ledger, key_file=self._settings.address.key_file)

    async def record(self, event: Mapping[str, object]) -> Recorded:
        """Take one source event; when this returns it is durable, or in quarantine with reasons."""
        item = await self._read(event)
        outcome = await take_one(item, LedgerIngest(self.ledger))
        if isinstance(outcome, Intake):
            return Recorded(
                is_taken=outcome is Intake.TAKEN, is_duplicate=outcome is Intake.DUPLICATE
            )
        return Recorded(is_taken=False, is_duplicate=False, reasons=outcome.reasons)

    async def prepare(self, event: Mapping[str, object]) -> Entry:
        """Return a source event checked and sealed, to be put into a transaction of the host's.

        Raises `EventError` with every reason where it cannot be taken; nothing is kept then.
        """
        item = await self._read(event)
        return await self._inbox().prepare(item, documents=LedgerIngest(self.ledger))

    def put(self, connection: Connection, entry: Entry) -> None:
        """Insert a prepared event on the host's own connection to the ledger's database.

        It counts once the host commits, and is given its place in the log then. From an
        asynchronous engine: `await connection.run_sync(runtime.put, entry)`. Raises `LedgerError`
        with the recipe for a connection that cannot commit both as one.
        """
        self._inbox().put(connection, entry)

    async def _read(self, event: Mapping[str, object]) -> Item:
        # Reading a whole document holds the loop up for longer than a hop to a thread takes.
        if _document_letters(event) > LETTERS_IN_LOOP_MAX:
            return await asyncio.to_thread(self._item, event)
        return self._item(event)

    def _item(self, event: Mapping[str, object]) -> Item:
        return read_line(
            _as_line(event),
            number=1,
            origin=HOST_ORIGIN,
            folder=None,
            rules=self._settings.intake(),
        )

    def _inbox(self) -> HostInbox:
        return self._opened()[1].inbox

    async def ingest(self, files: Sequence[Path]) -> IngestReport:
        """Take every event of these JSON Lines files as one run and return the counts."""
        names = [str(file) for file in files]
        items: Iterator[Item] = read_events(names, rules=self._settings.intake())
        return await ingest(items, LedgerIngest(self.ledger), name=", ".join(names))

    async def add_document(self, content: bytes) -> str:
        """Store a document, sealed and durable, and return the SHA-256 that names it in events."""
        return await self.ledger.documents.add(content, now=self.ledger.clock.now())

    async def idle(self, *, patience_seconds: float | None = None) -> Remaining:
        """Return what remains once everything that can be done now is done.

        Raises what a person must mend: refused credentials, a full disk, a damaged ledger. It
        raises that from then on: once it is mended, leave this runtime and open another.
        """
        patience = self._settings.patience_seconds if patience_seconds is None else patience_seconds
        return await self._opened()[1].idle(patience)

    async def status(self) -> dict[str, Json]:
        """Return what is known, owed, waiting, held and dead."""
        ledger, engine = self._opened()
        key_file = self._settings.address.key_file
        return await status(ledger, outage=engine.pace.outage, key_file=key_file)

    def health(self) -> Health:
        """Return whether every service lives, and if not, what it died of."""
        return health_of(self._opened()[1])

    async def timeline(self, entity: str, source_id: str) -> list[dict[str, Json]]:
        """Return the story of one record, in the order of the log."""
        return await self.audit.timeline(entity, source_id)

    def _opened(self) -> tuple[Ledger, Engine]:
        if self._open is None:
            message = "the runtime is not open: use it inside `async with Runtime(settings)`"
            raise LedgerError(message)
        return self._open


def _document_letters(event: Mapping[str, object]) -> int:
    """Return how long the document is that an event brings along, in letters of base64."""
    data = event.get("data")
    document = data.get("document") if isinstance(data, Mapping) else None
    content = document.get("content_base64") if isinstance(document, Mapping) else None
    return len(content) if isinstance(content, str) else 0


def _as_line(event: Mapping[str, object]) -> bytes:
    """Return an event as a line of a file; what is no text in UTF-8 is refused as one."""
    try:
        return json.dumps(event, ensure_ascii=False).encode(errors="surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        message = "an event holds what JSON cannot say: give decimals, dates and times as text"
        raise InputError(message) from error
