"""Whether a gate is open, and why not: the one place that knows.

Reads bindings, records and operations; decides nothing about what to do with the answer.
"""

from collections.abc import Collection, Iterable
from typing import Any, assert_never

from sqlalchemy import Connection, Row, Select, select

from ledger.outbox import store
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.statements import one_of_pairs, pages, pairs, parameters, within
from ledger.schema.tables import bindings, records

REFERENCES_MAX = 400
_STANDING = frozenset({"live", "retired"})
"""States of a binding in which its target can still be named by others."""
_PASSED = frozenset({State.DONE, State.DISCARDED})
_GIVEN_UP = frozenset({State.SUPERSEDED, State.DISCARDED})
_TROUBLE = {State.HELD: Why.HELD, State.DEAD: Why.DEAD}

_BINDINGS = select(
    bindings.c.entity, bindings.c.source_id, bindings.c.state, bindings.c.is_complete
).where(within(bindings), one_of_pairs(bindings.c.entity, bindings.c.source_id))
_RECORDS = select(
    records.c.entity, records.c.source_id, records.c.state_position, records.c.removed_position
).where(within(records), one_of_pairs(records.c.entity, records.c.source_id))

_Found = dict[SourceRef, Row[Any] | None]


class GateJudge:
    """Tells whether a gate is open; looks every record and operation up once a page."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope
        self._bindings: _Found = {}
        self._records: _Found = {}
        self._operations: dict[OperationKey, Operation | None] = {}

    def look_up(self, gates: Iterable[Gate]) -> None:
        """Read at once what these gates are about, instead of one by one when asked."""
        references: dict[SourceRef, None] = {}
        keys: dict[OperationKey, None] = {}
        for gate in gates:
            if gate.kind is not GateKind.AFTER:
                references[gate.reference] = None
            elif gate.operation is not None:
                keys[gate.operation] = None
        self._look_up(_BINDINGS, self._bindings, references)
        # Where nothing is bound the gate is closed, whatever the record says.
        self._look_up(_RECORDS, self._records, [each for each in references if self._stands(each)])
        found = store.find(self._connection, self._scope, keys=keys)
        self._operations |= {key: found.get(key) for key in keys}

    def is_open(self, gate: Gate, *, waiter: Operation) -> bool:
        """Tell whether a gate is open for an operation."""
        match gate.kind:
            case GateKind.BOUND:
                is_standing = self._stands(gate.reference)
                return is_standing and not self._is_removed(gate.reference, waiter.stands_at)
            case GateKind.AFTER:
                operation = self._operation(gate.operation)
                return operation is None or operation.state in _PASSED
            case GateKind.COMPLETE:
                binding = self._binding(gate.reference)
                return binding is not None and bool(binding.is_complete)
            case _:
                assert_never(gate.kind)

    def why_closed(self, gate: Gate, *, waiter: Operation) -> Why | None:
        """Return why a gate is closed for an operation, or `None` if it is open."""
        if self.is_open(gate, waiter=waiter):
            return None
        if gate.kind is not GateKind.AFTER:
            return self._why_absent(gate, waiter=waiter)
        operation = self._operation(gate.operation)
        return _TROUBLE.get(operation.state, Why.MOVING) if operation else Why.MOVING

    def _why_absent(self, gate: Gate, *, waiter: Operation) -> Why:
        record = self._record(gate.reference)
        if record is None or record.state_position is None:
            return Why.MISSING
        stands = self._stands(gate.reference)
        is_wanted = stands if gate.kind is GateKind.BOUND else False
        if self._is_removed(gate.reference, waiter.stands_at) or (
            record.removed_position is not None and not is_wanted
        ):
            return Why.REMOVED
        return Why.MOVING if stands else self._trouble(gate.reference, waiter=waiter)

    def _trouble(self, reference: SourceRef, *, waiter: Operation) -> Why:
        """Return what becomes of a record that is not there yet, by its newest operation."""
        every = store.of_record(self._connection, self._scope, reference=reference)
        others = [each for each in every if each.key != waiter.key and each.state not in _GIVEN_UP]
        return _TROUBLE.get(others[-1].state, Why.MOVING) if others else Why.MISSING

    def _stands(self, reference: SourceRef) -> bool:
        binding = self._binding(reference)
        return binding is not None and binding.state in _STANDING

    def _is_removed(self, reference: SourceRef, place: Position) -> bool:
        record = self._record(reference)
        removed = None if record is None else record.removed_position
        return removed is not None and removed < place

    def _binding(self, reference: SourceRef) -> Row[Any] | None:
        if reference not in self._bindings:
            self._look_up(_BINDINGS, self._bindings, [reference])
        return self._bindings[reference]

    def _record(self, reference: SourceRef) -> Row[Any] | None:
        if reference not in self._records:
            self._look_up(_RECORDS, self._records, [reference])
        return self._records[reference]

    def _look_up(
        self, statement: Select[Any], found: _Found, references: Collection[SourceRef]
    ) -> None:
        wanted = [(each.entity, each.source_id) for each in references]
        found.update(dict.fromkeys(references))
        for page in pages(wanted, REFERENCES_MAX):
            asked = parameters(self._scope, **pairs(page))
            for row in self._connection.execute(statement, asked):
                found[SourceRef(row.entity, row.source_id)] = row

    def _operation(self, key: OperationKey | None) -> Operation | None:
        if key is None:
            return None
        if key not in self._operations:
            found = store.find_one(self._connection, self._scope, key=key)
            self._operations[key] = found
        return self._operations[key]
