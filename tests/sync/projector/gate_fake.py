"""Why a gate is closed, over a ledger in memory: the semantics of the real opener."""

from collections.abc import Mapping
from typing import Protocol

from ledger.mapping.binding import Binding, BindingState
from ledger.outbox.gate import Gate, GateKind, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, SourceRef
from sync.projector.known import RecordState


class Ledger(Protocol):
    """What judging a gate looks at."""

    @property
    def records(self) -> Mapping[SourceRef, RecordState]: ...

    @property
    def bindings(self) -> Mapping[SourceRef, Binding]: ...

    @property
    def operations(self) -> Mapping[OperationKey, Operation]: ...

    def open_operations(self, reference: SourceRef) -> tuple[Operation, ...]: ...


def why_closed(ledger: Ledger, gate: Gate, waiter: Operation) -> Why | None:
    match gate.kind:
        case GateKind.BOUND:
            return _why_unbound(ledger, gate.reference, waiter)
        case GateKind.AFTER:
            return _why_unfinished(ledger, gate.operation)
        case GateKind.COMPLETE:
            return _why_incomplete(ledger, gate.reference, waiter)
        case _:
            raise AssertionError(gate.kind)


def _why_unbound(ledger: Ledger, reference: SourceRef, waiter: Operation) -> Why | None:
    record, binding = ledger.records.get(reference), ledger.bindings.get(reference)
    removed = None if record is None else record.removed
    if removed is not None and removed < waiter.stands_at:
        return Why.REMOVED
    if binding is not None and binding.state in {BindingState.LIVE, BindingState.RETIRED}:
        return None
    if removed is not None and reference != waiter.reference:
        return Why.REMOVED
    is_seen = record is not None and record.stated is not None
    return _trouble(ledger, reference, waiter) if is_seen else Why.MISSING


def _why_unfinished(ledger: Ledger, key: OperationKey | None) -> Why | None:
    assert key is not None
    operation = ledger.operations[key]
    assert operation.state is not State.SUPERSEDED, "gates pass to the successor"
    return _stuck(operation) if operation.is_open else None


def _why_incomplete(ledger: Ledger, reference: SourceRef, waiter: Operation) -> Why | None:
    binding = ledger.bindings.get(reference)
    if binding is not None and binding.is_complete:
        return None
    record = ledger.records.get(reference)
    if record is not None and record.removed is not None:
        return Why.REMOVED
    return _why_unbound(ledger, reference, waiter) or Why.MOVING


def _trouble(ledger: Ledger, reference: SourceRef, waiter: Operation) -> Why:
    operations = [each for each in ledger.open_operations(reference) if each.key != waiter.key]
    return _stuck(operations[-1]) if operations else Why.MISSING


def _stuck(operation: Operation) -> Why:
    return {State.HELD: Why.HELD, State.DEAD: Why.DEAD}.get(operation.state, Why.MOVING)
