"""What changes the vault as a whole: erasing, rotating, and finishing what either left.

Each is one transaction that holds the row of the live wrapping. New keys are durable in the files
before it and old ones leave the files after it, so that at any moment the files open the vault.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.clock import Entropy
from ledger.database import Database
from ledger.errors import LedgerBusyError
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.live_wrapping_store import LiveWrapping
from ledger.vault.person_store import delete_person
from ledger.vault.rewrap_store import rewrap_all
from ledger.vault.sealed import KEY_BYTES, NONCE_BYTES, MasterKey
from ledger.vault.secret_store import commit_through
from ledger.vault.wrapping import DERIVED, Wrapping


class Upkeep:
    """Erases, rotates and settles one ledger's part of a vault."""

    def __init__(
        self,
        database: Database,
        *,
        ledger: int,
        name: bytes,
        cabinet: Cabinet,
        live: LiveWrapping,
        entropy: Entropy,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._name = name
        self._cabinet = cabinet
        self._live = live
        self._entropy = entropy

    async def settle(self) -> None:
        """Leave in the files what is live and nothing else."""
        live = await self._live.kept_up(lambda: self._database.read(self._live.seen_by))
        if self._cabinet.is_settled(live, vault=self._name):
            return
        # The files must not run ahead of a commit that a power cut could still undo.
        await self._database.make_durable()

        def settle(connection: Connection) -> None:
            self._cabinet.settle(self._live.held_by(connection), vault=self._name)

        await self._live.kept_up(lambda: self._database.run(settle))

    async def erase(self, persons: Sequence[str], *, documents: Sequence[bytes]) -> None:
        """Destroy keys and documents, and the wrapping key where copies of them may survive."""

        def erase(connection: Connection) -> None:
            commit_through(connection)
            old = self._live.held_by(connection)
            count = delete_person(connection, self._ledger, persons=persons, named=documents)
            if count and old.generation != DERIVED:
                new = Wrapping(old.generation + 1, self._entropy.bytes(KEY_BYTES))
                self._cabinet.prepare(new, beside=[old], vault=self._name)
                self._wrap_anew(connection, old, new)

        await self._live.kept_up(lambda: self._database.run(erase))

    async def rotate(self, master: MasterKey) -> int:
        """Wrap everything by another master key and return how many keys that were."""

        def rotate(connection: Connection) -> int:
            commit_through(connection)
            old = self._live.held_by(connection)
            if not self._cabinet.is_settled(old, vault=self._name):
                message = "another rotation is under way: try again once it is over"
                raise LedgerBusyError(message)
            self._cabinet.stage(master)
            if old.generation != DERIVED:
                self._cabinet.reseal(master, vault=self._name)
                return 0
            return self._wrap_anew(connection, old, Wrapping.of_master(master))

        await self.settle()
        return await self._live.kept_up(lambda: self._database.run(rotate))

    def _wrap_anew(self, connection: Connection, old: Wrapping, new: Wrapping) -> int:
        return rewrap_all(connection, self._ledger, old=old, new=new, nonce=self._nonce)

    def _nonce(self) -> bytes:
        return self._entropy.bytes(NONCE_BYTES)
