"""Erasures that were begun, finished as soon as nothing about the person is in doubt."""

import asyncio
from typing import Final

from sqlalchemy import Connection

from ledger.erasure import records_of
from ledger.ledger import Ledger
from ledger.reference import Position
from ledger.shield import to_the_end
from ledger.subjects import subject_store
from ledger.subjects.dependant_store import is_in_doubt, open_on
from ledger.subjects.subject_store import Standing, Subject
from ledger.unfinished import finish

POLL_SECONDS: Final = 1.0
"""The longest that an erasure begun by another process goes unnoticed."""
GATHER_SECONDS: Final = 0.05


class Erasures:
    """Watches for persons who are being erased, by this host or by another."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._last: Position = -1
        self._left: set[str] = set()

    async def work(self) -> None:
        """Finish what can be finished now, then wait for news: the turn of a service."""
        heard = self._ledger.bell.rings
        await self.finish()
        await self._ledger.bell.wait(heard, seconds_max=POLL_SECONDS)
        # Each settlement rings, and they come in swarms.
        await asyncio.sleep(GATHER_SECONDS)

    async def finish(self) -> None:
        """Finish what can be finished now, and forget the keys that another host destroyed."""
        due = {subject.person for subject in await self._ledger.read(self._due)} | self._left
        for person in sorted(due):
            # Whoever stops the program waits for it: cut in half it would end much later.
            unfinished = await to_the_end(finish(self._ledger, person))
            is_left = unfinished is not None and not unfinished.in_doubt
            (self._left.add if is_left else self._left.discard)(person)
        last = await self._ledger.read(self._last_change)
        if last > self._last:
            self._ledger.vault.forget_all()
            self._last = last

    def is_due(self, connection: Connection) -> bool:
        """Tell whether an erasure waits for nothing but to be finished."""
        return bool(self._due(connection))

    def _due(self, connection: Connection) -> list[Subject]:
        scope = self._ledger.scope
        page = subject_store.page(connection, scope, standings={Standing.ERASING})
        return [each for each in page if not self._waits(connection, each)]

    def _waits(self, connection: Connection, subject: Subject) -> bool:
        records = records_of(connection, self._ledger.scope.ledger, subject.person)
        operations = open_on(connection, self._ledger.scope, records=records)
        return any(map(is_in_doubt, operations))

    def _last_change(self, connection: Connection) -> Position:
        return subject_store.last_position(connection, self._ledger.scope)
