"""Is the log what was written? Every leaf and every tile computed again from the stored bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Integer, cast, func, or_, select
from sqlalchemy.exc import DBAPIError

from ledger.audit import verification
from ledger.audit.verification import Fault, Head, KeptTile, Name, Verification, first_of
from ledger.errors import LedgerError
from ledger.log import store as log_store
from ledger.log import tile_store
from ledger.log.envelope import Stored
from ledger.log.merkle import CompactRange
from ledger.log.tile import TILE_WIDTH, Growing, Tile
from ledger.reference import Position, Scope
from ledger.schema.tables import events, heads

T = TypeVar("T")
PAGE_EVENTS: Final = 2 * TILE_WIDTH
"""Whole tiles, so that none is compared in two pieces."""
_UNREADABLE: Final = (DBAPIError, LedgerError, TypeError, ValueError)


class Readable(Protocol):
    """What verifying needs of a ledger."""

    @property
    def scope(self) -> Scope:
        """Whose rows are meant."""

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot."""


@dataclass(frozen=True, slots=True)
class _Stated:
    """What is said of the log before any of it is read."""

    size: int
    """How many events the head row speaks of."""
    range: CompactRange | None
    """`None` where the head row cannot be read."""
    odd: Position | None
    """The first event at a place, or with columns, that no event can have."""
    tiles: int
    """How many tiles of leaves there have to be."""


@dataclass(slots=True)
class _Walk:
    """How far the log has been read, and what was found on the way."""

    stated: _Stated
    published: Sequence[Head]
    computed: CompactRange = field(default_factory=CompactRange)
    faults: list[Fault] = field(default_factory=list)
    checked: list[int] = field(default_factory=list)
    """The sizes at which the log has the published root."""
    tiles_seen: int = 0
    growing: Growing = field(init=False)

    def __post_init__(self) -> None:
        self.growing = Growing(tiles_max=self.stated.tiles)

    def note(self, fault: Fault | None) -> None:
        """Remember a fault, if it is one."""
        if fault is not None:
            self.faults.append(fault)


async def verify(
    ledger: Readable,
    *,
    published: Sequence[Head] = (),
    announce: Callable[[int, int], None] | None = None,
) -> Verification:
    """Return whether every stored byte of the log is what its leaves and root were made of.

    It also has to continue every `published` tree: what was cut off or written anew with great
    care is found by these alone. `announce` hears how many events are checked, of how many, after
    each page.
    """
    number = ledger.scope.ledger
    stated = await ledger.read(lambda connection: _read_stated(connection, number))
    walk = _Walk(stated, sorted(published, key=lambda head: head.size))
    while not walk.faults and walk.computed.size < stated.size:
        await _step(ledger, walk)
        if announce is not None:
            announce(walk.computed.size, stated.size)
    if not walk.faults:
        await _finish(ledger, walk)
    walk.note(_oddity(stated))
    for head in walk.published:
        walk.note(verification.check_length(head, size=stated.size))
    return _verdict(walk)


def _verdict(walk: _Walk) -> Verification:
    found, stated = first_of(walk.faults), walk.stated
    return Verification(
        size=stated.size,
        root=(stated.range or walk.computed).root().hex(),
        checked=min(walk.computed.size, max(0, found.position)) if found else walk.computed.size,
        first_bad_position=found.position if found else None,
        what=found.what if found else None,
        checkpoints=tuple(walk.checked),
    )


async def _step(ledger: Readable, walk: _Walk) -> None:
    """Read and check one page of events with the tiles over them."""
    first, size = walk.computed.size, walk.stated.size
    page, unread = await _page(ledger, after=first - 1, through=size - 1)
    leaves, fault = verification.check_events(page, first=first)
    fault = fault or unread
    if fault is None and len(page) < min(PAGE_EVENTS, size - first):
        fault = Fault(first + len(page), "the event is missing")
    walk.note(fault)
    _extend(walk, leaves)
    complete = list(walk.growing.take(leaves))
    await _compare(ledger, walk, complete, is_exact=True)
    if fault is not None:
        # What was wrong before it, with every event good in itself, only its tile can tell.
        begun = [tile for tile in walk.growing.rest() if tile.level == 0]
        await _compare(ledger, walk, begun, is_exact=False)
    await _compare_loose(ledger, walk, leaves, first=first, is_exact=fault is None)


def _extend(walk: _Walk, leaves: Sequence[bytes]) -> None:
    """Let the computed tree grow by good leaves, past the published trees among them."""
    before = walk.computed
    for head in walk.published:
        if before.size < head.size <= before.size + len(leaves):
            _compare_head(walk, head, before.extend(leaves[: head.size - before.size]))
    walk.computed = before.extend(leaves)


def _compare_head(walk: _Walk, head: Head, computed: CompactRange) -> None:
    since = walk.checked[-1] if walk.checked else 0
    fault = verification.check_published(head, computed, since=since)
    if fault is None:
        walk.checked.append(head.size)
    walk.note(fault)


async def _compare(ledger: Readable, walk: _Walk, tiles: Sequence[Tile], *, is_exact: bool) -> None:
    """Compare computed tiles with those that are kept; where tiles lag behind there are none."""
    due = [tile for tile in tiles if tile.level or tile.number < walk.stated.tiles]
    kept = await _read_kept(ledger, [(tile.level, tile.number) for tile in due])
    for tile in due:
        found = kept.get((tile.level, tile.number))
        if is_exact or found is not None:
            walk.note(verification.check_tile(tile, found, is_exact=is_exact))


