"""Judges ingest runs: whether one is still being written, and whether it changes too much."""

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.clock import to_microseconds
from ledger.ledger import Ledger
from ledger.reference import Position, Scope
from sync.projector.guard import Tally, mass_change
from sync.projector.run_store import (
    Stretch,
    count_changed,
    count_known,
    moment_of,
    run_times,
    stretch_of,
    window_of,
)

QUIET_SECONDS = 5.0
"""How long after its last event an unfinished ingest run is taken for abandoned."""
WAIT_SECONDS_MAX = 60.0
"""How long a run is waited for at most: what is read late must still be read."""
RUN_SECONDS_MAX = 3600.0
"""How long an unfinished run is taken to last: what is recorded later came by itself."""
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class GuardTerms:
    """How much of an entity one run may change without a person."""

    percent: int = 20
    floor: int = 25


class RunJudge:
    """Knows the stretch that a position lies in, and what the guard says about it."""

    def __init__(self, ledger: Ledger, terms: GuardTerms) -> None:
        self._ledger = ledger
        self._terms = terms
        self._judged: tuple[Stretch, frozenset[str]] | None = None
        self._known: tuple[Position, dict[str, int]] | None = None

    async def stretch_of(self, position: Position) -> Stretch | None:
        """Return the stretch of a position, or `None` while its run is being written."""
        ledger = self._ledger.scope.ledger

        def look(connection: Connection) -> Stretch | None:
            stretch = stretch_of(connection, ledger, position=position)
            if self._is_growing(connection, stretch):
                return None
            if self._is_after(connection, stretch, position):
                return window_of(connection, ledger, position=position)
            return stretch

        return await self._ledger.read(look)

    async def guarded(self, stretch: Stretch) -> frozenset[str]:
        """Return the entities of which a stretch changed too much to be followed by itself."""
        if self._judged is None or self._judged[0] != stretch:
            judged = await self._ledger.read_folded(
                lambda connection, scope: self._judge(connection, scope, stretch)
            )
            self._judged = (stretch, judged)
        return self._judged[1]

    def _is_growing(self, connection: Connection, stretch: Stretch) -> bool:
        if stretch.is_over:
            return False
        began, last = run_times(connection, self._ledger.scope.ledger, stretch=stretch)
        now = to_microseconds(self._ledger.clock.now())
        # Distances, so that a clock that was set back does not make a run last for ever.
        is_recent = abs(now - last) < QUIET_SECONDS * _MICROSECONDS
        return is_recent and abs(now - began) < WAIT_SECONDS_MAX * _MICROSECONDS

    def _is_after(self, connection: Connection, stretch: Stretch, position: Position) -> bool:
        """Tell whether a position lies so far after a run that nobody finished."""
        if stretch.is_over:
            return False
        ledger = self._ledger.scope.ledger
        began = moment_of(connection, ledger, position=stretch.first)
        now = moment_of(connection, ledger, position=position)
        return now - began > RUN_SECONDS_MAX * _MICROSECONDS

    def _judge(self, connection: Connection, scope: Scope, stretch: Stretch) -> frozenset[str]:
        terms = self._terms
        changed = count_changed(connection, scope.ledger, stretch=stretch)
        if not any(count > terms.floor for count in changed.values()):
            return frozenset()
        if self._known is None or self._known[0] != stretch.first:
            known = count_known(connection, scope, before=stretch.first)
            self._known = (stretch.first, known)
        tallies = {
            entity: Tally(self._known[1].get(entity, 0), count) for entity, count in changed.items()
        }
        return mass_change(tallies, percent=terms.percent, floor=terms.floor)
