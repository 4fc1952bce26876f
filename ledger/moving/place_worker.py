"""An empty place made ready to take a ledger, and marked until the whole of it is there."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection

from ledger.clock import Entropy
from ledger.database import Database
from ledger.errors import IntegrityError, LedgerBelongsElsewhereError
from ledger.home import LEDGER_NUMBER, UNFINISHED, Address, close_all
from ledger.log.merkle import CompactRange
from ledger.moving import row_store, vault_row_store
from ledger.moving.row_store import Row
from ledger.schema.migrate import keep_others_out, upgrade, version
from ledger.schema.vault_tables import person_keys, secrets
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.live_wrapping_store import LiveWrapping
from ledger.vault.making_store import make_secrets
from ledger.vault.secret_store import VAULT, load_secrets


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is being copied to: its databases and what opens its vault."""

    main: Database
    vault: Database
    cabinet: Cabinet
    live: LiveWrapping

    @classmethod
    async def taken(cls, address: Address, *, ledger: Row, entropy: Entropy) -> Self:
        """Return a place that is ours: empty until now, or left by an unfinished copy.

        Raises `LedgerBelongsElsewhereError` where a ledger is already.
        """
        main, vault = address.main(), address.vault()
        try:
            await _take(main, vault, ledger=ledger)
            cabinet = address.cabinet(entropy)
            cabinet.make_key_file()
            await make_secrets(
                vault, LEDGER_NUMBER, cabinet=cabinet, entropy=entropy, generations=vault.is_shared
            )
            stored = await vault.read(lambda connection: load_secrets(connection, LEDGER_NUMBER))
        except BaseException:
            await close_all(main, vault)
            raise
        live = LiveWrapping(cabinet, LEDGER_NUMBER, vault=stored[VAULT])
        return cls(main, vault, cabinet, live)

    async def close(self) -> None:
        """Let go of both databases."""
        await close_all(self.main, self.vault)

    async def finish(self, head: CompactRange, *, generation: int) -> None:
        """Count the log again and take the mark away: from now on it is a ledger."""

        def finish(connection: Connection) -> None:
            if row_store.tree(connection, LEDGER_NUMBER) != head:
                message = (
                    "what arrived is not the log that was sent: empty the target, run `audit "
                    "verify` on the source, and copy again"
                )
                raise IntegrityError(message)
            row_store.write_head(connection, LEDGER_NUMBER, head)
            row_store.set_generation(connection, LEDGER_NUMBER, generation=generation)

        await self.main.run(finish)


async def _take(main: Database, vault: Database, *, ledger: Row) -> None:
    is_marked = await main.is_there() and await main.read(_has_tables)
    if not is_marked:
        await _refuse_other_vault(vault)
    await main.run(lambda connection: upgrade(connection, "main"))
    # The mark before anything else: whatever a crash leaves is known by it.
    await main.run(lambda connection: mark(connection, ledger))
    await vault.run(lambda connection: upgrade(connection, "vault"))
    await vault.run(lambda connection: vault_row_store.clear_vault(connection, LEDGER_NUMBER))


def _has_tables(connection: Connection) -> bool:
    is_made = version(connection, "main") is not None
    return is_made and row_store.read_ledger(connection) is not None


async def _refuse_other_vault(vault: Database) -> None:
    def is_used(connection: Connection) -> bool:
        is_made = version(connection, "vault") is not None
        tables = (secrets, person_keys)
        return is_made and any(row_store.has_rows(connection, table) for table in tables)

    if await vault.is_there() and await vault.read(is_used):
        message = (
            "the target has a vault whose ledger is missing: restore that ledger, or name an "
            "empty place"
        )
        raise LedgerBelongsElsewhereError(message)


def mark(connection: Connection, ledger: Row) -> None:
    """Say of a place that this ledger is to come there; again, it changes nothing.

    Raises `LedgerBelongsElsewhereError` where another ledger is, or is to come.
    """
    keep_others_out(connection)
    found = row_store.read_ledger(connection)
    if found is None:
        row = {**ledger, "ledger": LEDGER_NUMBER, "generation": UNFINISHED}
        row_store.begin_ledger(connection, row)
        return
    if found["generation"] != UNFINISHED:
        message = (
            "the target holds a ledger already, which is never written over: name an empty one"
        )
        raise LedgerBelongsElsewhereError(message)
    if found["ledger_id"] != ledger["ledger_id"]:
        message = (
            "the copy of another ledger to this target was not finished: finish that one, or "
            "empty the target"
        )
        raise LedgerBelongsElsewhereError(message)
