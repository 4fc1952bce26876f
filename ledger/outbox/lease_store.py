"""Who works in which lane, until when: leases in SQL, and the choice of what to work on next.

A row stands for a lane in which a conversation is going on, or in which an operation is in doubt;
while it stands nobody starts anything new in that lane. Epochs only rise, so that a worker which
lost its lane without noticing cannot settle in it any more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import IntegrityError as RowExistsError

from ledger.errors import LedgerBusyError
from ledger.outbox.operation import POSSIBLY_SENT, Operation, Priority, State
from ledger.outbox.operation_row import as_operation
from ledger.outbox.store import within
from ledger.outbox.turns import take_turns
from ledger.reference import Scope
from ledger.schema.tables import epochs, leases, operations

NOBODY = ""


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """How much to claim, for whom and until when."""

    host: str
    now: float
    until: float
    lanes_max: int
    group_max: int
    settle_seconds: float
    """How long after a dead owner's lease a late effect of its requests is waited for."""
    may_group: Callable[[Operation], bool] = field(repr=False)
    """Whether one conversation may carry several such operations of a lane."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Operations that one conversation may work on."""

    epoch: int
    operations: tuple[Operation, ...]


def claim(connection: Connection, scope: Scope, *, terms: ClaimTerms) -> list[Claimed]:
    """Take the lanes of the most urgent work, in doubt first, and return that work."""
    epoch = _last_epoch(connection, scope) + 1
    taken: set[str] = set()
    claimed: list[Claimed] = []
    for candidate in _candidates(connection, scope, terms=terms, turn=epoch):
        if len(claimed) >= terms.lanes_max:
            break
        if taken.isdisjoint(candidate.lanes):
            group = _grouped(connection, scope, first=candidate, terms=terms)
            taken.update(candidate.lanes)
            claimed.append(Claimed(epoch, group))
    # Looking for work in vain writes nothing, so that idle polling costs no disk.
    if claimed:
        _write_epoch(connection, scope, epoch=epoch)
        _lease(connection, scope, lanes=taken, epoch=epoch, terms=terms)
    return claimed


def is_due(connection: Connection, scope: Scope, *, terms: ClaimTerms) -> bool:
    """Tell whether a claim would find anything."""
    classes = (Priority.REVOKE, Priority.ISSUE, Priority.REST)
    statements = [_in_doubt(scope, terms)]
    statements += [_ready(scope, terms, priority=priority) for priority in classes]
    return any(_fetch(connection, statement.limit(1)) for statement in statements)


def _candidates(
    connection: Connection, scope: Scope, *, terms: ClaimTerms, turn: int
) -> list[Operation]:
    limit = terms.lanes_max * 2
    found = _fetch(connection, _in_doubt(scope, terms).limit(limit))
    by_class = {
        priority: _fetch(connection, _ready(scope, terms, priority=priority).limit(limit))
        for priority in (Priority.REVOKE, Priority.ISSUE, Priority.REST)
    }
    return found + take_turns(by_class, start=turn)


def _ready(scope: Scope, terms: ClaimTerms, *, priority: int) -> Select[Any]:
    busy = _busy_lanes(scope)
    return (
        select(operations)
        .where(
            within(scope),
            operations.c.state == State.READY.value,
            operations.c.priority == priority,
            operations.c.not_before_seconds <= terms.now,
            operations.c.lane.not_in(busy),
            or_(operations.c.second_lane.is_(None), operations.c.second_lane.not_in(busy)),
        )
        .order_by(operations.c.cause)
    )


def _busy_lanes(scope: Scope) -> CompoundSelect[str]:
    # Leases are no part of the log. Where they were lost, what is in doubt keeps its lanes shut.
    doubted = operations.alias()
    in_doubt = and_(
        doubted.c.ledger == scope.ledger,
        doubted.c.generation == scope.generation,
        doubted.c.state.in_([state.value for state in POSSIBLY_SENT]),
    )
    return union_all(
        select(leases.c.lane).where(leases.c.ledger == scope.ledger),
        select(doubted.c.lane).where(in_doubt),
        select(doubted.c.second_lane).where(in_doubt, doubted.c.second_lane.is_not(None)),
    )


def _in_doubt(scope: Scope, terms: ClaimTerms) -> Select[Any]:
    held = exists().where(_leased_lane(), leases.c.until_seconds > terms.now)
    recent = exists().where(
        _leased_lane(), leases.c.until_seconds > terms.now - terms.settle_seconds
    )
    waited = and_(
        operations.c.state == State.UNCERTAIN.value, operations.c.not_before_seconds <= terms.now
    )
    abandoned = and_(operations.c.state == State.LEASED.value, ~recent)
    return (
        select(operations)
        .where(within(scope), ~held, or_(waited, abandoned))
        .order_by(operations.c.cause)
    )


def _leased_lane() -> ColumnElement[bool]:
    return and_(
        leases.c.ledger == operations.c.ledger,
        or_(leases.c.lane == operations.c.lane, leases.c.lane == operations.c.second_lane),
    )


