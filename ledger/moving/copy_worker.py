"""Copies a ledger to an empty place: the same log, the same answers, keys wrapped for that place.

Everything is read in one snapshot and written in pages. A crash leaves a target that is marked as
unfinished; the next copy of the same ledger begins again there, with the events that arrived.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from sqlalchemy import Connection, Table
from sqlalchemy.util import await_only

from ledger.clock import Clock, Entropy
from ledger.database import Database, Server
from ledger.errors import IntegrityError, LedgerBelongsElsewhereError, LedgerBusyError
from ledger.home import LEDGER_NUMBER, Address
from ledger.ledger import Ledger
from ledger.log.merkle import CompactRange
from ledger.moving import row_store, vault_row_store
from ledger.moving.companion_store import carry_companions
from ledger.moving.folder_store import telling_of
from ledger.moving.place_worker import Place
from ledger.moving.row_store import Row
from ledger.reference import Scope
from ledger.schema.tables import events, inbox, leases
from ledger.schema.vault_tables import person_keys
from ledger.vault.live_wrapping_store import LiveWrapping
from ledger.vault.sealed import NONCE_BYTES
from ledger.vault.secret_store import VAULT, load_secrets
from ledger.vault.wrapping import Wrapping

Announce = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied."""

    ledger: str
    size: int
    root: str
    rows: int


def _nobody(_done: int, _total: int) -> None:
    """Announce to nobody."""


async def copy(
    source: Address,
    target: Address,
    *,
    clock: Clock,
    entropy: Entropy,
    announce: Announce = _nobody,
) -> Copied:
    """Move a ledger to an empty place and return what is there now.

    Raises `LedgerBusyError` while a host works on the source, and `LedgerBelongsElsewhereError`
    where the target holds a ledger. `announce` hears how many events of how many are copied.
    """
    _refuse_shared_keys(source, target)
    async with AsyncExitStack() as held:
        ledger = await held.enter_async_context(
            await Ledger.open(source, clock=clock, entropy=entropy)
        )
        await held.enter_async_context(ledger.database.undisturbed())
        await _refuse_at_work(ledger)
        with telling_of("the copy, which the same command begins again,"):
            copied = await copy_quietly(
                ledger, source, target, clock=clock, entropy=entropy, announce=announce
            )
            carry_companions(source.key_file, target.key_file, ledger_id=ledger.ledger_id)
        return copied


async def _refuse_at_work(ledger: Ledger) -> None:
    """Refuse a ledger that hosts share while one of them is in a conversation."""
    database, number = ledger.database, ledger.scope.ledger

    def is_leased(connection: Connection) -> bool:
        now = database.now_seconds(connection)
        return now is not None and row_store.is_leased(connection, number, now=now)

    if await database.read(is_leased):
        message = (
            "a host is working on this ledger: stop every `sync` and `run`; what a dead one had "
            "leased runs out by itself, try again later"
        )
        raise LedgerBusyError(message)


async def copy_quietly(
    ledger: Ledger,
    source: Address,
    target: Address,
    *,
    clock: Clock,
    entropy: Entropy,
    announce: Announce = _nobody,
) -> Copied:
    """Copy what one snapshot of an open ledger holds, whoever works on it meanwhile."""
    row = await ledger.read(row_store.read_ledger)
    assert row is not None, "an open ledger has its row"
    place = await Place.taken(target, ledger=row, entropy=entropy)
    try:
        log = _Rows(place.main, now=clock.now().timestamp(), announce=announce)
        head, generation = await ledger.database.read_waiting(log.copy)
        # After the log, for every key that it counts on was durable before it.
        await _copy_vault(ledger, source, place, entropy=entropy)
        await place.finish(head, generation=generation)
    finally:
        await place.close()
    return Copied(ledger.ledger_id, head.size, head.root().hex(), log.rows)


def _refuse_shared_keys(source: Address, target: Address) -> None:
    if str(source.place) == str(target.place):
        message = "source and target are the same place: name another one with --to"
        raise LedgerBelongsElsewhereError(message)
    are_servers = isinstance(source.place, Server) and isinstance(target.place, Server)
    if are_servers and source.key_file.resolve() == target.key_file.resolve():
        message = (
            "two ledgers on PostgreSQL cannot share one generation file: name another key file "
            "with --to-key-file"
        )
        raise LedgerBelongsElsewhereError(message)


