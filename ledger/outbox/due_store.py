"""What could be worked on now: operations in SQL whose time has come and whose lanes are free."""

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    or_,
    select,
    union_all,
)

from ledger.outbox.operation import POSSIBLY_SENT, Operation, State
from ledger.outbox.operation_row import as_operation
from ledger.reference import Scope
from ledger.schema.statements import parameters, within
from ledger.schema.tables import leases, operations

_DOUBTFUL = sorted(state.value for state in POSSIBLY_SENT)
_NOW: BindParameter[float] = bindparam("now", type_=Float)
_SETTLED: BindParameter[float] = bindparam("settled", type_=Float)
"""Before this moment a lease must have run out for late effects to be over by now."""


def _is_free() -> ColumnElement[bool]:
    # Leases are no part of the log. Where they were lost, what is in doubt keeps its lanes shut.
    doubted = operations.alias()
    in_doubt = and_(within(doubted), doubted.c.state.in_(_DOUBTFUL))
    busy = union_all(
        select(leases.c.lane).where(leases.c.ledger == bindparam("in_ledger")),
        select(doubted.c.lane).where(in_doubt),
        select(doubted.c.second_lane).where(in_doubt, doubted.c.second_lane.is_not(None)),
    )
    return and_(
        operations.c.lane.not_in(busy),
        or_(operations.c.second_lane.is_(None), operations.c.second_lane.not_in(busy)),
    )


def _is_leased(*, after: BindParameter[float]) -> ColumnElement[bool]:
    return exists().where(
        leases.c.ledger == operations.c.ledger,
        or_(leases.c.lane == operations.c.lane, leases.c.lane == operations.c.second_lane),
        leases.c.until_seconds > after,
    )


_READY = select(operations).where(
    within(operations),
    operations.c.state == State.READY.value,
    operations.c.not_before_seconds <= _NOW,
    _is_free(),
)
_READY_PAGE = (
    _READY.where(operations.c.priority == bindparam("of_priority"))
    .order_by(operations.c.cause)
    .limit(bindparam("operations_max", type_=Integer))
    # Whoever claims at the same time takes other rows instead of waiting for these.
    .with_for_update(skip_locked=True)
)
_READY_BESIDE = _READY_PAGE.where(
    operations.c.ended.is_(None),
    operations.c.lane == bindparam("of_lane"),
    operations.c.second_lane.is_(None),
    operations.c.entity == bindparam("of_entity"),
    operations.c.kind == bindparam("of_kind"),
    operations.c.key != bindparam("but"),
)
_IN_DOUBT = select(operations).where(
    within(operations),
    operations.c.state.in_(_DOUBTFUL),
    ~_is_leased(after=_NOW),
    or_(
        and_(operations.c.state == State.UNCERTAIN.value, operations.c.not_before_seconds <= _NOW),
        and_(operations.c.state == State.LEASED.value, ~_is_leased(after=_SETTLED)),
    ),
)
_IN_DOUBT_PAGE = (
    _IN_DOUBT.order_by(operations.c.cause)
    .limit(bindparam("operations_max", type_=Integer))
    .with_for_update(skip_locked=True)
)
_IS_ANY = select(or_(_IN_DOUBT.exists(), _READY.exists()))
_IS_ANY_READY = select(_READY.exists())


def is_any(connection: Connection, scope: Scope, *, now: float, settle_seconds: float) -> bool:
    """Tell whether anything could be worked on."""
    asked = parameters(scope, now=now, settled=now - settle_seconds)
    return bool(connection.execute(_IS_ANY, asked).scalar_one())


def is_any_ready(connection: Connection, scope: Scope, *, now: float) -> bool:
    """Tell whether anything that is in no doubt could be worked on."""
    return bool(connection.execute(_IS_ANY_READY, parameters(scope, now=now)).scalar_one())


def in_doubt(
    connection: Connection, scope: Scope, *, now: float, settle_seconds: float, limit: int
) -> list[Operation]:
    """Return what may have been sent by nobody who still works on it, oldest first."""
    settled = now - settle_seconds
    asked = parameters(scope, now=now, settled=settled, operations_max=limit)
    return _fetch(connection, _IN_DOUBT_PAGE, asked)


def ready(
    connection: Connection, scope: Scope, *, priority: int, now: float, limit: int
) -> list[Operation]:
    """Return what is ready of one class, oldest first."""
    asked = parameters(scope, of_priority=priority, now=now, operations_max=limit)
    return _fetch(connection, _READY_PAGE, asked)


def ready_beside(
    connection: Connection, scope: Scope, *, first: Operation, now: float, limit: int
) -> list[Operation]:
    """Return what else is ready in an operation's lane that is just like it, oldest first."""
    asked = parameters(
        scope,
        of_priority=first.priority,
        of_lane=first.lane,
        of_entity=first.reference.entity,
        of_kind=first.kind,
        but=first.key,
        now=now,
        operations_max=limit,
    )
    return _fetch(connection, _READY_BESIDE, asked)


def _fetch(
    connection: Connection, statement: Select[tuple[object, ...]], asked: dict[str, object]
) -> list[Operation]:
    return [as_operation(row) for row in connection.execute(statement, asked)]
