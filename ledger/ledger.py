"""The door: open a ledger, append to it, read it, change it in one atomic step, close it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy
from ledger.database import Database, is_refusal
from ledger.documents.shelf_store import Shelf
from ledger.erasure.unfinished_worker import finish_erasures
from ledger.home import (
    Address,
    open_home,
    read_generation,
    read_row,
)
from ledger.log import store as log_store
from ledger.log import tile_store
from ledger.log.envelope import Prepared, outcome_source
from ledger.log.event import Event, NewEvent
from ledger.log.merkle import CompactRange
from ledger.offering import Offering
from ledger.reference import Json, LedgerId, Position, Scope, SourceRef
from ledger.scribe import Scribe
from ledger.sealing import Sealer
from ledger.shield import to_the_end
from ledger.signals import Bell
from ledger.tenancy import claim_home, require_home
from ledger.transaction import Appended, Conditions, Offer, Transaction
from ledger.vault.vault_store import Vault
from ledger.writer import Failed, Writer

T = TypeVar("T")
Step = Callable[[Transaction], object]
OUTCOME_ID_BYTES = 8


class Ledger:
    """An open ledger: the log, and everything that is folded from it."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        ledger_id: LedgerId,
        scope: Scope,
        clock: Clock,
        entropy: Entropy,
        shared_sources: frozenset[str] = frozenset(),
        has_own_clock: bool = True,
    ) -> None:
        self.database = database
        self.vault = vault
        self.ledger_id = ledger_id
        self.scope = scope
        """The folding that was last written to; reads are told which one is live."""
        self.clock = clock
        self._shared_sources = shared_sources
        self._has_own_clock = has_own_clock
        self._writer: Writer[Step] = Writer(self._run_batch)
        self._entropy = entropy
        self.bell = Bell()
        self.documents = Shelf(vault)
        self.sealer = Sealer(vault, ledger_id=ledger_id)
        self._offering = Offering(self, shared_sources=shared_sources)

    @classmethod
    async def open(
        cls,
        address: Address,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        shared_sources: Iterable[str] = (),
        makes: bool = False,
    ) -> Self:
        """Return an open ledger, made or migrated first where that is asked for.

        Raises `MigrationNeededError` where `init` must run first.
        """
        has_own_clock = clock is not None
        clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
        home = await open_home(address, clock=clock, entropy=entropy, makes=makes)
        row = home.row
        ledger = cls(
            home.main,
            home.vault,
            ledger_id=LedgerId(row.ledger_id),
            scope=Scope(row.ledger, row.generation),
            clock=clock,
            entropy=entropy,
            shared_sources=frozenset(shared_sources),
            has_own_clock=has_own_clock,
        )
        try:
            await finish_erasures(ledger)
        except BaseException:
            await ledger.close()
            raise
        return ledger

    async def __aenter__(self) -> Self:
        """Return the ledger itself; leaving closes it."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Make durable what waits, then let go of everything."""
        await to_the_end(self._let_go())

    async def _let_go(self) -> None:
        await self._writer.close()
        await self.database.close()
        await self.vault.close()

    async def require_version(self) -> None:
        """Raise `MigrationNeededError` if another program migrated the ledger since it was opened.

        To be asked under the lock of a task: a migration does not wait for who is yet to take it.
        """
        await self.read(read_row)

    async def require_home(self, *, base_url: str, tenant: str) -> None:
        """Raise `LedgerBelongsElsewhereError` if the ledger is tied to another tenant."""
        home, ledger = {"base_url": base_url.rstrip("/"), "tenant": tenant}, self.scope.ledger
        await self.read(lambda connection: require_home(connection, ledger, **home))

    async def belong_to(self, *, base_url: str, tenant: str) -> None:
        """Tie the ledger to one tenant for ever; call it once that tenant has answered."""
        home, ledger = {"base_url": base_url.rstrip("/"), "tenant": tenant}, self.scope.ledger
        await self.database.run(lambda connection: claim_home(connection, ledger, **home))

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        """Append source events; each answer stands once the batch is durable."""
        offers = await self.offers(events)
        return await self.transact(lambda transaction: transaction.append(offers))

    async def offers(self, events: Sequence[NewEvent]) -> list[Offer]:
        """Return source events sealed and ready to be appended in a transaction."""
        return await self._offering.offers(events)

    async def with_persons(self, events: Sequence[NewEvent]) -> list[NewEvent]:
        """Return events that tell no person with the one of their record's earlier events."""
        return await self._offering.with_persons(events)

    async def would_take(self, events: Sequence[NewEvent]) -> list[bool]:
        """Tell for each event whether it would be taken if it were offered now, before the rest."""
        return await self._offering.would_take(events)

    async def outcome(
        self,
        event_type: str,
        *,
        public: Mapping[str, Json],
        private: Mapping[str, Json] | None = None,
        person: str = "",
        subject: SourceRef | None = None,
    ) -> Prepared:
        """Return an outcome event with a private part, ready to be recorded in a transaction."""
        event = NewEvent(
            source=outcome_source(self.ledger_id),
            id=f"{event_type}/{self.random_name(OUTCOME_ID_BYTES)}",
            type=event_type,
            subject=subject,
            public=public,
            private=private,
            person=person,
        )
        now = self.clock.now()
        return (await self.sealer.prepare([event], recorded_at=now, is_outcome=True))[0]

    async def scribe(self, persons: Iterable[str]) -> Scribe:
        """Return what tells, within a step, outcomes with private parts of these persons."""
        wanted = frozenset(persons)
        return Scribe(self.sealer, await self.vault.keys(wanted) if wanted else {})

    async def transact(self, step: Callable[[Transaction], T]) -> T:
        """Run one step atomically, sharing its commit with others; returns once it is durable."""
        result = await self._writer.submit(step)
        self.bell.ring()
        return cast("T", result)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot."""
        return await self.database.read(function)

    async def read_folded(self, function: Callable[[Connection, Scope], T]) -> T:
        """Run a function that reads what is folded, of the folding that is live in its snapshot.

        Which one that is may change between any two reads, and rows of another may be gone.
        """
        return await self.read(lambda connection: function(connection, self._live(connection)))

    def _live(self, connection: Connection) -> Scope:
        ledger = self.scope.ledger
        return Scope(ledger, read_generation(connection, ledger))

    async def head(self) -> CompactRange:
        """Return the tree as it stands: its size and what its root is computed from."""
        return await self.read(
            lambda connection: log_store.read_head(connection, self.scope.ledger)
        )

    async def complete_tiles(self) -> None:
        """Make up for tiles that a log from before their time lacks, a page at a time."""
        ledger = self.scope.ledger

        def is_behind(connection: Connection) -> bool:
            return tile_store.is_behind(connection, ledger)

        def complete(connection: Connection) -> bool:
            size = log_store.lock_head(connection, ledger).size
            return tile_store.complete(connection, ledger, size=size)

        if await self.read(is_behind):
            while await self.database.run(complete):
                pass

    def random_name(self, count: int) -> str:
        """Return a name nobody else has, of that many random bytes in hex."""
        return self._entropy.bytes(count).hex()

    async def events_at(self, positions: Iterable[Position]) -> dict[Position, Event]:
        """Return the events at these positions, opened."""
        wanted = sorted(set(positions))
        stored = await self.read(
            lambda connection: log_store.read_at(connection, self.scope.ledger, positions=wanted)
        )
        return {event.position: event for event in await self.sealer.open(stored)}

    def lease_now(self, connection: Connection) -> float:
        """Return the time by the clock that every host's leases go by, in seconds since 1970.

        The database's, where hosts share one and the ledger was opened without a clock.
        """
        shared = None if self._has_own_clock else self.database.now_seconds(connection)
        return self.clock.now().timestamp() if shared is None else shared

    def listen(self) -> None:
        """Let the bell ring at what other hosts commit as well, where the database tells of it."""
        self.database.listen(self.bell.ring)

    async def _run_batch(self, steps: Sequence[Step]) -> Sequence[object]:
        return await self.database.run(lambda connection: self._apply(connection, steps))

    def _apply(self, connection: Connection, steps: Sequence[Step]) -> list[object]:
        before = log_store.lock_head(connection, self.scope.ledger)
        self.scope = self._live(connection)
        conditions = Conditions(
            ledger_id=self.ledger_id,
            scope=self.scope,
            now=self.clock.now(),
            shared_sources=self._shared_sources,
            lease_clock=self.lease_now,
        )
        head, results = before, list[object]()
        for step in steps:
            transaction = Transaction(connection, conditions, head=head)
            result = _attempt(connection, transaction, step, is_alone=len(steps) == 1)
            results.append(result)
            if not isinstance(result, Failed):
                head = transaction.head
        if head != before:
            log_store.write_head(connection, self.scope.ledger, head=head)
            tile_store.grow(connection, self.scope.ledger, before=before.size, size=head.size)
            # What leaves no event, such as a claim in vain, would have hosts wake each other.
            self.database.tell_hosts(connection)
        return results


def _attempt(
    connection: Connection, transaction: Transaction, step: Step, *, is_alone: bool
) -> object:
    if is_alone:
        return step(transaction)
    try:
        with connection.begin_nested():
            return step(transaction)
    except DBAPIError as error:
        if is_refusal(error):
            # Nothing of this batch can stand.
            raise
        return Failed(error)
    except Exception as error:  # noqa: BLE001 - handed to the one caller whose step it was
        return Failed(error)