class _Rows:
    """Copies the rows of the main database out of one snapshot."""

    def __init__(self, target: Database, *, now: float, announce: Announce) -> None:
        self._target = target
        self._now = now
        self._announce = announce
        self.rows = 0

    def copy(self, connection: Connection) -> tuple[CompactRange, int]:
        """Copy everything that this transaction sees; the head row comes last, when all is told."""
        row = row_store.read_ledger(connection)
        assert row is not None, "an open ledger has its row"
        scope = Scope(row["ledger"], row["generation"])
        head = row_store.read_head(connection, scope.ledger)
        # Run again after a lost connection, it begins where the events end.
        await_only(self._target.run(lambda c: row_store.clear(c, LEDGER_NUMBER)))
        there = await_only(self._target.run(lambda c: row_store.next_position(c, LEDGER_NUMBER)))
        if there > head.size:
            message = "the target holds more events than the source: empty the target, copy again"
            raise IntegrityError(message)
        self._copy_events(connection, scope, after=there - 1, size=head.size)
        for table in row_store.REPLACEABLE:
            within = row_store.own(table, scope)
            for page in row_store.pages(connection, table, within=within):
                self._write(table, page)
        return head, scope.generation

    def _copy_events(self, connection: Connection, scope: Scope, *, after: int, size: int) -> None:
        within = row_store.own(events, scope)
        for page in row_store.pages(connection, events, within=within, after=[after]):
            self._write(events, page)
            self._announce(page[-1]["position"] + 1, size)

    def _write(self, table: Table, page: list[Row]) -> None:
        for row in page:
            row["ledger"] = LEDGER_NUMBER
            if table is inbox:
                # The target counts its own; the order is what matters.
                del row["number"]
            elif table is leases:
                # Whoever had it does not work at the target: what is leased is in doubt there.
                row["until_seconds"] = min(row["until_seconds"], self._now)
        await_only(self._target.run(lambda connection: connection.execute(table.insert(), page)))
        self.rows += len(page)


async def _copy_vault(ledger: Ledger, source: Address, place: Place, *, entropy: Entropy) -> None:
    """Copy the vault of one snapshot, every key wrapped for the place."""
    cabinet = source.cabinet(entropy)
    await cabinet.refresh()
    number, database = ledger.scope.ledger, ledger.vault.database
    stored = await database.read(lambda connection: load_secrets(connection, number))
    live = LiveWrapping(cabinet, number, vault=stored[VAULT])
    new = await place.live.kept_up(lambda: place.vault.read(place.live.seen_by))

    def nonce() -> bytes:
        return entropy.bytes(NONCE_BYTES)

    def copy_rows(connection: Connection) -> None:
        old = live.seen_by(connection)
        _copy_secrets(connection, number, place, old=old, new=new, nonce=nonce)
        for table, page in vault_row_store.vault_pages(connection, number):
            if table is person_keys:
                vault_row_store.rewrapped(page, old=old, new=new, nonce=nonce)
            _put(place.vault, table, page)

    await live.kept_up(lambda: database.read_waiting(copy_rows))


def _copy_secrets(
    connection: Connection,
    number: int,
    place: Place,
    *,
    old: Wrapping,
    new: Wrapping,
    nonce: Callable[[], bytes],
) -> None:
    values = vault_row_store.open_secrets(connection, number, wrapping=old)

    def begin(target: Connection) -> None:
        vault_row_store.clear_vault(target, LEDGER_NUMBER)
        vault_row_store.put_secrets(target, LEDGER_NUMBER, values=values, wrapping=new, nonce=nonce)

    await_only(place.vault.run(begin))


def _put(vault: Database, table: Table, page: list[Row]) -> None:
    rows = [{**row, "ledger": LEDGER_NUMBER} for row in page]
    await_only(vault.run(lambda connection: connection.execute(table.insert(), rows)))
