"""The Merkle tree of RFC 6962: roots, compact ranges and proofs, as pure arithmetic.

A leaf is always the hash that `leaf_hash` makes of an event's bytes. A complete subtree is
named by its level and its index: it covers the 2**level leaves from index * 2**level on.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.errors import IntegrityError

HASH_BYTES: Final = 32
SIZE_BYTES: Final = 8
EMPTY_ROOT: Final = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the leaf that stands for an entry's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash above two neighbouring subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that must be kept of a tree to append to it: its size and largest subtrees."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        whole = all(len(item) == HASH_BYTES for item in self.hashes)
        if self.size < 0 or len(self.hashes) != self.size.bit_count() or not whole:
            message = "a compact range does not fit its size; rebuild it from the log's leaves"
            raise IntegrityError(message)

    def append(self, leaf: bytes) -> "CompactRange":
        """Return the range with one more leaf at its end."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "CompactRange":
        """Return the range with these leaves, in order, at its end."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            joined = leaf
            # Each trailing one bit of the size is a subtree that the leaf completes.
            for _ in range((~size & (size + 1)).bit_length() - 1):
                joined = node_hash(hashes.pop(), joined)
            hashes.append(joined)
            size += 1
        return CompactRange(size, tuple(hashes))

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return _join(self.hashes)

    def to_bytes(self) -> bytes:
        """Return the size, eight bytes big-endian, and the hashes, largest subtree first."""
        return self.size.to_bytes(SIZE_BYTES) + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "CompactRange":
        """Return the range that `to_bytes` wrote, or refuse bytes that cannot be one."""
        body = stored[SIZE_BYTES:]
        hashes = tuple(body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES))
        return cls(int.from_bytes(stored[:SIZE_BYTES]), hashes)


class SubtreeSource(Protocol):
    """Where proofs read the hashes of complete subtrees from."""

    def subtree(self, *, level: int, index: int) -> bytes:
        """Return the hash over the 2**level leaves from index * 2**level on."""


@dataclass(frozen=True, slots=True)
class LeafHashes:
    """A source that computes each subtree from leaves held in memory."""

    leaves: Sequence[bytes]

    def subtree(self, *, level: int, index: int) -> bytes:
        """Return the hash over the 2**level leaves from index * 2**level on."""
        begin, width = index << level, 1 << level
        row = list(self.leaves[begin : begin + width])
        if len(row) != width:
            message = f"subtree {index} of level {level} is not complete; ask within the size"
            raise ValueError(message)
        for _ in range(level):
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over these leaves."""
    return CompactRange().extend(leaves).root()


def tree_root(size: int, leaf_source: SubtreeSource) -> bytes:
    """Return the root that the tree had when it was of that size."""
    return _range_root(0, size, leaf_source)


def inclusion_proof(index: int, size: int, leaf_source: SubtreeSource) -> tuple[bytes, ...]:
    """Return the audit path of one leaf in the tree of that size, lowest hash first."""
    if not 0 <= index < size:
        message = f"leaf {index} is not in a tree of {size}; ask for a smaller index"
        raise ValueError(message)
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range_root(middle, end, leaf_source))
            end = middle
        else:
            path.append(_range_root(begin, middle, leaf_source))
            begin = middle
    return tuple(reversed(path))


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether the proof puts this leaf at this index under this root."""
    if not 0 <= index < size:
        return False
    node, last, joined = index, size - 1, leaf
    for item in proof:
        if last == 0 or len(item) != HASH_BYTES:
            return False
        node, last, is_right = _climb(node, last)
        joined = node_hash(item, joined) if is_right else node_hash(joined, item)
    return last == 0 and joined == root


def consistency_proof(first: int, second: int, leaf_source: SubtreeSource) -> tuple[bytes, ...]:
    """Return the proof that the tree of the second size extends the one of the first."""
    if not 0 <= first <= second:
        message = f"a tree of {second} cannot extend one of {first}; swap the sizes"
        raise ValueError(message)
    if first == 0:
        return ()
    proof = []
    begin, end = 0, second
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            proof.append(_range_root(middle, end, leaf_source))
            end = middle
        else:
            proof.append(_range_root(begin, middle, leaf_source))
            begin = middle
    # A subtree that begins the tree is the first tree itself: its root is known already.
    if begin:
        proof.append(_range_root(begin, end, leaf_source))
    return tuple(reversed(proof))


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the proof shows that the second tree only appended to the first."""
    if not 0 <= first <= second:
        return False
    if first in (0, second):
        expected = EMPTY_ROOT if first == 0 else second_root
        return not proof and first_root == expected
    return _consistent(first, second, (first_root, second_root), proof)


def _consistent(
    first: int, second: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]
) -> bool:
    """Tell whether both roots come out of a proof between two trees of different size."""
    known = (roots[0],) if first.bit_count() == 1 else ()
    path = (*known, *proof)
    if not path or any(len(item) != HASH_BYTES for item in path):
        return False
    # Start at the largest complete subtree that ends where the first tree ends.
    height = (first & -first).bit_length() - 1
    node, last = (first - 1) >> height, (second - 1) >> height
    older = newer = path[0]
    for item in path[1:]:
        if last == 0:
            return False
        node, last, is_right = _climb(node, last)
        older = node_hash(item, older) if is_right else older
        newer = node_hash(item, newer) if is_right else node_hash(newer, item)
    return last == 0 and (older, newer) == roots


def _climb(node: int, last: int) -> tuple[int, int, bool]:
    """Return node and last one join higher, and whether the node was the right one.

    A last node without a neighbour rises, unchanged, to the level where it has one.
    """
    is_right = bool(node & 1) or node == last
    if is_right:
        height = (node & -node).bit_length() - 1 if node else 0
        node, last = node >> height, last >> height
    return node >> 1, last >> 1, is_right


def _split(width: int) -> int:
    """Return the largest power of two below the width."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(begin: int, end: int, source: SubtreeSource) -> bytes:
    """Return the root over leaves that begin where a subtree of their width may begin."""
    return _join([source.subtree(level=level, index=at) for level, at in _subtrees(begin, end)])


def _subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Name the complete subtrees that make up the range, largest first."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def _join(hashes: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring subtrees, largest first."""
    if not hashes:
        return EMPTY_ROOT
    joined = hashes[-1]
    for item in reversed(hashes[:-1]):
        joined = node_hash(item, joined)
    return joined
