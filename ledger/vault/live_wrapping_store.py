"""The live wrapping as a process knows it, looked for again when another one changed it."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from ledger.errors import LedgerBusyError, MasterKeyError
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.secret_store import hold_name, live_name, share_name
from ledger.vault.wrapping import Wrapping

T = TypeVar("T")
TRIES_MAX: Final = 5
MISSING: Final = (
    "the vault holds no secrets for this ledger: restore the vault that belongs to it; a ledger "
    "that an unreleased version made without them has to be made anew"
)


class _ChangedError(Exception):
    """Tells within a transaction that another wrapping is live than the one at hand."""

    def __init__(self, name: bytes) -> None:
        super().__init__()
        self.name = name


class LiveWrapping:
    """Gives a transaction the wrapping that is live in it, and never another."""

    def __init__(self, cabinet: Cabinet, ledger: int, *, vault: bytes) -> None:
        self._cabinet = cabinet
        self._ledger = ledger
        self._vault = vault
        self._known: Wrapping | None = None

    def seen_by(self, connection: Connection) -> Wrapping:
        """Return the wrapping of what this transaction reads."""
        return self._fitting(live_name(connection, self._ledger))

    def shared_by(self, connection: Connection) -> Wrapping:
        """Return the wrapping for new keys; it stays live until the transaction ends."""
        return self._fitting(share_name(connection, self._ledger))

    def held_by(self, connection: Connection) -> Wrapping:
        """Return the wrapping, which nobody else changes or wraps by until the transaction ends."""
        return self._fitting(hold_name(connection, self._ledger))

    async def kept_up(self, transaction: Callable[[], Awaitable[T]]) -> T:
        """Run a transaction, again with the wrapping that is live by now if need be."""
        tried: bytes | None = None
        for _ in range(TRIES_MAX):
            try:
                return await transaction()
            except _ChangedError as changed:
                await self._cabinet.refresh()
                self._look_for(changed.name, is_again=changed.name == tried)
                tried = changed.name
        raise _restless()

    def kept_up_now(self, transaction: Callable[[], T]) -> T:
        """Do the same where nothing can be waited for."""
        tried: bytes | None = None
        for _ in range(TRIES_MAX):
            try:
                return transaction()
            except _ChangedError as changed:
                self._cabinet.refresh_now()
                self._look_for(changed.name, is_again=changed.name == tried)
                tried = changed.name
        raise _restless()

    def _look_for(self, name: bytes, *, is_again: bool) -> None:
        try:
            self._known = self._cabinet.find(name, vault=self._vault)
        except MasterKeyError:
            # Between our reading and our looking another change may have come to its end; then
            # the next try sees another name. The same name again is a file that does not fit.
            if is_again:
                raise

    def _fitting(self, name: bytes | None) -> Wrapping:
        if name is None:
            raise MasterKeyError(MISSING)
        # Taken once: what is looked at is what is given, whichever thread finds another meanwhile.
        known = self._known
        if known is None or known.name != name:
            raise _ChangedError(name)
        return known


def _restless() -> LedgerBusyError:
    return LedgerBusyError("the vault is being wrapped anew again and again: try again later")
