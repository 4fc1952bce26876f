"""Gates in SQL: written with their operation, opened page by page, never counted down blindly.

Nothing that binds a record or ends an operation touches the waiters; it leaves a *wake*. The opener
takes wakes in bounded pages, evaluates the gates they concern afresh, and makes an operation ready
when none of its gates is closed. Doing a page twice changes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select, tuple_

from ledger.outbox import store
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.gate_judge_store import GateJudge
from ledger.outbox.operation import FINAL, Move, Operation, State
from ledger.reference import OperationKey, Scope, SourceRef
from ledger.schema.tables import gates, operations, wakes

_RECORD = "record"
_OPERATION = "operation"
Place = tuple[OperationKey, int]
"""Where a page of gates ends: the waiting operation and the gate's number."""
WAVE_MAX = 400
START: Place = (OperationKey(""), -1)


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
        {
            "ledger": scope.ledger,
            "generation": scope.generation,
            "operation": key,
            "number": number,
            "kind": gate.kind.value,
            "entity": gate.reference.entity,
            "source_id": gate.reference.source_id,
            "waits_for": gate.operation,
            "is_open": False,
        }
        for number, gate in enumerate(waits_for)
    ]
    if rows:
        connection.execute(gates.insert(), rows)


def pass_on(connection: Connection, scope: Scope, *, old: OperationKey, new: OperationKey) -> None:
    """Let gates that wait for a superseded operation wait for its successor."""
    concerned = and_(_within(scope), gates.c.waits_for == old)
    # The successor itself has nothing left to wait for there.
    connection.execute(gates.delete().where(concerned, gates.c.operation == new))
    connection.execute(gates.update().where(concerned).values(waits_for=new, is_open=False))


def closed_of(
    connection: Connection, scope: Scope, *, operation: Operation
) -> list[tuple[Gate, Why]]:
    """Return what an operation still waits for, and why."""
    judge = GateJudge(connection, scope)
    rows = _closed(connection, scope, gates.c.operation == operation.key)
    verdicts = [(row.gate, judge.why_closed(row.gate, waiter=operation)) for row in rows]
    return [(gate, why) for gate, why in verdicts if why is not None]


def followers(
    connection: Connection, scope: Scope, *, keys: Collection[OperationKey]
) -> frozenset[OperationKey]:
    """Return the open operations that wait for these, directly or through others."""
    found: set[OperationKey] = set()
    wave = list(keys)
    while wave:
        page, wave = wave[:WAVE_MAX], wave[WAVE_MAX:]
        statement = (
            select(gates.c.operation)
            .join(
                operations,
                and_(
                    operations.c.ledger == gates.c.ledger,
                    operations.c.generation == gates.c.generation,
                    operations.c.key == gates.c.operation,
                ),
            )
            .where(
                _within(scope),
                gates.c.kind == GateKind.AFTER.value,
                gates.c.waits_for.in_(page),
                operations.c.state.not_in([state.value for state in FINAL]),
            )
        )
        fresh = {OperationKey(row.operation) for row in connection.execute(statement)} - found
        found |= fresh
        wave += sorted(fresh)
    return frozenset(found)


def wake_record(connection: Connection, scope: Scope, *, reference: SourceRef) -> None:
    """Remember that a record's binding or state changed."""
    _wake(connection, scope, kind=_RECORD, entity=reference.entity, name=reference.source_id)


def wake_operation(connection: Connection, scope: Scope, *, key: OperationKey) -> None:
    """Remember that an operation came to its end."""
    _wake(connection, scope, kind=_OPERATION, entity="", name=key)


def has_wakes(connection: Connection, scope: Scope) -> bool:
    """Tell whether anything happened whose gates were not looked at yet."""
    statement = select(wakes.c.kind).where(_of_scope(scope)).limit(1)
    return connection.execute(statement).first() is not None


def open_page(connection: Connection, scope: Scope, *, limit: int) -> bool:
    """Work off one wake over up to `limit` gates; returns whether there was one."""
    wake = connection.execute(select(wakes).where(_of_scope(scope)).limit(1)).one_or_none()
    if wake is not None:
        _work_off(connection, scope, wake, limit=limit)
    return wake is not None


def finish_record(connection: Connection, scope: Scope, *, reference: SourceRef) -> None:
    """Work off a record's wake to its end, before what woke it stops being true.

    A gate opens when its condition holds at any moment of the log, however late it is looked at:
    otherwise a rebuild, which looks at other moments, would open other gates.
    """
    mine = and_(
        _of_scope(scope),
        wakes.c.kind == _RECORD,
        wakes.c.entity == reference.entity,
        wakes.c.name == reference.source_id,
    )
    while (wake := connection.execute(select(wakes).where(mine)).one_or_none()) is not None:
        _work_off(connection, scope, wake, limit=WAVE_MAX)


