"""Opens gates in bounded pages, and sweeps all of them now and then."""

from typing import Final

from ledger.ledger import Ledger
from ledger.outbox import gate_store
from ledger.transaction import Transaction

PAGE_GATES_MAX: Final = 500
PAGES_MAX: Final = 10_000


class Opener:
    """Makes operations ready whose last gate opened."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def open_woken(self) -> int:
        """Work off every wake and return how many pages that took."""
        for page in range(PAGES_MAX):
            if not await self._has_wakes():
                return page
            await self._ledger.transact(self._open_page)
        return PAGES_MAX

    async def sweep(self) -> None:
        """Evaluate every closed gate afresh, so that no lost wake delays anything for long."""
        place: gate_store.Place | None = gate_store.START
        while place is not None:
            place = await self._ledger.transact(_Sweep(place))

    def _open_page(self, step: Transaction) -> bool:
        # What becomes ready is no event, so nobody else tells other hosts of it.
        self._ledger.database.tell_hosts(step.connection)
        return gate_store.open_page(step.connection, step.scope, limit=PAGE_GATES_MAX)

    async def _has_wakes(self) -> bool:
        return await self._ledger.read_folded(gate_store.has_wakes)


class _Sweep:
    def __init__(self, place: gate_store.Place) -> None:
        self._place = place

    def __call__(self, transaction: Transaction) -> gate_store.Place | None:
        return gate_store.sweep_page(
            transaction.connection,
            transaction.scope,
            after=self._place,
            limit=PAGE_GATES_MAX,
        )
