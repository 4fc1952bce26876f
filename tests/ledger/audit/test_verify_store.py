from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, select, text

from ledger.audit.verification import TILE_DIFFERS, Head, Verification
from ledger.audit.verify_store import PAGE_EVENTS, verify
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.log.merkle import CompactRange, leaf_hash
from ledger.reference import Json, SourceRef
from ledger.schema.tables import events, heads
from ledger.testing import ledger_in
from tests.places import disarm

SIZE = 11
COLUMNS = [column.name for column in events.c if column.name not in {"ledger", "position"}]


@pytest.fixture
async def ledger(home: Path) -> AsyncIterator[Ledger]:
    async with ledger_in(home) as opened:
        await fill(opened, SIZE)
        await opened.database.run(disarm)
        yield opened


async def fill(ledger: Ledger, size: int) -> None:
    """Append source and outcome events in turn, with and without subject and private part."""
    sources = [
        NewEvent(
            source="urn:sis",
            id=f"e-{number}",
            type="student.upserted",
            subject=SourceRef("student", f"S-{number}"),
            private={"data": {"name": f"N{number}"}} if number % 3 else None,
            person=f"student:S-{number}",
            sequence=number,
        )
        for number in range(size // 2)
    ]
    await ledger.append(sources)
    for number in range(size - len(sources)):
        public: dict[str, Json] = {"key": str(number), "line": 1, "reasons": []}
        await record(ledger, public)


async def record(ledger: Ledger, public: dict[str, Json]) -> None:
    await ledger.transact(lambda step: step.record("ingest.x", public=public))


async def change(ledger: Ledger, sql: str, **values: object) -> None:
    await ledger.database.run(lambda connection: connection.execute(text(sql), values))


async def cell(ledger: Ledger, position: int, column: str) -> Any:
    statement = text(f"SELECT {column} FROM events WHERE position = :position")
    return await ledger.read(lambda c: c.execute(statement, {"position": position}).scalar_one())


async def put(ledger: Ledger, position: int, column: str, value: object) -> None:
    """Put a value in the place of another; in a file, text need not be any."""
    is_text = isinstance(events.c[column].type, String) and not ledger.database.is_shared
    given = "CAST(:value AS text)" if is_text else ":value"
    update = f"UPDATE events SET {column} = {given} WHERE position = :position"
    await change(ledger, update, value=value, position=position)


def fitting(value: object, column: str, random_byte: int) -> object:
    """Return another value that a server takes for this column, a byte or so away."""
    match value:
        case None:
            kind = events.c[column].type.python_type
            return {int: 1, bytes: b"x"}.get(kind, "x")
        case bool():
            return not value
        case str() if value:
            at = random_byte % len(value)
            return f"{value[:at]}{chr(ord(value[at]) ^ 16)}{value[at + 1 :]}"
    return flipped(value, random_byte)


def flipped(value: object, random_byte: int) -> object:
    """Return the value with one byte changed; what is absent becomes something."""
    match value:
        case None:
            return "x"
        case int():
            return value + 1
        case str() | bytes():
            raw = bytearray(value.encode() if isinstance(value, str) else value)
            if not raw:
                return "x" if isinstance(value, str) else b"x"
            at = random_byte % len(raw)
            raw[at] ^= 1 + random_byte % 255
            return bytes(raw)
    raise AssertionError(value)


async def test_an_untouched_log_is_whole(ledger: Ledger) -> None:
    head = await ledger.head()

    assert await verify(ledger) == Verification(SIZE, head.root().hex(), SIZE)


async def test_an_empty_log_is_whole(home: Path) -> None:
    async with ledger_in(home) as ledger:
        found = await verify(ledger)

    assert (found.size, found.first_bad_position) == (0, None)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("byte", [0, 101])
async def test_a_changed_byte_is_found_where_it_is(ledger: Ledger, column: str, byte: int) -> None:
    for position in (0, SIZE // 2, SIZE - 1):
        value = await cell(ledger, position, column)
        is_file = not ledger.database.is_shared
        other = flipped(value, byte) if is_file else fitting(value, column, byte)
        await put(ledger, position, column, other)
        found = await verify(ledger)
        await put(ledger, position, column, value)

        assert found.first_bad_position == position
        assert found.checked <= position
        assert found.what
    assert (await verify(ledger)).first_bad_position is None


@pytest.mark.parametrize("position", [0, 4, SIZE - 1])
async def test_a_deleted_event_is_missing(ledger: Ledger, position: int) -> None:
    await change(ledger, "DELETE FROM events WHERE position = :position", position=position)

    found = await verify(ledger)

    assert (found.first_bad_position, found.what) == (position, "the event is missing")
    assert found.size == SIZE


async def test_a_log_cut_off_at_its_end_is_missing_the_rest(ledger: Ledger) -> None:
    await change(ledger, "DELETE FROM events WHERE position >= 7")

    assert (await verify(ledger)).first_bad_position == 7


async def test_of_two_swapped_events_the_first_is_named(ledger: Ledger) -> None:
    for old, new in ((2, 100), (8, 2), (100, 8)):
        await change(
            ledger, "UPDATE events SET position = :new WHERE position = :old", old=old, new=new
        )

    found = await verify(ledger)

    # Each is whole in itself: what is kept of the tree tells where it does not belong.
    assert (found.first_bad_position, found.what) == (2, TILE_DIFFERS)


async def test_two_swapped_events_do_not_fit_the_root_where_no_tile_is_left(
    ledger: Ledger,
) -> None:
    await change(ledger, "DELETE FROM tiles")
    for old, new in ((2, 100), (8, 2), (100, 8)):
        await change(
            ledger, "UPDATE events SET position = :new WHERE position = :old", old=old, new=new
        )

    found = await verify(ledger)

    # What is wrong lies within the first tree whose hash the head row keeps.
    assert found.first_bad_position == 0
    assert "between here and 7" in str(found.what)


@pytest.mark.parametrize("position", [-3, SIZE, SIZE + 5])
async def test_an_inserted_event_stands_outside_the_log(ledger: Ledger, position: int) -> None:
    columns = ", ".join(COLUMNS).replace("event_id", "'new'", 1)
    names = ", ".join(COLUMNS)
    insert = (
        f"INSERT INTO events (ledger, position, {names})"
        f" SELECT ledger, :position, {columns} FROM events WHERE position = 3"
    )
    await change(ledger, insert, position=position)

    found = await verify(ledger)

    assert (found.first_bad_position, found.what) == (position, "the event stands outside the log")


async def test_a_forged_event_that_fits_its_leaf_does_not_fit_its_tile(ledger: Ledger) -> None:
    forged = (await cell(ledger, 9, "envelope")).replace(b'"key":"', b'"key":"9')
    await change(
        ledger,
        "UPDATE events SET envelope = :envelope, leaf = :leaf WHERE position = 9",
        envelope=forged,
        leaf=leaf_hash(forged),
    )

    found = await verify(ledger)

    assert (found.first_bad_position, found.what) == (9, TILE_DIFFERS)


@pytest.mark.parametrize("wrong", [b"", b"\x00" * 8, b"\x00" * 41, b"\xff" * 104])
async def test_a_head_row_that_is_wrong_is_bad_itself(ledger: Ledger, wrong: bytes) -> None:
    await change(ledger, "UPDATE heads SET compact_range = :wrong", wrong=wrong)

    assert (await verify(ledger)).first_bad_position is not None


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1])
async def test_a_head_row_with_another_size_is_bad_itself(ledger: Ledger, size: int) -> None:
    await change(ledger, "UPDATE heads SET size = :size", size=size)

    assert (await verify(ledger)).first_bad_position is not None


