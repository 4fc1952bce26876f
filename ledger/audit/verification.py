"""What a verification finds, and how the pieces of a log are compared; no reading here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import LedgerError
from ledger.log import envelope
from ledger.log.envelope import Stored
from ledger.log.merkle import HASH_BYTES, CompactRange, leaf_hash, root_of
from ledger.log.tile import LOOSE_LEVEL, Tile, split_hashes
from ledger.reference import Json, Position

HEAD_WRONG: Final = "the head row does not fit the log"
TILE_MISSING: Final = "the tile of the tree that begins here is missing"
TILE_WRONG: Final = "the tile of the tree that begins here cannot be read"
TILE_DIFFERS: Final = "the log does not hold here what its tile was made of"
TILE_STRAY: Final = "a tile stands where the log has none"

Name = tuple[int, int]
"""A tile's level and number."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written, and the first position it concerns."""

    position: Position
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """A tree that was published: the log has had this root at this size."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """How far the log is whole; it is so altogether when `first_bad_position` is `None`."""

    size: int
    root: str
    checked: int
    first_bad_position: Position | None = None
    what: str | None = None
    """What is wrong at the first bad position."""
    checkpoints: tuple[int, ...] = field(default=())
    """The sizes of the published trees that the log was found to continue."""

    def to_json(self) -> dict[str, Json]:
        """Return the verification as `audit verify --json` prints it."""
        return {
            "size": self.size,
            "root": self.root,
            "checked": self.checked,
            "first_bad_position": self.first_bad_position,
            "what": self.what,
            "checkpoints": list(self.checkpoints),
        }


@dataclass(frozen=True, slots=True)
class KeptTile:
    """A tile's row as it is stored, whatever it holds."""

    hashes: bytes
    root: bytes


def first_of(faults: Iterable[Fault | None]) -> Fault | None:
    """Return the fault with the lowest position; of several there, the first."""
    return min((each for each in faults if each), key=lambda each: each.position, default=None)


def check_events(page: Sequence[Stored], *, first: Position) -> tuple[list[bytes], Fault | None]:
    """Return the leaves of the good events, and what is wrong with the one after them."""
    leaves: list[bytes] = []
    for position, stored in enumerate(page, first):
        if stored.position != position:
            return leaves, Fault(position, "the event is missing")
        what = fault_of(stored)
        if what is not None:
            return leaves, Fault(position, what)
        leaves.append(leaf_hash(stored.envelope))
    return leaves, None


def fault_of(stored: Stored) -> str | None:
    """Return what is wrong with a stored event, or `None`."""
    try:
        return envelope.fault(stored)
    except (LedgerError, LookupError, TypeError, ValueError, OverflowError, AttributeError):
        # Bytes that are not even an envelope, or columns of another kind than was written.
        return "the event cannot be read"


def check_tile(computed: Tile, kept: KeptTile | None, *, is_exact: bool) -> Fault | None:
    """Return where a stored tile differs from the computed one.

    The computed one may be the beginning only, where the log is not good or not read any further.
    """
    if kept is None:
        return Fault(computed.position(), TILE_MISSING)
    if not _is_readable(kept):
        return Fault(computed.position(), TILE_WRONG)
    known = split_hashes(kept.hashes)
    for index, (mine, theirs) in enumerate(zip(computed.hashes, known, strict=False)):
        if mine != theirs:
            return Fault(computed.position(index), TILE_DIFFERS)
    length = len(computed.hashes)
    if len(known) < length or (is_exact and len(known) > length):
        return Fault(computed.position(min(len(known), length)), TILE_WRONG)
    return None


def check_loose(
    leaves: Sequence[bytes], rows: Mapping[int, KeptTile], *, first: Position, is_exact: bool
) -> Fault | None:
    """Return where the leaves, of whose tile more is to come, differ from what was kept of them."""
    faults: list[Fault | None] = []
    for number, kept in rows.items():
        begin = number - first
        if begin > len(leaves):
            continue
        # The last good event may lie within the row.
        good = leaves[begin : begin + len(kept.hashes) // HASH_BYTES]
        tile = Tile(LOOSE_LEVEL, number, tuple(good))
        faults.append(check_tile(tile, kept, is_exact=is_exact))
    return first_of(faults)


def check_published(head: Head, computed: CompactRange, *, since: int) -> Fault | None:
    """Return why the log does not continue a published tree, or `None` when it does.

    The tree computed has its size; all before `since` is known to be as another tree had it.
    """
    if computed.root() == head.root:
        return None
    what = f"the log is not what the checkpoint of {head.size} events was made of"
    between = f"it was written otherwise between here and {head.size - 1}"
    return Fault(min(since, head.size - 1), f"{what}: {between}")


def check_length(head: Head, *, size: int) -> Fault | None:
    """Return that a published tree was larger than the log, or `None` when it was not."""
    if head.size <= size:
        return None
    return Fault(
        size, f"the log ends here, but it had {head.size} events when a checkpoint was made"
    )


def check_head(kept: CompactRange, computed: CompactRange) -> Fault | None:
    """Return the first event of the first subtree that is not what the head row keeps of it."""
    begin = 0
    for width, (mine, theirs) in zip(
        _widths(kept.size), zip(kept.hashes, computed.hashes, strict=True), strict=True
    ):
        if mine != theirs:
            what = f"{HEAD_WRONG}: it was written otherwise between here and {begin + width - 1}"
            return Fault(begin, what)
        begin += width
    return None


def _widths(size: int) -> Iterator[int]:
    return (1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1)


def _is_readable(kept: KeptTile) -> bool:
    if not kept.hashes or len(kept.hashes) % HASH_BYTES:
        return False
    return root_of(split_hashes(kept.hashes)) == kept.root