def _grouped(
    connection: Connection, scope: Scope, *, first: Operation, terms: ClaimTerms
) -> tuple[Operation, ...]:
    if first.state is not State.READY or not terms.may_group(first):
        return (first,)
    statement = (
        _ready(scope, terms, priority=first.priority)
        .where(
            operations.c.lane == first.lane,
            operations.c.second_lane.is_(None),
            operations.c.entity == first.reference.entity,
            operations.c.kind == first.kind,
            operations.c.key != first.key,
        )
        .limit(terms.group_max - 1)
    )
    others = [other for other in _fetch(connection, statement) if terms.may_group(other)]
    return (first, *others)


def _fetch(connection: Connection, statement: Select[Any]) -> list[Operation]:
    return [as_operation(row) for row in connection.execute(statement)]


def _last_epoch(connection: Connection, scope: Scope) -> int:
    # The caller holds the ledger's head row, so nobody else counts meanwhile.
    statement = select(epochs.c.epoch).where(epochs.c.ledger == scope.ledger)
    return int(connection.execute(statement).scalar_one())


def _write_epoch(connection: Connection, scope: Scope, *, epoch: int) -> None:
    connection.execute(epochs.update().where(epochs.c.ledger == scope.ledger).values(epoch=epoch))


def _lease(
    connection: Connection, scope: Scope, *, lanes: Iterable[str], epoch: int, terms: ClaimTerms
) -> None:
    wanted = sorted(lanes)
    connection.execute(
        leases.delete().where(leases.c.ledger == scope.ledger, leases.c.lane.in_(wanted))
    )
    rows = [
        {
            "ledger": scope.ledger,
            "lane": lane,
            "host": terms.host,
            "epoch": epoch,
            "until_seconds": terms.until,
        }
        for lane in wanted
    ]
    try:
        connection.execute(leases.insert(), rows)
    except RowExistsError as error:
        message = "another host took the lane first: this claim is given up"
        raise LedgerBusyError(message) from error


def holds(
    connection: Connection, scope: Scope, *, lanes: Sequence[str], host: str, epoch: int
) -> bool:
    """Tell whether this host still owns these lanes under this epoch."""
    count = select(func.count()).where(
        leases.c.ledger == scope.ledger,
        leases.c.lane.in_(lanes),
        leases.c.host == host,
        leases.c.epoch == epoch,
    )
    return connection.scalar(count) == len(set(lanes))


def _held_by(scope: Scope, host: str, *, now: float) -> ColumnElement[bool]:
    is_own = and_(leases.c.ledger == scope.ledger, leases.c.host == host)
    return is_own & (leases.c.until_seconds > now)


def is_working(connection: Connection, scope: Scope, *, host: str, now: float) -> bool:
    """Tell whether this host is in any conversation."""
    return bool(connection.scalar(select(func.count()).where(_held_by(scope, host, now=now))))


def extend(
    connection: Connection, scope: Scope, *, host: str, among: set[int], now: float, until: float
) -> frozenset[tuple[int, str]]:
    """Prolong this host's unexpired leases among these epochs; returns them as (epoch, lane)."""
    mine = and_(_held_by(scope, host, now=now), leases.c.epoch.in_(sorted(among)))
    prolong = leases.update().where(mine).values(until_seconds=until)
    held = connection.execute(prolong.returning(leases.c.epoch, leases.c.lane))
    return frozenset((int(row.epoch), str(row.lane)) for row in held)


def release(connection: Connection, scope: Scope, *, lanes: Sequence[str]) -> None:
    """Free lanes, but keep those shut in which something is still in doubt."""
    doubted = select(operations.c.lane, operations.c.second_lane).where(
        within(scope),
        operations.c.state.in_([state.value for state in POSSIBLY_SENT]),
        or_(operations.c.lane.in_(lanes), operations.c.second_lane.in_(lanes)),
    )
    shut = {lane for row in connection.execute(doubted) for lane in row}
    still = [lane for lane in lanes if lane in shut]
    free = [lane for lane in lanes if lane not in shut]
    mine = leases.c.ledger == scope.ledger
    if still:
        connection.execute(
            leases.update()
            .where(mine, leases.c.lane.in_(still))
            .values(host=NOBODY, until_seconds=0.0)
        )
    if free:
        connection.execute(leases.delete().where(mine, leases.c.lane.in_(free)))


def expire_others(connection: Connection, scope: Scope, *, host: str, now: float) -> int:
    """End the leases of hosts known to be gone, and return how many there were."""
    result = connection.execute(
        leases.update()
        .where(
            leases.c.ledger == scope.ledger,
            leases.c.host.not_in([host, NOBODY]),
            leases.c.until_seconds > now,
        )
        .values(until_seconds=now)
    )
    return result.rowcount


def next_due(
    connection: Connection, scope: Scope, *, now: float, settle_seconds: float
) -> float | None:
    """Return the coming moment at which something that waits for time alone can be tried."""
    waiting = [State.READY.value, State.UNCERTAIN.value]
    timed = connection.execute(
        select(func.min(operations.c.not_before_seconds)).where(
            within(scope),
            operations.c.state.in_(waiting),
            operations.c.not_before_seconds > now,
        )
    ).scalar_one()
    abandoned = connection.execute(
        select(func.min(leases.c.until_seconds)).where(
            leases.c.ledger == scope.ledger,
            leases.c.host != NOBODY,
            leases.c.until_seconds > now - settle_seconds,
        )
    ).scalar_one()
    moments = [timed, None if abandoned is None else abandoned + settle_seconds]
    return min((moment for moment in moments if moment is not None), default=None)
