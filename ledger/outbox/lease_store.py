"""Who works in which lane, until when: leases in SQL, and the choice of what to work on next.

A row stands for a lane in which a conversation is going on, or in which an operation is in doubt;
while it stands nobody starts anything new in that lane. Epochs only rise, so that a worker which
lost its lane without noticing cannot settle in it any more.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, and_, bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError as RowExistsError

from ledger.errors import LedgerBusyError
from ledger.outbox import due_store
from ledger.outbox.operation import POSSIBLY_SENT, Operation, Priority, State
from ledger.outbox.turns import take_turns
from ledger.reference import Scope
from ledger.schema.statements import one_of, parameters, within
from ledger.schema.tables import epochs, leases, operations

NOBODY = ""
PROBE_CHOICE = 100
"""Among how many of each kind the one is looked for that was tried longest ago."""

_EPOCH = epochs.c.ledger == bindparam("in_ledger")
_LAST_EPOCH = select(epochs.c.epoch).where(_EPOCH)
_WRITE_EPOCH = epochs.update().where(_EPOCH)

_OURS = leases.c.ledger == bindparam("in_ledger")
_IN_LANES = and_(_OURS, leases.c.lane.in_(one_of("lanes")))
_HELD_BY = and_(
    _OURS, leases.c.host == bindparam("by_host"), leases.c.until_seconds > bindparam("now")
)
_LEASE = leases.insert()
_FREE = leases.delete().where(_IN_LANES)
_SHUT = leases.update().where(_IN_LANES).values(host=NOBODY, until_seconds=0.0)
_COUNT_HELD = select(func.count()).where(
    _IN_LANES, leases.c.host == bindparam("by_host"), leases.c.epoch == bindparam("under_epoch")
)
_IS_WORKING = select(leases.c.lane).where(_HELD_BY).limit(1)
_EXTEND = (
    leases.update()
    .where(_HELD_BY, leases.c.epoch.in_(one_of("among")))
    .values(until_seconds=bindparam("until"))
    .returning(leases.c.epoch, leases.c.lane)
)
_EXPIRE_OTHERS = (
    leases.update()
    .where(
        _OURS,
        leases.c.host.not_in(one_of("hosts")),
        leases.c.until_seconds > bindparam("now"),
    )
    .values(until_seconds=bindparam("now"))
)
_NEXT_END = select(func.min(leases.c.until_seconds)).where(
    _OURS, leases.c.host != NOBODY, leases.c.until_seconds > bindparam("after")
)
_OTHERS_END = select(func.min(leases.c.until_seconds)).where(
    _OURS, leases.c.host.not_in(one_of("hosts")), leases.c.until_seconds > bindparam("after")
)
_NEXT_TRY = select(func.min(operations.c.not_before_seconds)).where(
    within(operations),
    operations.c.priority != Priority.LOOK,
    operations.c.state.in_([State.READY.value, State.UNCERTAIN.value]),
    operations.c.not_before_seconds > bindparam("now"),
)
_DOUBTED = select(operations.c.lane, operations.c.second_lane).where(
    within(operations),
    operations.c.state.in_(sorted(state.value for state in POSSIBLY_SENT)),
    or_(operations.c.lane.in_(one_of("lanes")), operations.c.second_lane.in_(one_of("lanes"))),
)


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """How much to claim, for whom and for how long."""

    host: str
    now: float
    """By the clock that every host's leases go by."""
    lease_seconds: float
    lanes_max: int
    group_max: int
    settle_seconds: float
    """How long after a dead owner's lease a late effect of its requests is waited for."""
    may_group: Callable[[Operation], bool] = field(repr=False)
    """Whether one conversation may carry several such operations of a lane."""
    looks_again: Callable[[Operation], bool] = field(default=lambda _: False, repr=False)
    """Whether a second record could come of such an operation, should its first request be late."""
    look_seconds: float = 0.0
    """How long after a doubtful request its record is looked at once more."""
    busy: frozenset[str] = field(default=frozenset(), repr=False)
    """Lanes in which the claimer is in a conversation, whatever a clock that jumped makes of it."""

    watch: Callable[[float], float] = field(default=lambda _: 0.0, repr=False)
    """Tells, by the time of leases, for how long what is in doubt must be left alone."""
    rest_seconds: float = 0.0
    """What `watch` told: a leap of the clock must not end a settle window."""
    is_probe: bool = False
    """Whether what is claimed is to show that the service works, so that all get their turn."""

    def at(self, now: float) -> "ClaimTerms":
        """Return the same terms at another moment."""
        return replace(self, now=now, rest_seconds=self.watch(now))


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
        if taken.isdisjoint(candidate.lanes) and terms.busy.isdisjoint(candidate.lanes):
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
    if terms.rest_seconds > 0:
        return due_store.is_any_ready(connection, scope, now=terms.now)
    return due_store.is_any(connection, scope, now=terms.now, settle_seconds=terms.settle_seconds)


def seconds_to_due(connection: Connection, scope: Scope, *, terms: ClaimTerms) -> float | None:
    """Return how long until a claim will find anything that waits for time alone."""
    settle_seconds = terms.settle_seconds
    moment = next_due(connection, scope, now=terms.now, settle_seconds=settle_seconds)
    wait = None if moment is None else moment - terms.now
    rest = terms.rest_seconds
    if rest > 0 and is_due(connection, scope, terms=replace(terms, rest_seconds=0.0)):
        return rest if wait is None else min(rest, wait)
    return wait


