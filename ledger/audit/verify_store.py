"""Is the log what was written? Every leaf computed again from the stored bytes, page by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Integer, cast, func, or_, select
from sqlalchemy.exc import DBAPIError

from ledger.errors import LedgerError
from ledger.log import envelope
from ledger.log import store as log_store
from ledger.log.envelope import Stored
from ledger.log.merkle import CompactRange, leaf_hash
from ledger.reference import Json, Position, Scope
from ledger.schema.tables import events, heads

T = TypeVar("T")
PAGE_EVENTS: Final = 500
_HEAD_WRONG: Final = "the head row does not fit the log"


class Readable(Protocol):
    """What verifying needs of a ledger."""

    @property
    def scope(self) -> Scope:
        """Whose rows are meant."""

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How far the log is whole; it is so altogether when `first_bad_position` is `None`."""

    size: int
    root: str
    checked: int
    first_bad_position: Position | None = None
    what: str | None = None
    """What is wrong at the first bad position."""

    def to_json(self) -> dict[str, Json]:
        """Return the verification as `audit verify --json` prints it."""
        return {
            "size": self.size,
            "root": self.root,
            "checked": self.checked,
            "first_bad_position": self.first_bad_position,
        }


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    """How many events the head row speaks of."""
    range: CompactRange | None
    """`None` where the head row cannot be read."""
    odd: Position | None
    """The first event at a place, or with columns, that no event can have."""


@dataclass(frozen=True, slots=True)
class _Fault:
    position: Position
    what: str


async def verify(
    ledger: Readable, *, announce: Callable[[int, int], None] | None = None
) -> Verification:
    """Return whether every stored byte of the log is what its leaves and root were made of.

    `announce` hears how many events are checked, of how many, after each page.
    """
    number = ledger.scope.ledger
    head = await ledger.read(lambda connection: _read_head(connection, number))
    computed, fault = CompactRange(), None
    while fault is None and computed.size < head.size:
        page, fault = await _page(ledger, after=computed.size - 1, through=head.size - 1)
        good, found = _check(page, first=computed.size)
        computed, fault = computed.extend(good), found or fault
        if not page and fault is None:
            fault = _Fault(computed.size, "the event is missing")
        if announce is not None:
            announce(computed.size, head.size)
    found = _first(fault, _oddity(head), None if fault else _head_fault(head, computed))
    return Verification(
        size=head.size,
        root=(head.range or computed).root().hex(),
        checked=min(computed.size, max(0, found.position)) if found else computed.size,
        first_bad_position=found.position if found else None,
        what=found.what if found else None,
    )


def _first(*faults: _Fault | None) -> _Fault | None:
    found = [fault for fault in faults if fault is not None]
    return min(found, key=lambda fault: fault.position, default=None)


def _read_head(connection: Connection, ledger: int) -> _Head:
    stated = connection.execute(
        select(heads.c.size, heads.c.compact_range).where(heads.c.ledger == ledger)
    ).one_or_none()
    mine = events.c.ledger == ledger
    last = connection.execute(select(func.max(events.c.position)).where(mine)).scalar_one()
    size = 0 if last is None else int(last) + 1
    kept = _range(stated.compact_range) if stated is not None else None
    if stated is None or kept is None or stated.size != kept.size:
        return _Head(size, None, _odd(connection, ledger, size))
    return _Head(kept.size, kept, _odd(connection, ledger, kept.size))


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


def _oddity(head: _Head) -> _Fault | None:
    if head.odd is None:
        return None
    if 0 <= head.odd < head.size:
        return _Fault(head.odd, "a column holds what no event has there")
    return _Fault(head.odd, "the event stands outside the log")


def _head_fault(head: _Head, computed: CompactRange) -> _Fault | None:
    """Return the first event of the first subtree that is not what the head row keeps of it."""
    if head.range is None:
        return _Fault(head.size, _HEAD_WRONG)
    begin = 0
    for number, (kept, found) in enumerate(zip(head.range.hashes, computed.hashes, strict=True)):
        width = _widths(head.size)[number]
        if kept != found:
            what = f"{_HEAD_WRONG}: it was written otherwise between here and {begin + width - 1}"
            return _Fault(begin, what)
        begin += width
    return None


def _widths(size: int) -> list[int]:
    return [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]


async def _page(
    ledger: Readable, *, after: Position, through: Position
) -> tuple[list[Stored], _Fault | None]:
    try:
        return await ledger.read(_Reading(ledger.scope.ledger, after, through)), None
    except (DBAPIError, LedgerError, TypeError, ValueError):
        return await _one_by_one(ledger, after=after, through=through)


async def _one_by_one(
    ledger: Readable, *, after: Position, through: Position
) -> tuple[list[Stored], _Fault | None]:
    """Return the events before the one that the database cannot even hand over."""
    found: list[Stored] = []
    for position in range(after, min(through, after + PAGE_EVENTS)):
        try:
            reading = _Reading(ledger.scope.ledger, position, position + 1)
            found += await ledger.read(reading)
        except (DBAPIError, LedgerError, TypeError, ValueError):
            return found, _Fault(position + 1, "the event cannot be read")
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


def _check(page: Sequence[Stored], *, first: Position) -> tuple[list[bytes], _Fault | None]:
    """Return the leaves of the good events, and what is wrong with the one after them."""
    leaves: list[bytes] = []
    for position, stored in enumerate(page, first):
        if stored.position != position:
            return leaves, _Fault(position, "the event is missing")
        what = _fault_of(stored)
        if what is not None:
            return leaves, _Fault(position, what)
        leaves.append(leaf_hash(stored.envelope))
    return leaves, None


def _fault_of(stored: Stored) -> str | None:
    try:
        return envelope.fault(stored)
    except (LedgerError, LookupError, TypeError, ValueError, OverflowError, AttributeError):
        # Bytes that are not even an envelope, or columns of another kind than was written.
        return "the event cannot be read"