async def test_a_log_that_was_cut_with_its_head_row_is_whole_but_smaller(ledger: Ledger) -> None:
    """Only a checkpoint kept elsewhere can tell: what is gone left no trace here."""
    leaves = await ledger.read(
        lambda c: (
            c.execute(select(events.c.leaf).order_by(events.c.position).limit(6)).scalars().all()
        )
    )
    kept = CompactRange().extend(leaves)
    before = await ledger.head()
    await change(ledger, "DELETE FROM events WHERE position >= 6")
    await change(ledger, "DELETE FROM tiles WHERE number >= 6")
    await ledger.database.run(
        lambda c: c.execute(heads.update().values(size=6, compact_range=kept.to_bytes()))
    )

    found = await verify(ledger)
    known = await verify(ledger, published=[Head(before.size, before.root())])

    assert (found.size, found.first_bad_position) == (6, None)
    assert (known.size, known.first_bad_position) == (6, 6)
    assert f"it had {SIZE} events" in str(known.what)


async def test_pages_follow_one_another(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await ledger.append(
            [
                NewEvent("urn:sis", str(number), "course.removed", SourceRef("course", "C"))
                for number in range(PAGE_EVENTS + 3)
            ]
        )
        heard: list[tuple[int, int]] = []
        found = await verify(ledger, announce=lambda done, size: heard.append((done, size)))

    assert found.first_bad_position is None
    assert heard == [(PAGE_EVENTS, PAGE_EVENTS + 3), (PAGE_EVENTS + 3, PAGE_EVENTS + 3)]
