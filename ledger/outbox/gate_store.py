"""Gates in SQL: written with their operation, opened page by page, never counted down blindly.

Nothing that binds a record or ends an operation touches the waiters; it leaves a *wake*. The opener
takes wakes in bounded pages, evaluates the gates they concern afresh, and makes an operation ready
when none of its gates is closed. Doing a page twice changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, bindparam, select, tuple_

from ledger.outbox import store
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.gate_judge_store import GateJudge
from ledger.outbox.operation import Move, Operation, State
from ledger.reference import OperationKey, Scope, SourceRef
from ledger.schema.statements import folded_row, one_of, parameters, within
from ledger.schema.tables import gates, wakes

_RECORD = "record"
_OPERATION = "operation"
Place = tuple[OperationKey, int]
"""Where a page of gates ends: the waiting operation and the gate's number."""
WAVE_MAX = 400
START: Place = (OperationKey(""), -1)

_INSERT = gates.insert()
_OF_OPERATION = and_(within(gates), gates.c.operation == bindparam("of_operation"))
_WAITING_FOR = and_(within(gates), gates.c.waits_for == bindparam("awaited"))
_FORGET_OWN = gates.delete().where(_WAITING_FOR, gates.c.operation == bindparam("of_operation"))
_PASS_ON = gates.update().where(_WAITING_FOR)
_CLOSE = gates.update().where(_OF_OPERATION).values(is_open=False)
_OPEN = (gates.update().where(_OF_OPERATION, gates.c.number == bindparam("of_number"))).values(
    is_open=True
)

_CLOSED = (
    select(gates)
    .where(within(gates), gates.c.is_open.is_(False))
    .order_by(gates.c.operation, gates.c.number)
)
_CLOSED_OF = _CLOSED.where(gates.c.operation == bindparam("of_operation"))
_CLOSED_PAGE = _CLOSED.where(
    tuple_(gates.c.operation, gates.c.number)
    > tuple_(bindparam("after_operation"), bindparam("after_number"))
).limit(bindparam("gates_max", type_=Integer))
_WOKEN = {
    _RECORD: _CLOSED_PAGE.where(
        gates.c.entity == bindparam("woken_entity"), gates.c.source_id == bindparam("woken_name")
    ),
    _OPERATION: _CLOSED_PAGE.where(gates.c.waits_for == bindparam("woken_name")),
}
_ANY_WOKEN = {
    _RECORD: _CLOSED.where(
        gates.c.entity == bindparam("woken_entity"), gates.c.source_id == bindparam("woken_name")
    ).limit(1),
    _OPERATION: _CLOSED.where(gates.c.waits_for == bindparam("woken_name")).limit(1),
}
_STILL_WAITING = (
    # The kind is in no other index: for the key alone SQLite would rather read through one of those
    # than look a single operation up.
    select(gates.c.operation, gates.c.kind)
    .where(within(gates), gates.c.is_open.is_(False), gates.c.operation.in_(one_of("keys")))
    .distinct()
)
_WAKE = wakes.insert()
_ANY_WAKE = select(wakes).where(within(wakes)).limit(1)
_THIS_WAKE = and_(
    within(wakes),
    wakes.c.kind == bindparam("of_kind"),
    wakes.c.entity == bindparam("of_entity"),
    wakes.c.name == bindparam("of_name"),
)
_FIND_WAKE = select(wakes).where(_THIS_WAKE)
_MOVE_WAKE = wakes.update().where(_THIS_WAKE)
_END_WAKE = wakes.delete().where(_THIS_WAKE)


@dataclass(frozen=True, slots=True)
class _Row:
    operation: OperationKey
    number: int
    gate: Gate


def insert(
    connection: Connection, scope: Scope, *, key: OperationKey, waits_for: Sequence[Gate]
) -> None:
    """Write an operation's gates, closed."""
    rows = [
        folded_row(
            scope,
            gate.reference,
            operation=key,
            number=number,
            kind=gate.kind.value,
            waits_for=gate.operation,
            is_open=False,
        )
        for number, gate in enumerate(waits_for)
    ]
    if rows:
        connection.execute(_INSERT, rows)


def pass_on(connection: Connection, scope: Scope, *, old: OperationKey, new: OperationKey) -> None:
    """Let gates that wait for a superseded operation wait for its successor."""
    # The successor itself has nothing left to wait for there.
    connection.execute(_FORGET_OWN, parameters(scope, awaited=old, of_operation=new))
    connection.execute(_PASS_ON, parameters(scope, awaited=old, waits_for=new, is_open=False))


def closed_of(
    connection: Connection, scope: Scope, *, operation: Operation
) -> list[tuple[Gate, Why]]:
    """Return what an operation still waits for, and why."""
    judge = GateJudge(connection, scope)
    rows = _closed_of(connection, scope, key=operation.key)
    verdicts = [(row.gate, judge.why_closed(row.gate, waiter=operation)) for row in rows]
    return [(gate, why) for gate, why in verdicts if why is not None]


def wake_record(connection: Connection, scope: Scope, *, reference: SourceRef) -> None:
    """Remember that a record's binding or state changed."""
    _wake(connection, scope, kind=_RECORD, entity=reference.entity, name=reference.source_id)


def wake_operation(connection: Connection, scope: Scope, *, key: OperationKey) -> None:
    """Remember that an operation came to its end."""
    _wake(connection, scope, kind=_OPERATION, entity="", name=key)


def has_wakes(connection: Connection, scope: Scope) -> bool:
    """Tell whether anything happened whose gates were not looked at yet."""
    return connection.execute(_ANY_WAKE, parameters(scope)).first() is not None


