"""Erasures that were begun, finished as soon as nothing about the person is in doubt."""

import asyncio
from typing import Final

from sqlalchemy import Connection

from ledger.erasure.steps import records_of
from ledger.erasure.unfinished_worker import BATCH_MAX, finish_together, to_finish
from ledger.ledger import Ledger
from ledger.reference import Position, Scope
from ledger.shield import to_the_end
from ledger.subjects import subject_store
from ledger.subjects.dependant_store import is_in_doubt, open_on
from ledger.subjects.subject_store import Standing, Subject

POLL_SECONDS: Final = 1.0
"""The longest that an erasure begun by another process goes unnoticed."""
GATHER_SECONDS: Final = 0.05


class Erasures:
    """Watches for persons who are being erased, by this host or by another."""

    def __init__(self, ledger: Ledger, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._ledger = ledger
        self._poll_seconds = poll_seconds
        self._last: Position = -1
        self._left: set[str] = set()

    async def work(self) -> None:
        """Finish what can be finished now, then wait for news: the turn of a service."""
        heard = self._ledger.bell.rings
        await self.finish()
        await self._ledger.bell.wait(heard, seconds_max=self._poll_seconds)
        # Each settlement rings, and they come in swarms.
        await asyncio.sleep(GATHER_SECONDS)

    @property
    def left(self) -> frozenset[str]:
        """Who is erased but for what could not be done yet."""
        return frozenset(self._left)

    async def finish(self) -> None:
        """Finish what can be finished now, and forget the keys that another host destroyed."""
        last, begun = await self._ledger.read_folded(self._look)
        await self._look_around(last)
        due = {subject.person for subject in begun} | self._left
        every = sorted(due)
        for start in range(0, len(every), BATCH_MAX):
            batch = every[start : start + BATCH_MAX]
            # Whoever stops the program waits for it: cut in half it would end much later.
            unfinished = await to_the_end(finish_together(self._ledger, batch))
            self._left.difference_update(batch)
            self._left.update(each.person for each in unfinished if not each.in_doubt)
        if due:
            self._ledger.vault.forget_all()

    async def _look_around(self, last: Position) -> None:
        if last > self._last:
            erased = to_finish(self._ledger, {Standing.ERASED})
            # Who erased them may be at it still, or may have had to leave the files to us.
            self._left |= {each.person async for each in erased if each.position > self._last}
            self._ledger.vault.forget_all()
            self._last = last

    def is_due(self, connection: Connection, scope: Scope) -> bool:
        """Tell whether an erasure waits for nothing but to be finished."""
        return bool(self._due(connection, scope))

    def _look(self, connection: Connection, scope: Scope) -> tuple[Position, list[Subject]]:
        return subject_store.last_position(connection, scope), self._due(connection, scope)

    def _due(self, connection: Connection, scope: Scope) -> list[Subject]:
        page = subject_store.page(connection, scope, standings={Standing.ERASING})
        return [each for each in page if not _waits(connection, scope, each)]


def _waits(connection: Connection, scope: Scope, subject: Subject) -> bool:
    records = records_of(connection, scope.ledger, subject.person)
    return any(map(is_in_doubt, open_on(connection, scope, records=records)))
