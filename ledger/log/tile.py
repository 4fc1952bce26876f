"""Tiles: the hashes of the tree kept 256 in a row, so that a proof need not read the log.

A tile of level 0 holds 256 neighbouring leaves, one of level 1 the roots of 256 neighbouring tiles
of level 0, and so on: the geometry of C2SP's tlog-tiles. A row of a higher level grows with each
tile below it; one of level 0 is written whole. The leaves that fill none yet are kept by the batch
they came in, as rows of the level below all others, and go when their tile is complete.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.log.merkle import HASH_BYTES, root_of

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
LOOSE_LEVEL: Final = -1
"""The level of leaves whose tile is not complete; such a row's number is its first position."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Neighbouring hashes of one level, and where they belong."""

    level: int
    number: int
    hashes: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root over the tile's hashes."""
        return root_of(self.hashes)

    @property
    def is_complete(self) -> bool:
        """Whether no hash can be added."""
        return len(self.hashes) == TILE_WIDTH

    def position(self, index: int = 0) -> int:
        """Return the first of the log's positions that a hash of the tile stands for."""
        if self.level == LOOSE_LEVEL:
            return self.number + index
        return (self.number * TILE_WIDTH + index) << TILE_HEIGHT * self.level


def split_hashes(joined: bytes) -> tuple[bytes, ...]:
    """Return the hashes that were written one behind the other; the last may be cut off."""
    return tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))


def parents(numbers: Sequence[int]) -> list[int]:
    """Return the numbers of the tiles, one level higher, that hold the roots of these."""
    return sorted({number // TILE_WIDTH for number in numbers})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the hashes lie that a complete subtree is computed from."""

    level: int
    number: int
    begin: int
    end: int

    @classmethod
    def of(cls, *, level: int, index: int) -> "Place":
        """Return the place of a subtree named as `merkle` names it."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, begin = divmod(index << height, TILE_WIDTH)
        return cls(tile_level, number, begin, begin + (1 << height))


class Growing:
    """The tiles of a log that is walked from its first leaf, each as soon as it is complete."""

    def __init__(self, *, tiles_max: int) -> None:
        self._rows: list[list[bytes]] = [[]]
        self._numbers = [0]
        self._tiles_max = tiles_max

    def take(self, leaves: Sequence[bytes]) -> Iterator[Tile]:
        """Yield what these leaves complete; roots rise from the first `tiles_max` tiles only."""
        for leaf in leaves:
            yield from self._add(0, leaf)

    def rest(self) -> list[Tile]:
        """Return the tiles that are not complete, lowest first; there may be none."""
        return [self._tile(level) for level, row in enumerate(self._rows) if row]

    def _add(self, level: int, item: bytes) -> Iterator[Tile]:
        if level == len(self._rows):
            self._rows.append([])
            self._numbers.append(0)
        self._rows[level].append(item)
        if len(self._rows[level]) < TILE_WIDTH:
            return
        tile = self._tile(level)
        self._rows[level] = []
        self._numbers[level] += 1
        yield tile
        if level or tile.number < self._tiles_max:
            yield from self._add(level + 1, tile.root)

    def _tile(self, level: int) -> Tile:
        return Tile(level, self._numbers[level], tuple(self._rows[level]))