def open_page(connection: Connection, scope: Scope, *, limit: int) -> bool:
    """Work off one wake over up to `limit` gates; returns whether there was one."""
    wake = connection.execute(_ANY_WAKE, parameters(scope)).one_or_none()
    if wake is not None:
        _work_off(connection, scope, wake, limit=limit)
    return wake is not None


def finish_record(connection: Connection, scope: Scope, *, reference: SourceRef) -> None:
    """Work off a record's wake to its end, before what woke it stops being true.

    A gate opens when its condition holds at any moment of the log, however late it is looked at:
    otherwise a rebuild, which looks at other moments, would open other gates.
    """
    mine = _this(scope, kind=_RECORD, entity=reference.entity, name=reference.source_id)
    while (wake := connection.execute(_FIND_WAKE, mine).one_or_none()) is not None:
        _work_off(connection, scope, wake, limit=WAVE_MAX)


def _work_off(connection: Connection, scope: Scope, wake: Row[Any], *, limit: int) -> None:
    woken = {"woken_name": wake.name}
    if wake.kind == _RECORD:
        woken["woken_entity"] = wake.entity
    place = (OperationKey(wake.after_operation), wake.after_number)
    page = _page(scope, after=place, limit=limit)
    found = _as_rows(connection.execute(_WOKEN[wake.kind], page | woken))
    _evaluate_page(connection, scope, rows=found)
    mine = _this(scope, kind=wake.kind, entity=wake.entity, name=wake.name)
    if len(found) < limit:
        connection.execute(_END_WAKE, mine)
    else:
        last = found[-1]
        place_now = {"after_operation": last.operation, "after_number": last.number}
        connection.execute(_MOVE_WAKE, mine | place_now)


def open_own(connection: Connection, scope: Scope, *, operation: Operation) -> None:
    """Evaluate the gates of one operation at once; without gates it becomes ready."""
    rows = _closed_of(connection, scope, key=operation.key)
    if rows:
        _evaluate(connection, scope, rows=rows, waiters={operation.key: operation})
    else:
        _make_ready(connection, scope, waiting=[operation])


def look_again(connection: Connection, scope: Scope, *, key: OperationKey) -> None:
    """Close every gate of an operation and evaluate it as things stand now."""
    connection.execute(_CLOSE, parameters(scope, of_operation=key))
    operation = store.find_one(connection, scope, key=key)
    if operation is not None:
        open_own(connection, scope, operation=operation)


def sweep_page(connection: Connection, scope: Scope, *, after: Place, limit: int) -> Place | None:
    """Evaluate closed gates after a place, whatever was woken; returns the next place or `None`."""
    page = _page(scope, after=after, limit=limit)
    found = _as_rows(connection.execute(_CLOSED_PAGE, page))
    _evaluate_page(connection, scope, rows=found)
    return (found[-1].operation, found[-1].number) if len(found) == limit else None


def _wake(connection: Connection, scope: Scope, *, kind: str, entity: str, name: str) -> None:
    woken = parameters(scope, woken_entity=entity, woken_name=name)
    if connection.execute(_ANY_WOKEN[kind], woken).first() is None:
        # Nobody waits for it now, and a gate made later is looked at when it is made.
        return
    # A second wake for the same thing starts over: what was passed by may open now.
    connection.execute(_END_WAKE, _this(scope, kind=kind, entity=entity, name=name))
    start = {"after_operation": START[0], "after_number": START[1]}
    connection.execute(_WAKE, folded_row(scope, kind=kind, entity=entity, name=name, **start))


def _this(scope: Scope, *, kind: str, entity: str, name: str) -> dict[str, object]:
    return parameters(scope, of_kind=kind, of_entity=entity, of_name=name)


def _page(scope: Scope, *, after: Place, limit: int) -> dict[str, object]:
    operation, number = after
    return parameters(scope, after_operation=operation, after_number=number, gates_max=limit)


def _closed_of(connection: Connection, scope: Scope, *, key: OperationKey) -> list[_Row]:
    return _as_rows(connection.execute(_CLOSED_OF, parameters(scope, of_operation=key)))


def _as_rows(rows: Iterable[Row[Any]]) -> list[_Row]:
    return [
        _Row(
            OperationKey(row.operation),
            row.number,
            Gate(GateKind(row.kind), SourceRef(row.entity, row.source_id), operation=row.waits_for),
        )
        for row in rows
    ]


def _evaluate_page(connection: Connection, scope: Scope, *, rows: Sequence[_Row]) -> None:
    waiters = store.find(connection, scope, keys=[row.operation for row in rows])
    _evaluate(connection, scope, rows=rows, waiters=waiters)


def _evaluate(
    connection: Connection,
    scope: Scope,
    *,
    rows: Sequence[_Row],
    waiters: Mapping[OperationKey, Operation],
) -> None:
    judge = GateJudge(connection, scope)
    judge.look_up(row.gate for row in rows)
    opened = [row for row in rows if judge.is_open(row.gate, waiter=waiters[row.operation])]
    if not opened:
        return
    connection.execute(
        _OPEN,
        [parameters(scope, of_operation=row.operation, of_number=row.number) for row in opened],
    )
    keys = dict.fromkeys(row.operation for row in opened)
    still = connection.execute(_STILL_WAITING, parameters(scope, keys=list(keys)))
    waiting = keys.keys() - {row.operation for row in still}
    _make_ready(connection, scope, waiting=[waiters[key] for key in keys if key in waiting])


def _make_ready(connection: Connection, scope: Scope, *, waiting: Iterable[Operation]) -> None:
    blocked = [each for each in waiting if each.state is State.BLOCKED]
    store.move_all(connection, scope, operations=blocked, move=Move.OPEN)
