"""What a ledger holds, seen without any of its own code: plain rows, and arithmetic of our own.

The tree is RFC 6962's, written here a second time on purpose.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.sync.system.killing.homes import Home

_EVENTS = (
    "SELECT position, source, event_id, type, is_outcome, envelope, sealed, leaf FROM events"
    " ORDER BY position"
)
_HEAD = "SELECT size, compact_range FROM heads"
# A late look at what was made in doubt is owed to nobody who did not die, and comes much later.
_OPERATIONS = (
    "SELECT entity, source_id, kind, state FROM operations"
    " WHERE generation = (SELECT generation FROM ledgers) AND kind <> 'recheck'"
)
_BINDINGS = (
    "SELECT entity, source_id, state, target_key FROM bindings"
    " WHERE generation = (SELECT generation FROM ledgers)"
)
_GENERATIONS = "SELECT DISTINCT generation FROM operations"
_LIVE = "SELECT generation FROM ledgers"
_LEASES = "SELECT lane FROM leases WHERE host <> ''"
_INBOX = "SELECT number FROM inbox"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    position: int
    name: tuple[str, str]
    type: str
    is_outcome: bool
    envelope: bytes
    sealed: bytes | None
    leaf: bytes

    @property
    def public(self) -> dict[str, Any]:
        """What the event says in the clear."""
        found: dict[str, Any] = json.loads(self.envelope).get("public", {})
        return found


@dataclass(frozen=True, slots=True)
class Sight:
    """A ledger as it lies on the disk."""

    log: tuple[Entry, ...]
    size: int
    compact_range: bytes
    operations: Counter[tuple[str, str, str, str]]
    bindings: dict[tuple[str, str], tuple[str, str]]
    """State and target by record."""
    generations: frozenset[int]
    live: int
    leases: int
    inbox: int

    @property
    def root(self) -> bytes:
        """The root of the tree, from the bytes of every envelope."""
        return root_of([entry.envelope for entry in self.log])

    @property
    def names(self) -> list[tuple[str, str]]:
        """Source and id of every event that came from outside."""
        return [entry.name for entry in self.log if not entry.is_outcome]

    def outcomes(self, event_type: str) -> list[dict[str, Any]]:
        """Return the public parts of the outcome events of a type."""
        return [entry.public for entry in self.log if entry.type == event_type]


NOTHING = Sight(
    log=(),
    size=0,
    compact_range=b"",
    operations=Counter(),
    bindings={},
    generations=frozenset(),
    live=0,
    leases=0,
    inbox=0,
)
"""Where there is no ledger."""


def look(home: Home) -> Sight:
    """Return everything that is to be checked, as it stands now."""
    rows = home.rows(_EVENTS)
    [(size, compact_range)] = home.rows(_HEAD)
    return Sight(
        log=tuple(_entry(row) for row in rows),
        size=size,
        compact_range=bytes(compact_range),
        operations=Counter(tuple(row) for row in home.rows(_OPERATIONS)),
        bindings={(row[0], row[1]): (row[2], row[3]) for row in home.rows(_BINDINGS)},
        generations=frozenset(row[0] for row in home.rows(_GENERATIONS)),
        live=home.rows(_LIVE)[0][0],
        leases=len(home.rows(_LEASES)),
        inbox=len(home.rows(_INBOX)),
    )


def _entry(row: Sequence[Any]) -> Entry:
    position, source, event_id, event_type, is_outcome, envelope, sealed, leaf = row
    stored = None if sealed is None else bytes(sealed)
    name = (source, event_id)
    outcome = bool(is_outcome)
    return Entry(position, name, event_type, outcome, bytes(envelope), stored, bytes(leaf))


def log_faults(sight: Sight) -> Iterator[str]:
    """Tell what does not hold of the log by itself: places, names, leaves, seals, the root."""
    if [entry.position for entry in sight.log] != list(range(len(sight.log))):
        yield "G1: the positions are not dense"
    if sight.size != len(sight.log):
        yield f"G1: the head counts {sight.size} events, the log has {len(sight.log)}"
    again = [name for name, count in Counter(e.name for e in sight.log).items() if count > 1]
    yield from (f"G2: {event_id} is in the log twice" for _, event_id in again)
    for entry in sight.log:
        if leaf_of(entry.envelope) != entry.leaf:
            yield f"G11: leaf {entry.position} is not its envelope's"
        seal = json.loads(entry.envelope).get("sealed_hash")
        if entry.sealed is not None and hashlib.sha256(entry.sealed).hexdigest() != seal:
            yield f"G11: what is sealed of event {entry.position} is not what was hashed"
    if _root_of_range(sight.compact_range) != sight.root:
        yield "G11: the root of the head is not the log's"


def growth_faults(before: Sight, after: Sight) -> Iterator[str]:
    """Tell whether a log is not what it was before, with more at its end."""
    kept = after.log[: len(before.log)]
    if root_of([entry.envelope for entry in kept]) != before.root:
        yield "G11: the log does not extend the one from before"
    if [entry.sealed for entry in kept] != [entry.sealed for entry in before.log]:
        yield "G1: what was sealed before is another now"


def leaf_of(envelope: bytes) -> bytes:
    """Return a leaf as RFC 6962 says: the hash of a zero and the entry."""
    return hashlib.sha256(b"\x00" + envelope).digest()


def root_of(entries: Sequence[bytes]) -> bytes:
    """Return a root as RFC 6962 defines it, by halves at the largest power of two."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return leaf_of(entries[0])
    split = 1
    while split * 2 < len(entries):
        split *= 2
    left, right = root_of(entries[:split]), root_of(entries[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root_of_range(stored: bytes) -> bytes:
    hashes = [stored[at : at + 32] for at in range(8, len(stored), 32)]
    if not hashes:
        return hashlib.sha256().digest()
    joined = hashes.pop()
    while hashes:
        joined = hashlib.sha256(b"\x01" + hashes.pop() + joined).digest()
    return joined
