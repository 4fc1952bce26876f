"""Tiles in SQL: kept by the transaction that appends, read by proofs."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, func, not_, or_, select

from ledger.errors import IntegrityError
from ledger.log import store as log_store
from ledger.log.merkle import node_hash, root_of
from ledger.log.tile import LOOSE_LEVEL, TILE_WIDTH, Place, Tile, parents, split_hashes
from ledger.schema.tables import events, tiles

TILES_MAX: Final = 16
"""How many tiles that are missing one transaction makes up for, beside its own."""
LEVELS_MAX: Final = 8
"""More than a log with positions of eight bytes can have."""

_LEDGER = tiles.c.ledger == bindparam("in_ledger")
_AT_LEVEL = tiles.c.level == bindparam("at_level")
_INSERT = tiles.insert()
_REMOVE = tiles.delete().where(_LEDGER, _AT_LEVEL, tiles.c.number == bindparam("at_number"))
_REMOVE_LOOSE = tiles.delete().where(
    _LEDGER, tiles.c.level == LOOSE_LEVEL, tiles.c.number < bindparam("before")
)
_LAST = select(func.max(tiles.c.number)).where(_LEDGER, _AT_LEVEL)
_HASHES = select(tiles.c.hashes).where(_LEDGER, _AT_LEVEL, tiles.c.number == bindparam("at_number"))
_KEPT = select(tiles.c.level, tiles.c.number, tiles.c.hashes, tiles.c.root).where(_LEDGER)
_ONE = _KEPT.where(_AT_LEVEL, tiles.c.number == bindparam("at_number"))
_LOOSE = _KEPT.where(
    tiles.c.level == LOOSE_LEVEL, tiles.c.number.between(bindparam("first"), bindparam("last"))
)
_COUNT = (
    select(func.count())
    .select_from(tiles)
    .where(
        _LEDGER,
        or_(
            tiles.c.level != LOOSE_LEVEL,
            not_(tiles.c.number.between(bindparam("first"), bindparam("last"))),
        ),
    )
)
_ROOTS = (
    select(tiles.c.root)
    .where(_LEDGER, _AT_LEVEL, tiles.c.number.between(bindparam("first"), bindparam("last")))
    .order_by(tiles.c.number)
)
_LEAVES = (
    select(events.c.leaf)
    .where(
        events.c.ledger == bindparam("in_ledger"),
        events.c.position.between(bindparam("first"), bindparam("last")),
    )
    .order_by(events.c.position)
)


def grow(connection: Connection, ledger: int, *, before: int, size: int) -> None:
    """Keep the leaves of a log that grew to this size: in tiles, as far as they fill some."""
    tiled = size - size % TILE_WIDTH
    if before < tiled:
        own = size // TILE_WIDTH - before // TILE_WIDTH
        complete(connection, ledger, size=size, tiles_max=own + TILES_MAX)
        connection.execute(_REMOVE_LOOSE, {"in_ledger": ledger, "before": tiled})
    first = max(before, tiled)
    loose = _leaves(connection, ledger, first=first, last=size - 1)
    if loose:
        _write(connection, ledger, tile=Tile(LOOSE_LEVEL, first, loose))


def complete(connection: Connection, ledger: int, *, size: int, tiles_max: int = TILES_MAX) -> bool:
    """Write tiles that are complete and missing, in order; returns whether any still is."""
    begin = count(connection, ledger)
    end = min(size // TILE_WIDTH, begin + tiles_max)
    made: list[int] = []
    for number in range(begin, end):
        first = number * TILE_WIDTH
        leaves = _leaves(connection, ledger, first=first, last=first + TILE_WIDTH - 1)
        if len(leaves) != TILE_WIDTH:
            # The log is damaged; to say so is the business of `audit verify`, not of an append.
            break
        _write(connection, ledger, tile=Tile(0, number, leaves))
        made.append(number)
    _raise(connection, ledger, level=1, numbers=parents(made))
    return bool(made) and begin + len(made) < size // TILE_WIDTH


def is_behind(connection: Connection, ledger: int) -> bool:
    """Tell whether the log fills more tiles than there are."""
    size = log_store.read_head(connection, ledger).size
    return count(connection, ledger) < size // TILE_WIDTH


def count(connection: Connection, ledger: int) -> int:
    """Return how many tiles of leaves there are."""
    last = _last(connection, ledger, level=0)
    return 0 if last is None else last + 1


def count_due(connection: Connection, ledger: int) -> int:
    """Return how many tiles of leaves there have to be, also by what stands above them."""
    found, level = count(connection, ledger), 1
    while (last := _last(connection, ledger, level=level)) is not None and level < LEVELS_MAX:
        asked = {"in_ledger": ledger, "at_level": level, "at_number": last}
        kept: bytes = connection.execute(_HASHES, asked).scalar_one()
        below = last * TILE_WIDTH + len(split_hashes(kept))
        found = max(found, below * TILE_WIDTH ** (level - 1))
        level += 1
    return found


def count_rows(connection: Connection, ledger: int, *, size: int) -> int:
    """Return how many tiles there are, without the loose leaves at the end of such a log."""
    asked = {"in_ledger": ledger, "first": size - size % TILE_WIDTH, "last": size - 1}
    return int(connection.execute(_COUNT, asked).scalar_one())


def read_tiles(
    connection: Connection, ledger: int, *, names: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """Return hashes and root, as they are stored, of the tiles of these levels and numbers."""
    found: dict[tuple[int, int], tuple[bytes, bytes]] = {}
    for level, number in names:
        asked = {"in_ledger": ledger, "at_level": level, "at_number": number}
        row = connection.execute(_ONE, asked).one_or_none()
        if row is not None:
            found[level, number] = (row.hashes, row.root)
    return found


def read_loose(
    connection: Connection, ledger: int, *, first: int, end: int
) -> dict[int, tuple[bytes, bytes]]:
    """Return, as they are stored, the leaves of a stretch that fill no tile yet, by batch."""
    asked = {"in_ledger": ledger, "first": first, "last": end - 1}
    return {row.number: (row.hashes, row.root) for row in connection.execute(_LOOSE, asked)}


def _last(connection: Connection, ledger: int, *, level: int) -> int | None:
    asked = {"in_ledger": ledger, "at_level": level}
    last: int | None = connection.execute(_LAST, asked).scalar_one()
    return last


def _raise(connection: Connection, ledger: int, *, level: int, numbers: list[int]) -> None:
    """Write the tiles of a level afresh from the roots below them, then those above."""
    full: list[int] = []
    for number in numbers:
        first = number * TILE_WIDTH
        asked = {"at_level": level - 1, "first": first, "last": first + TILE_WIDTH - 1}
        roots = connection.execute(_ROOTS, {"in_ledger": ledger, **asked}).scalars()
        tile = Tile(level, number, tuple(roots))
        where = {"in_ledger": ledger, "at_level": level, "at_number": number}
        connection.execute(_REMOVE, where)
        _write(connection, ledger, tile=tile)
        if tile.is_complete:
            full.append(number)
    if full:
        _raise(connection, ledger, level=level + 1, numbers=parents(full))


def _write(connection: Connection, ledger: int, *, tile: Tile) -> None:
    row = {"ledger": ledger, "level": tile.level, "number": tile.number}
    connection.execute(_INSERT, {**row, "hashes": b"".join(tile.hashes), "root": tile.root})


def _leaves(connection: Connection, ledger: int, *, first: int, last: int) -> tuple[bytes, ...]:
    asked = {"in_ledger": ledger, "first": first, "last": last}
    return tuple(connection.execute(_LEAVES, asked).scalars())


class TileSource:
    """Subtrees of a log for its proofs: one short row for each level of tiles, each read once.

    Of the log itself it reads no more than the leaves that fill no tile yet. Keep it for one
    transaction only: tiles grow.
    """

    def __init__(self, connection: Connection, ledger: int) -> None:
        self._connection = connection
        self._ledger = ledger
        self._rows: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def subtree(self, *, level: int, index: int) -> bytes:
        """Return the hash over the 2**level leaves from index * 2**level on."""
        place = Place.of(level=level, index=index)
        row = self._row(place.level, place.number)
        if len(row) >= place.end:
            return root_of(row[place.begin : place.end])
        if level == 0:
            message = f"event {index} is missing: run `audit verify`, then restore a backup"
            raise IntegrityError(message, position=index)
        # The tile is not written yet, so the subtree is made of smaller ones.
        left = self.subtree(level=level - 1, index=2 * index)
        return node_hash(left, self.subtree(level=level - 1, index=2 * index + 1))

    def _row(self, level: int, number: int) -> tuple[bytes, ...]:
        if (level, number) not in self._rows:
            self._rows[level, number] = self._read(level, number)
        return self._rows[level, number]

    def _read(self, level: int, number: int) -> tuple[bytes, ...]:
        asked = {"in_ledger": self._ledger, "at_level": level, "at_number": number}
        kept: bytes | None = self._connection.execute(_HASHES, asked).scalar_one_or_none()
        if kept is not None:
            return split_hashes(kept)
        if level:
            return ()
        first = number * TILE_WIDTH
        return _leaves(self._connection, self._ledger, first=first, last=first + TILE_WIDTH - 1)
