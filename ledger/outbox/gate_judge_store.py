"""Whether a gate is open, and why not: the one place that knows.

Reads bindings, records and operations; decides nothing about what to do with the answer.
"""

from typing import Any, assert_never

from sqlalchemy import Connection, Row, Table, select

from ledger.outbox import store
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.tables import bindings, records

_STANDING = frozenset({"live", "retired"})
"""States of a binding in which its target can still be named by others."""
_PASSED = frozenset({State.DONE, State.DISCARDED})
_TROUBLE = {State.HELD: Why.HELD, State.DEAD: Why.DEAD}


class GateJudge:
    """Tells whether a gate is open; looks every record and operation up once a page."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope
        self._bindings: dict[SourceRef, Row[Any] | None] = {}
        self._records: dict[SourceRef, Row[Any] | None] = {}
        self._operations: dict[OperationKey, Operation | None] = {}

    def why_closed(self, gate: Gate, *, waiter: Operation) -> Why | None:
        """Return why a gate is closed for an operation, or `None` if it is open."""
        match gate.kind:
            case GateKind.BOUND:
                return self._unbound(gate.reference, place=waiter.stands_at)
            case GateKind.AFTER:
                return self._unfinished(gate.operation)
            case GateKind.COMPLETE:
                return self._incomplete(gate.reference, place=waiter.stands_at)
            case _:
                assert_never(gate.kind)

    def _unbound(self, reference: SourceRef, *, place: Position) -> Why | None:
        record = self._record(reference)
        removed = record.removed_position if record is not None else None
        if removed is not None and removed < place:
            return Why.REMOVED
        binding = self._binding(reference)
        if binding is not None and binding.state in _STANDING:
            return None
        return self._trouble(reference) if record is not None else Why.MISSING

    def _unfinished(self, key: OperationKey | None) -> Why | None:
        operation = self._operation(key) if key is not None else None
        if operation is None or operation.state in _PASSED:
            return None
        return _TROUBLE.get(operation.state, Why.MOVING)

    def _incomplete(self, reference: SourceRef, *, place: Position) -> Why | None:
        binding = self._binding(reference)
        if binding is not None and binding.is_complete:
            return None
        return self._unbound(reference, place=place) or Why.MOVING

    def _trouble(self, reference: SourceRef) -> Why:
        last = store.last_of_record(self._connection, self._scope, reference=reference)
        if last is None:
            return Why.MISSING
        return _TROUBLE.get(last.state, Why.MOVING)

    def _binding(self, reference: SourceRef) -> Row[Any] | None:
        if reference not in self._bindings:
            self._bindings[reference] = self._look_up(bindings, reference)
        return self._bindings[reference]

    def _record(self, reference: SourceRef) -> Row[Any] | None:
        if reference not in self._records:
            self._records[reference] = self._look_up(records, reference)
        return self._records[reference]

    def _look_up(self, table: Table, reference: SourceRef) -> Row[Any] | None:
        return self._connection.execute(
            select(table).where(
                table.c.ledger == self._scope.ledger,
                table.c.generation == self._scope.generation,
                table.c.entity == reference.entity,
                table.c.source_id == reference.source_id,
            )
        ).one_or_none()

    def _operation(self, key: OperationKey) -> Operation | None:
        if key not in self._operations:
            self._operations[key] = store.find(self._connection, self._scope, keys=[key]).get(key)
        return self._operations[key]
