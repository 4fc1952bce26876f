"""Tiles are kept with every append, and proofs of a huge log read a few of them, not the log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, select
from sqlalchemy.engine import Engine

from ledger.errors import IntegrityError
from ledger.ledger import Ledger
from ledger.log import tile_store
from ledger.log.event import NewEvent
from ledger.log.merkle import (
    CompactRange,
    LeafHashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.log.tile import LOOSE_LEVEL, TILE_WIDTH
from ledger.reference import SourceRef
from ledger.schema.tables import events, tiles
from ledger.testing import ledger_in
from tests.ledger.rows import LEDGER_SCOPE

LEDGER = LEDGER_SCOPE.ledger
MILLIONS = 10_000_000


def new_events(first: int, count: int) -> list[NewEvent]:
    numbers = range(first, first + count)
    return [NewEvent("sis", str(n), "course.removed", SourceRef("course", "C")) for n in numbers]


async def stored(ledger: Ledger) -> list[tuple[int, int, int]]:
    """Return level, number and count of hashes of every tile."""
    statement = select(tiles).order_by(tiles.c.level, tiles.c.number)
    rows = await ledger.read(lambda connection: connection.execute(statement).all())
    return [(row.level, row.number, len(row.hashes) // 32) for row in rows]


async def leaves_of(ledger: Ledger) -> Sequence[bytes]:
    statement = select(events.c.leaf).order_by(events.c.position)
    return await ledger.read(lambda connection: connection.execute(statement).scalars().all())


async def test_each_batch_leaves_its_leaves_until_the_tile_is_complete(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(new_events(0, 200))
        await ledger.append(new_events(200, 55))
        before = await stored(ledger)
        await ledger.append(new_events(255, 3))
        after = await stored(ledger)

    assert before == [(LOOSE_LEVEL, 0, 200), (LOOSE_LEVEL, 200, 55)]
    assert after == [(LOOSE_LEVEL, 256, 2), (0, 0, 256), (1, 0, 1)]


async def test_a_duplicate_leaves_nothing(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(new_events(0, 2))
        await ledger.append(new_events(0, 2))

        assert await stored(ledger) == [(LOOSE_LEVEL, 0, 2)]


async def test_every_proof_of_a_grown_log_comes_out_of_its_tiles(home: Path) -> None:
    async with ledger_in(home) as ledger:
        for first, count in ((0, 300), (300, 500), (800, 1)):
            await ledger.append(new_events(first, count))
        leaves = await leaves_of(ledger)
        size, known = len(leaves), LeafHashes(leaves)

        def compare(connection: Connection) -> None:
            source = tile_store.TileSource(connection, ledger.scope.ledger)
            for index in (0, 1, 255, 256, 511, 512, 767, 768, 800):
                assert inclusion_proof(index, size, source) == inclusion_proof(index, size, known)
            for first in (1, 128, 255, 256, 257, 512, 640, 768, 799, 801):
                mine, theirs = (consistency_proof(first, size, each) for each in (source, known))
                assert mine == theirs

        await ledger.read(compare)


async def test_a_log_from_before_the_tiles_catches_up(home: Path) -> None:
    count = 18 * TILE_WIDTH
    async with ledger_in(home) as ledger:
        await ledger.append(new_events(0, count))
        whole = await stored(ledger)
        await ledger.database.run(lambda connection: connection.execute(delete(tiles)))
        await ledger.append(new_events(count, TILE_WIDTH))
        partly = await stored(ledger)
        await ledger.complete_tiles()
        after = await stored(ledger)

    assert whole == [*((0, number, 256) for number in range(18)), (1, 0, 18)]
    # One transaction makes up for a page only, beside its own tile.
    assert partly == [*((0, number, 256) for number in range(17)), (1, 0, 17)]
    assert after == [*((0, number, 256) for number in range(19)), (1, 0, 19)]


async def test_a_log_without_tiles_still_has_proofs(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(new_events(0, 600))
        await ledger.database.run(lambda connection: connection.execute(delete(tiles)))
        leaves = await leaves_of(ledger)
        proof = await ledger.read(
            lambda c: inclusion_proof(5, 600, tile_store.TileSource(c, ledger.scope.ledger))
        )

    assert proof == inclusion_proof(5, 600, LeafHashes(leaves))


def test_a_leaf_that_is_not_there_is_named(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="event 3 is missing"):
        tile_store.TileSource(connection, LEDGER).subtree(level=0, index=3)


# A log of ten million equal leaves: every subtree of a height is the same, so the tiles that a
# proof needs can be made without the millions of rows that it must not need.


def equal_subtrees(leaf: bytes) -> list[bytes]:
    """Return the subtree over 2**height equal leaves, by height."""
    found = [leaf]
    for _ in range(24):
        found.append(node_hash(found[-1], found[-1]))
    return found


def write_huge_log(connection: Connection, *, near: Sequence[int]) -> CompactRange:
    """Write what is kept of the log above its leaves, and of these only what lies near."""
    same = equal_subtrees(leaf_hash(b"same"))
    counts = {0: MILLIONS // 256, 1: MILLIONS // 256**2}
    rows = [
        {
            "ledger": LEDGER,
            "level": level,
            "number": number,
            "hashes": same[8 * level] * min(256, counts[level - 1] - 256 * number)
            if level
            else same[0] * 256,
            "root": b"",
        }
        for level, numbers in (
            (0, sorted({index // 256 for index in near})),
            (1, range(counts[1] + 1)),
            (2, range(1)),
        )
        for number in numbers
    ]
    connection.execute(tiles.insert(), rows)
    tail = range(MILLIONS - MILLIONS % 256, MILLIONS)
    connection.execute(events.insert(), [an_event(position, same[0]) for position in tail])
    bits = [bit for bit in reversed(range(24)) if MILLIONS >> bit & 1]
    return CompactRange(MILLIONS, tuple(same[bit] for bit in bits))


def an_event(position: int, leaf: bytes) -> dict[str, Any]:
    text = dict.fromkeys(("source", "type", "person"), "x")
    digests = {"envelope": b"", "content_digest": b"", "leaf": leaf}
    row = {"ledger": LEDGER, "position": position, "event_id": str(position), "recorded_at": 0}
    return {**text, **digests, **row, "is_outcome": False}


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect every statement that is sent."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


def test_ten_million_events_are_proven_from_a_few_rows(connection: Connection) -> None:
    index, older = 6_543_210, 7_654_321
    head = write_huge_log(connection, near=[index, older - 1])
    leaf = leaf_hash(b"same")
    first = CompactRange(
        older,
        tuple(equal_subtrees(leaf)[bit] for bit in reversed(range(24)) if older >> bit & 1),
    )

    with statements(connection.engine) as sent:
        source = tile_store.TileSource(connection, LEDGER)
        inclusion = inclusion_proof(index, MILLIONS, source)
        consistency = consistency_proof(older, MILLIONS, source)

    assert verify_inclusion(leaf, index=index, size=MILLIONS, proof=inclusion, root=head.root())
    assert verify_consistency(
        first=older,
        second=MILLIONS,
        first_root=first.root(),
        second_root=head.root(),
        proof=consistency,
    )
    of_events = [statement for statement in sent if "events" in statement]
    # Each is a row of tiles found by its key, but for the one page of leaves at the very end.
    assert len(sent) - len(of_events) <= 8
    assert len(of_events) == 1
    assert root_of([leaf] * 256) == equal_subtrees(leaf)[8]
