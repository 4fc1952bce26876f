from ledger.log.merkle import LeafHashes, leaf_hash, root_of
from ledger.log.tile import LOOSE_LEVEL, TILE_WIDTH, Growing, Place, Tile, parents, split_hashes

LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(3 * TILE_WIDTH + 5)]


def test_a_tile_s_root_is_the_subtree_over_its_leaves() -> None:
    tile = Tile(0, 2, tuple(LEAVES[2 * TILE_WIDTH : 3 * TILE_WIDTH]))

    assert tile.is_complete
    assert tile.root == LeafHashes(LEAVES).subtree(level=8, index=2)


def test_a_tile_knows_what_its_hashes_stand_for() -> None:
    assert Tile(0, 3, ()).position(4) == 3 * 256 + 4
    assert Tile(1, 3, ()).position(4) == (3 * 256 + 4) * 256
    assert Tile(LOOSE_LEVEL, 1000, ()).position(4) == 1004


def test_a_subtree_lies_in_one_tile() -> None:
    assert Place.of(level=0, index=300) == Place(0, 1, 44, 45)
    assert Place.of(level=7, index=3) == Place(0, 1, 128, 256)
    assert Place.of(level=8, index=300) == Place(1, 1, 44, 45)
    assert Place.of(level=17, index=1) == Place(2, 0, 2, 4)


def test_a_log_that_is_walked_gives_tiles_in_order() -> None:
    growing = Growing(tiles_max=2)

    complete = list(growing.take(LEAVES))

    assert [(tile.level, tile.number) for tile in complete] == [(0, 0), (0, 1), (0, 2)]
    assert [(tile.level, len(tile.hashes)) for tile in growing.rest()] == [(0, 5), (1, 2)]
    assert growing.rest()[1].hashes == (complete[0].root, complete[1].root)


def test_tiles_rise_through_the_levels() -> None:
    growing = Growing(tiles_max=256)

    complete = list(growing.take([LEAVES[0]] * 256 * 256))

    assert (complete[-1].level, complete[-1].number) == (1, 0)
    assert [tile.level for tile in growing.rest()] == [2]
    assert growing.rest()[0].hashes == (root_of([LEAVES[0]] * 256 * 256),)


def test_hashes_are_read_back_as_they_were_joined() -> None:
    assert split_hashes(b"".join(LEAVES[:3])) == tuple(LEAVES[:3])
    assert split_hashes(b"") == ()


def test_a_parent_is_named_once() -> None:
    assert parents([255, 256, 511]) == [0, 1]
