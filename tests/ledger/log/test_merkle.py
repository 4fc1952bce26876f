import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import IntegrityError
from ledger.log.merkle import (
    EMPTY_ROOT,
    CompactRange,
    LeafHashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

TRANSPARENCY_LOG = Path(__file__).parents[3] / ".." / "shared" / "data" / "tlog"

# The inputs that implementations of RFC 6962 share, and their published roots.
KNOWN_INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN_LEAVES = [leaf_hash(bytes.fromhex(text)) for text in KNOWN_INPUTS]

LEAVES = st.lists(st.binary(max_size=4).map(leaf_hash), max_size=70)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    joined = b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])
    return hashlib.sha256(joined).digest()


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def damaged(proof: Sequence[bytes], bit: int) -> tuple[bytes, ...]:
    whole = flipped(b"".join(proof), bit)
    return tuple(whole[at : at + 32] for at in range(0, len(whole), 32))


@pytest.mark.parametrize("size", range(9))
def test_known_inputs_give_the_published_roots(size: int) -> None:
    root = root_of(KNOWN_LEAVES[:size])

    assert root.hex() == KNOWN_ROOTS[size]
    assert root == naive_root(KNOWN_LEAVES[:size])


@pytest.mark.parametrize("size", range(9))
def test_a_tree_s_earlier_roots_come_out_of_its_subtrees(size: int) -> None:
    assert tree_root(size, LeafHashes(KNOWN_LEAVES)).hex() == KNOWN_ROOTS[size]


def test_the_published_inclusion_proof_is_made() -> None:
    path = inclusion_proof(5, 8, LeafHashes(KNOWN_LEAVES))

    assert [item.hex() for item in path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_the_published_consistency_proof_is_made() -> None:
    proof = consistency_proof(6, 8, LeafHashes(KNOWN_LEAVES))

    assert [item.hex() for item in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.skipif(not TRANSPARENCY_LOG.exists(), reason="the sample log is not here")
@pytest.mark.parametrize("size", range(16))
def test_the_sample_log_has_the_roots_of_its_checkpoints(size: int) -> None:
    entries = sample_entries(size)
    root_line = (TRANSPARENCY_LOG / f"checkpoint.{size}").read_text("utf-8").splitlines()[2]

    leaves = [leaf_hash(entry) for entry in entries]

    assert len(entries) == size
    assert b"".join(leaves) == sample_file("tile/0/000.p", size)
    assert root_of(leaves) == base64.b64decode(root_line)


def sample_entries(size: int) -> list[bytes]:
    data, entries = sample_file("tile/entries/000.p", size), []
    while data:
        length = 2 + int.from_bytes(data[:2])
        entries.append(data[2:length])
        data = data[length:]
    return entries


def sample_file(folder: str, size: int) -> bytes:
    return (TRANSPARENCY_LOG / folder / str(size)).read_bytes() if size else b""


@given(LEAVES, st.integers(0, 70))
def test_a_compact_range_has_the_root_of_the_naive_tree(leaves: list[bytes], cut: int) -> None:
    begun = CompactRange().extend(leaves[:cut])
    for leaf in leaves[cut:]:
        begun = begun.append(leaf)

    assert begun == CompactRange().extend(leaves)
    assert begun.size == len(leaves)
    assert begun.root() == naive_root(leaves)


@given(LEAVES)
def test_a_compact_range_survives_storage(leaves: list[bytes]) -> None:
    kept = CompactRange().extend(leaves)

    assert CompactRange.from_bytes(kept.to_bytes()) == kept


@pytest.mark.parametrize(
    "stored",
    [
        (3).to_bytes(8) + bytes(32),
        (3).to_bytes(8) + bytes(63),
        bytes(8) + bytes(32),
        (1).to_bytes(8) + bytes(33),
    ],
)
def test_bytes_that_do_not_fit_their_size_are_refused(stored: bytes) -> None:
    with pytest.raises(IntegrityError, match="rebuild it from the log"):
        CompactRange.from_bytes(stored)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert CompactRange().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    assert CompactRange.from_bytes(CompactRange().to_bytes()) == CompactRange()


@given(st.integers(1, 70), st.data())
def test_every_inclusion_proof_verifies_and_no_changed_one_does(
    size: int, data: st.DataObject
) -> None:
    leaves = [leaf_hash(bytes([at])) for at in range(size)]
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 2**16))
    root = root_of(leaves)
    proof = inclusion_proof(index, size, LeafHashes(leaves))

    def holds(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
        return verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)

    assert holds(leaves[index], index, size, proof, root)
    assert not holds(flipped(leaves[index], bit), index, size, proof, root)
    assert not holds(leaves[index], index, size, proof, flipped(root, bit))
    assert not holds(leaves[index], index, size, (*proof, bytes(32)), root)
    assert not holds(leaves[index], index, size, (*proof, b""), root)
    assert not holds(leaves[index], size, size, proof, root)
    assert not holds(leaves[index], -1, size, proof, root)
    if proof:
        assert not holds(leaves[index], index, size, damaged(proof, bit), root)
        assert not holds(leaves[index], index, size, proof[:-1], root)
        assert not holds(leaves[index - 1], index, size, proof, root)


