"""What a newcomer does to the operations that its record still has open: the superseding table.

What was never sent may give way; what may have been sent goes first, always (guarantee G3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ledger.outbox.operation import Operation, State
from ledger.reference import Position


class Standing(StrEnum):
    """How far an earlier operation got."""

    UNSENT = "unsent"
    """Blocked, ready, or waiting to retry after a definite answer."""
    POSSIBLY_SENT = "possibly sent"
    """Leased or uncertain, or a request of it has no known answer."""
    DOUBTED = "doubted"
    """Never tried as far as the log goes, but perhaps by the lost part of an older log."""
    STUCK = "stuck"
    """Held or dead, and nothing of it can have arrived."""
    PAST = "past"
    """Done, superseded or discarded."""


class Newcomer(StrEnum):
    """What the new operation wants."""

    STATE = "state"
    """A new state: upserted, or a certificate requested."""
    REMOVAL = "removal"
    """Its removal or revocation."""


class Fate(StrEnum):
    """What becomes of the earlier operation."""

    GIVES_WAY = "gives way"
    """Superseded: the newcomer carries on in its place."""
    GOES_FIRST = "goes first"
    """The newcomer waits for it."""
    IS_PAST = "is past"
    """Whether the newcomer is needed depends on what DokStamp was last told."""


FATES: dict[Standing, dict[Newcomer, Fate]] = {
    Standing.UNSENT: {Newcomer.STATE: Fate.GIVES_WAY, Newcomer.REMOVAL: Fate.GIVES_WAY},
    Standing.POSSIBLY_SENT: {Newcomer.STATE: Fate.GOES_FIRST, Newcomer.REMOVAL: Fate.GOES_FIRST},
    # The latest state finds what was made of an earlier one; a removal needs it found first.
    Standing.DOUBTED: {Newcomer.STATE: Fate.GIVES_WAY, Newcomer.REMOVAL: Fate.GOES_FIRST},
    Standing.STUCK: {Newcomer.STATE: Fate.GIVES_WAY, Newcomer.REMOVAL: Fate.GIVES_WAY},
    Standing.PAST: {Newcomer.STATE: Fate.IS_PAST, Newcomer.REMOVAL: Fate.IS_PAST},
}

STANDINGS: dict[State, Standing] = {
    State.BLOCKED: Standing.UNSENT,
    State.READY: Standing.UNSENT,
    State.LEASED: Standing.POSSIBLY_SENT,
    State.UNCERTAIN: Standing.POSSIBLY_SENT,
    State.HELD: Standing.STUCK,
    State.DEAD: Standing.STUCK,
    State.DONE: Standing.PAST,
    State.SUPERSEDED: Standing.PAST,
    State.DISCARDED: Standing.PAST,
}


@dataclass(frozen=True, slots=True)
class Succession:
    """The record's open operations, seen from the newcomer."""

    gone: tuple[Operation, ...] = ()
    """Those that give way to it."""
    ahead: tuple[Operation, ...] = ()
    """Those that it waits for."""
    keeps_place: bool = True
    """Whether the newcomer stands, among others, where what it supersedes stood."""

    @property
    def place(self) -> Position | None:
        """Where the newcomer stands among others, if not where its cause is."""
        places = [old.stands_at for old in self.gone] if self.keeps_place else []
        return min(places, default=None)


def standing(operation: Operation) -> Standing:
    """Tell how far an operation got."""
    found = STANDINGS[operation.state]
    if not operation.possibly_sent or found in {Standing.PAST, Standing.POSSIBLY_SENT}:
        return found
    return Standing.POSSIBLY_SENT if operation.attempts else Standing.DOUBTED


def succeed(operations: Iterable[Operation], newcomer: Newcomer) -> Succession:
    """Part a record's operations into those that give way and those that go first."""
    fates = [(each, FATES[standing(each)][newcomer]) for each in operations]
    return Succession(
        gone=tuple(each for each, fate in fates if fate is Fate.GIVES_WAY),
        ahead=tuple(each for each, fate in fates if fate is Fate.GOES_FIRST),
    )


def wait_for_all(operations: Iterable[Operation]) -> Succession:
    """Let every open operation of a record go first, unsent or not."""
    return Succession(ahead=tuple(each for each in operations if each.is_open))