def _candidates(
    connection: Connection, scope: Scope, *, terms: ClaimTerms, turn: int
) -> list[Operation]:
    now, limit = terms.now, PROBE_CHOICE if terms.is_probe else terms.lanes_max * 2
    found: list[Operation] = []
    if terms.rest_seconds <= 0:
        settle_seconds = terms.settle_seconds
        found = due_store.in_doubt(
            connection, scope, now=now, settle_seconds=settle_seconds, limit=limit
        )
    by_class = {
        priority: due_store.ready(connection, scope, priority=priority, now=now, limit=limit)
        for priority in (Priority.REVOKE, Priority.ISSUE, Priority.REST, Priority.LOOK)
    }
    ready = take_turns(by_class, start=turn)
    if not terms.is_probe:
        return found + ready
    # What always fails must not take every probe: the one tried longest ago goes first, and what
    # is in doubt leaves every second probe to what is not.
    found.sort(key=_rested_since)
    ready.sort(key=_rested_since)
    return ready + found if turn % 2 else found + ready


def _rested_since(operation: Operation) -> float:
    return operation.not_before


def _grouped(
    connection: Connection, scope: Scope, *, first: Operation, terms: ClaimTerms
) -> tuple[Operation, ...]:
    if first.state is not State.READY or not terms.may_group(first):
        return (first,)
    beside = due_store.ready_beside(
        connection, scope, first=first, now=terms.now, limit=terms.group_max - 1
    )
    return (first, *(other for other in beside if terms.may_group(other)))


def _last_epoch(connection: Connection, scope: Scope) -> int:
    # The caller holds the ledger's head row, so nobody else counts meanwhile.
    return int(connection.execute(_LAST_EPOCH, parameters(scope)).scalar_one())


def _write_epoch(connection: Connection, scope: Scope, *, epoch: int) -> None:
    connection.execute(_WRITE_EPOCH, parameters(scope, epoch=epoch))


def _lease(
    connection: Connection, scope: Scope, *, lanes: Iterable[str], epoch: int, terms: ClaimTerms
) -> None:
    wanted = sorted(lanes)
    connection.execute(_FREE, parameters(scope, lanes=wanted))
    rows = [
        {
            "ledger": scope.ledger,
            "lane": lane,
            "host": terms.host,
            "epoch": epoch,
            "until_seconds": terms.now + terms.lease_seconds,
        }
        for lane in wanted
    ]
    try:
        connection.execute(_LEASE, rows)
    except RowExistsError as error:
        message = "another host took the lane first: this claim is given up"
        raise LedgerBusyError(message) from error


def holds(
    connection: Connection, scope: Scope, *, lanes: Sequence[str], host: str, epoch: int
) -> bool:
    """Tell whether this host still owns these lanes under this epoch."""
    asked = parameters(scope, lanes=list(lanes), by_host=host, under_epoch=epoch)
    return connection.execute(_COUNT_HELD, asked).scalar_one() == len(set(lanes))


def is_working(connection: Connection, scope: Scope, *, host: str, now: float) -> bool:
    """Tell whether this host is in any conversation."""
    asked = parameters(scope, by_host=host, now=now)
    return connection.execute(_IS_WORKING, asked).first() is not None


def extend(
    connection: Connection,
    scope: Scope,
    *,
    host: str,
    among: Collection[int],
    now: float,
    until: float,
) -> frozenset[tuple[int, str]]:
    """Prolong this host's unexpired leases among these epochs; returns them as (epoch, lane)."""
    mine = parameters(scope, by_host=host, among=sorted(among), now=now, until=until)
    held = connection.execute(_EXTEND, mine)
    return frozenset((int(row.epoch), str(row.lane)) for row in held)


def release(connection: Connection, scope: Scope, *, lanes: Sequence[str]) -> None:
    """Free lanes, but keep those shut in which something is still in doubt."""
    doubted = connection.execute(_DOUBTED, parameters(scope, lanes=list(lanes)))
    shut = {lane for row in doubted for lane in row}
    still = [lane for lane in lanes if lane in shut]
    free = [lane for lane in lanes if lane not in shut]
    if still:
        connection.execute(_SHUT, parameters(scope, lanes=still))
    if free:
        connection.execute(_FREE, parameters(scope, lanes=free))


def expire_others(connection: Connection, scope: Scope, *, host: str, now: float) -> int:
    """End the leases of hosts known to be gone, and return how many there were."""
    gone = parameters(scope, hosts=[host, NOBODY], now=now)
    return connection.execute(_EXPIRE_OTHERS, gone).rowcount


def others_end(connection: Connection, scope: Scope, *, host: str, after: float) -> float | None:
    """Return when the next lease of another host ends, or ended after a moment."""
    asked = parameters(scope, hosts=[host, NOBODY], after=after)
    ending = connection.execute(_OTHERS_END, asked).scalar_one()
    return None if ending is None else float(ending)


def next_due(
    connection: Connection, scope: Scope, *, now: float, settle_seconds: float
) -> float | None:
    """Return the coming moment at which something that waits for time alone can be tried."""
    timed = connection.execute(_NEXT_TRY, parameters(scope, now=now)).scalar_one()
    ending = parameters(scope, after=now - settle_seconds)
    abandoned = connection.execute(_NEXT_END, ending).scalar_one()
    moments = [timed, None if abandoned is None else abandoned + settle_seconds]
    return min((moment for moment in moments if moment is not None), default=None)