async def _compare_loose(
    ledger: Readable, walk: _Walk, leaves: Sequence[bytes], *, first: Position, is_exact: bool
) -> None:
    size, number = walk.stated.size, ledger.scope.ledger
    end = min(size, first + PAGE_EVENTS)
    tiled = size - size % TILE_WIDTH
    if end <= tiled:
        return
    rows = await ledger.read(
        lambda connection: tile_store.read_loose(connection, number, first=tiled, end=end)
    )
    kept = {each: KeptTile(*row) for each, row in rows.items()}
    walk.note(verification.check_loose(leaves, kept, first=first, is_exact=is_exact))


async def _finish(ledger: Readable, walk: _Walk) -> None:
    """Compare what only the end of the log can tell: unfinished tiles, the head, strays."""
    number, stated = ledger.scope.ledger, walk.stated
    if stated.range is None:
        walk.note(Fault(stated.size, verification.HEAD_WRONG))
        return
    walk.note(verification.check_head(stated.range, walk.computed))
    now = await ledger.read(lambda connection: _read_stated(connection, number))
    # A log that grew meanwhile has other tiles at its end by now, and they are right.
    is_still = now.size == stated.size
    rising = [tile for tile in walk.growing.rest() if tile.level]
    await _compare(ledger, walk, rising, is_exact=is_still)
    if is_still and not walk.faults:
        expected = _tiles_expected(stated.tiles)
        found = await ledger.read(lambda c: tile_store.count_rows(c, number, size=stated.size))
        if found != expected and await _is_still(ledger, stated):
            walk.note(Fault(stated.size, verification.TILE_STRAY))


async def _is_still(ledger: Readable, stated: _Stated) -> bool:
    number = ledger.scope.ledger
    return (await ledger.read(lambda c: _read_stated(c, number))).size == stated.size


def _tiles_expected(count: int) -> int:
    """Return how many rows the tiles of leaves and those above them take."""
    rows = count
    while count:
        # One that is not complete counts too.
        rows += -(-count // TILE_WIDTH)
        count //= TILE_WIDTH
    return rows


async def _read_kept(ledger: Readable, names: Sequence[Name]) -> dict[Name, KeptTile]:
    number = ledger.scope.ledger
    try:
        found = await ledger.read(lambda c: tile_store.read_tiles(c, number, names=names))
    except _UNREADABLE:
        return dict.fromkeys(names, KeptTile(b"", b""))
    return {name: KeptTile(*row) for name, row in found.items()}


def _read_stated(connection: Connection, ledger: int) -> _Stated:
    stated = connection.execute(
        select(heads.c.size, heads.c.compact_range).where(heads.c.ledger == ledger)
    ).one_or_none()
    kept = _range(stated.compact_range) if stated is not None else None
    if stated is None or kept is None or stated.size != kept.size:
        mine = events.c.ledger == ledger
        last = connection.execute(select(func.max(events.c.position)).where(mine)).scalar_one()
        size, kept = 0 if last is None else int(last) + 1, None
    else:
        size = kept.size
    return _Stated(
        size,
        kept,
        _odd(connection, ledger, size),
        min(tile_store.count_due(connection, ledger), size // TILE_WIDTH),
    )


def _range(stored: bytes) -> CompactRange | None:
    try:
        return CompactRange.from_bytes(stored)
    except (LedgerError, TypeError, ValueError):
        return None


def _odd(connection: Connection, ledger: int, size: int) -> Position | None:
    # What reading an event would not show: places outside the log, and values that a column is
    # read past.
    half_a_subject = events.c.entity.is_(None) != events.c.source_id.is_(None)
    statement = select(func.min(events.c.position)).where(
        events.c.ledger == ledger,
        or_(
            events.c.position < 0,
            events.c.position >= size,
            half_a_subject,
            cast(events.c.is_outcome, Integer).not_in([0, 1]),
        ),
    )
    found: Position | None = connection.execute(statement).scalar_one()
    return found


def _oddity(stated: _Stated) -> Fault | None:
    if stated.odd is None:
        return None
    if 0 <= stated.odd < stated.size:
        return Fault(stated.odd, "a column holds what no event has there")
    return Fault(stated.odd, "the event stands outside the log")


async def _page(
    ledger: Readable, *, after: Position, through: Position
) -> tuple[list[Stored], Fault | None]:
    try:
        return await ledger.read(_Reading(ledger.scope.ledger, after, through)), None
    except _UNREADABLE:
        return await _one_by_one(ledger, after=after, through=through)


async def _one_by_one(
    ledger: Readable, *, after: Position, through: Position
) -> tuple[list[Stored], Fault | None]:
    """Return the events before the one that the database cannot even hand over."""
    found: list[Stored] = []
    for position in range(after, min(through, after + PAGE_EVENTS)):
        try:
            reading = _Reading(ledger.scope.ledger, position, position + 1)
            found += await ledger.read(reading)
        except _UNREADABLE:
            return found, Fault(position + 1, "the event cannot be read")
    return found, None


class _Reading:
    def __init__(self, ledger: int, after: Position, through: Position) -> None:
        self._ledger = ledger
        self._after = after
        self._through = through

    def __call__(self, connection: Connection) -> list[Stored]:
        return log_store.read_page(
            connection, self._ledger, after=self._after, through=self._through, limit=PAGE_EVENTS
        )