def _work_off(connection: Connection, scope: Scope, wake: Row[Any], *, limit: int) -> None:
    place = (OperationKey(wake.after_operation), wake.after_number)
    found = _closed(connection, scope, _woken(wake), after=place, limit=limit)
    _evaluate(connection, scope, rows=found)
    if len(found) < limit:
        connection.execute(wakes.delete().where(_is(wake)))
    else:
        connection.execute(
            wakes.update()
            .where(_is(wake))
            .values(after_operation=found[-1].operation, after_number=found[-1].number)
        )


def open_own(connection: Connection, scope: Scope, *, key: OperationKey) -> None:
    """Evaluate the gates of one operation at once; without gates it becomes ready."""
    rows = _closed(connection, scope, gates.c.operation == key)
    _evaluate(connection, scope, rows=rows)
    if not rows:
        _make_ready(connection, scope, keys=[key])


def look_again(connection: Connection, scope: Scope, *, key: OperationKey) -> None:
    """Close every gate of an operation and evaluate it as things stand now."""
    mine = and_(_within(scope), gates.c.operation == key)
    connection.execute(gates.update().where(mine).values(is_open=False))
    open_own(connection, scope, key=key)


def sweep_page(connection: Connection, scope: Scope, *, after: Place, limit: int) -> Place | None:
    """Evaluate closed gates after a place, whatever was woken; returns the next place or `None`."""
    found = _closed(connection, scope, after=after, limit=limit)
    _evaluate(connection, scope, rows=found)
    return (found[-1].operation, found[-1].number) if len(found) == limit else None


def _wake(connection: Connection, scope: Scope, *, kind: str, entity: str, name: str) -> None:
    row = {
        "ledger": scope.ledger,
        "generation": scope.generation,
        "kind": kind,
        "entity": entity,
        "name": name,
    }
    same = and_(*(wakes.c[column] == value for column, value in row.items()))
    # A second wake for the same thing starts over: what was passed by may open now.
    connection.execute(wakes.delete().where(same))
    connection.execute(wakes.insert(), {**row, "after_operation": START[0], "after_number": -1})


def _is(wake: Row[Any]) -> ColumnElement[bool]:
    return and_(
        wakes.c.ledger == wake.ledger,
        wakes.c.generation == wake.generation,
        wakes.c.kind == wake.kind,
        wakes.c.entity == wake.entity,
        wakes.c.name == wake.name,
    )


def _of_scope(scope: Scope) -> ColumnElement[bool]:
    return and_(wakes.c.ledger == scope.ledger, wakes.c.generation == scope.generation)


def _woken(wake: Row[Any]) -> ColumnElement[bool]:
    if wake.kind == _OPERATION:
        return and_(gates.c.waits_for == wake.name)
    return _concerning(SourceRef(wake.entity, wake.name))


def _concerning(reference: SourceRef) -> ColumnElement[bool]:
    return and_(gates.c.entity == reference.entity, gates.c.source_id == reference.source_id)


def _within(scope: Scope) -> ColumnElement[bool]:
    return and_(gates.c.ledger == scope.ledger, gates.c.generation == scope.generation)


def _closed(
    connection: Connection,
    scope: Scope,
    *conditions: ColumnElement[bool],
    after: Place = START,
    limit: int | None = None,
) -> list[_Row]:
    statement = (
        select(gates)
        .where(_within(scope), gates.c.is_open.is_(False), *conditions)
        .order_by(gates.c.operation, gates.c.number)
        .limit(limit)
    )
    if after != START:
        statement = statement.where(tuple_(gates.c.operation, gates.c.number) > after)
    return [_as_row(row) for row in connection.execute(statement)]


def _as_row(row: Row[Any]) -> _Row:
    reference = SourceRef(row.entity, row.source_id)
    gate = Gate(GateKind(row.kind), reference, operation=row.waits_for)
    return _Row(OperationKey(row.operation), row.number, gate)


def _evaluate(connection: Connection, scope: Scope, *, rows: Sequence[_Row]) -> None:
    judge = GateJudge(connection, scope)
    waiters = store.find(connection, scope, keys=[row.operation for row in rows])
    opened: list[OperationKey] = []
    for row in rows:
        if judge.why_closed(row.gate, waiter=waiters[row.operation]) is None:
            connection.execute(
                gates.update()
                .where(_within(scope), gates.c.operation == row.operation)
                .where(gates.c.number == row.number)
                .values(is_open=True)
            )
            opened.append(row.operation)
    _make_ready(connection, scope, keys=opened)


def _make_ready(connection: Connection, scope: Scope, *, keys: Iterable[OperationKey]) -> None:
    for key, operation in store.find(connection, scope, keys=keys).items():
        waits = _closed(connection, scope, gates.c.operation == key, limit=1)
        if operation.state is State.BLOCKED and not waits:
            store.move(connection, scope, operation=operation, move=Move.OPEN)