@settings(max_examples=200)
@given(st.integers(0, 70), st.integers(0, 70), st.integers(0, 2**16))
def test_every_consistency_proof_verifies_and_no_changed_one_does(
    one: int, other: int, bit: int
) -> None:
    first, second = sorted((one, other))
    leaves = [leaf_hash(bytes([at])) for at in range(second)]
    roots = root_of(leaves[:first]), root_of(leaves)
    proof = consistency_proof(first, second, LeafHashes(leaves))

    def holds(older: bytes, newer: bytes, proof: Sequence[bytes]) -> bool:
        return verify_consistency(
            first=first, second=second, first_root=older, second_root=newer, proof=proof
        )

    assert holds(*roots, proof)
    assert not holds(flipped(roots[0], bit), roots[1], proof)
    assert not holds(*roots, (*proof, bytes(32)))
    if first:
        assert not holds(roots[0], flipped(roots[1], bit), proof)
    if proof:
        assert not holds(*roots, damaged(proof, bit))
        assert not holds(*roots, proof[:-1])
        assert not holds(*roots, proof[1:])
        assert not holds(*roots, ())


def test_all_proofs_of_small_trees_verify() -> None:
    leaves = [leaf_hash(bytes([at])) for at in range(34)]
    source = LeafHashes(leaves)
    roots = [root_of(leaves[:size]) for size in range(35)]

    for second in range(35):
        for first in range(second + 1):
            proof = consistency_proof(first, second, source)
            assert verify_consistency(
                first=first,
                second=second,
                first_root=roots[first],
                second_root=roots[second],
                proof=proof,
            )


def test_a_proof_does_not_hold_for_a_larger_size_than_its_own() -> None:
    source = LeafHashes(KNOWN_LEAVES)
    roots = [root_of(KNOWN_LEAVES[:size]) for size in range(9)]

    inclusion = inclusion_proof(0, 4, source)
    consistency = consistency_proof(2, 4, source)

    assert not verify_inclusion(KNOWN_LEAVES[0], index=0, size=8, proof=inclusion, root=roots[4])
    assert not verify_consistency(
        first=2, second=8, first_root=roots[2], second_root=roots[4], proof=consistency
    )


def test_hashes_cut_at_another_place_prove_nothing() -> None:
    pair = KNOWN_LEAVES[0] + KNOWN_LEAVES[1]
    root = root_of(KNOWN_LEAVES[:2])

    assert not verify_inclusion(b"", index=1, size=2, proof=(pair,), root=root)
    assert not verify_inclusion(pair, index=0, size=2, proof=(b"",), root=root)


def test_a_tree_never_extends_a_larger_one() -> None:
    root = root_of(KNOWN_LEAVES)

    assert not verify_consistency(first=8, second=7, first_root=root, second_root=root, proof=())
    with pytest.raises(ValueError, match="swap the sizes"):
        consistency_proof(8, 7, LeafHashes(KNOWN_LEAVES))


def test_proofs_outside_the_tree_are_refused() -> None:
    with pytest.raises(ValueError, match="smaller index"):
        inclusion_proof(8, 8, LeafHashes(KNOWN_LEAVES))
    with pytest.raises(ValueError, match="not complete"):
        LeafHashes(KNOWN_LEAVES).subtree(level=3, index=1)


def test_leaves_and_nodes_never_hash_alike() -> None:
    left, right = KNOWN_LEAVES[:2]

    assert leaf_hash(left + right) != node_hash(left, right)
