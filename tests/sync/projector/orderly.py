"""What must hold whenever something is sent, and when nothing more can be done."""

from ledger.mapping.binding import BindingState
from ledger.outbox.gate import GateKind, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, SourceRef
from sync.resources import Kind, resource
from tests.sync.projector.ledger_fake import FakeLedger

NEEDS_A_PERSON = {Why.MISSING, Why.REMOVED}
STUCK = {State.HELD, State.DEAD}


def claim(ledger: FakeLedger, operation: Operation) -> Operation:
    """Lease an operation, after checking that it may be sent now."""
    check_may_be_sent(ledger, operation)
    return ledger.lease(operation.reference)


def finish(ledger: FakeLedger) -> None:
    """Do everything that can be done; what is leased or uncertain is found out first."""
    for _ in range(1000):
        for each in list(ledger.operations.values()):
            if each.state in {State.LEASED, State.UNCERTAIN}:
                ledger.settle(each)
        ready = ledger.ready()
        if not ready:
            return
        claim(ledger, ready[0])
    raise AssertionError("the play does not come to rest")


def check_may_be_sent(ledger: FakeLedger, operation: Operation) -> None:
    """Check that order and dependencies allow this operation to go out now."""
    earlier = [each for each in ledger.open_operations(operation.reference) if may_lead(each)]
    if may_lead(operation):
        assert earlier[0].key == operation.key, "an earlier operation of the record is open"
    if operation.kind in {Kind.UPSERT, Kind.ISSUE}:
        for each in named_by(ledger, operation):
            assert each in ledger.bindings, "something it names is not bound"
    if operation.kind == Kind.RETIRE:
        open_ones = (each for each in ledger.operations.values() if each.is_open)
        for waiter in (w for w in open_ones if operation.reference in named_by(ledger, w)):
            is_earlier = waiter.stands_at < operation.stands_at
            assert not is_earlier or is_ignored(waiter, operation), "still named"
    if operation.kind == Kind.ISSUE:
        check_snapshot(ledger, operation)


def may_lead(operation: Operation) -> bool:
    """Tell whether later operations of the record wait for it; approved ones defy a revocation."""
    return operation.kind != Kind.REVOKE


def is_ignored(waiter: Operation, operation: Operation) -> bool:
    """Tell whether a retirement need not wait for an operation that names its record."""
    is_enrollment = operation.reference.entity == "enrollment"
    return waiter.kind == Kind.REVOKE or (waiter.kind == Kind.ISSUE and is_enrollment)


def check_snapshot(ledger: FakeLedger, issue: Operation) -> None:
    """Check that nothing which the certificate freezes has an earlier change open."""
    frozen = {each for each in named_by(ledger, issue) if each.entity != "organization"}
    for change in (each for ref in frozen for each in ledger.open_operations(ref)):
        is_later = change.cause > issue.cause or change.stands_at > issue.stands_at
        assert is_later, "an earlier change is open"
    for reference in frozen:
        if reference.entity == "enrollment":
            assert ledger.bindings[reference].is_complete


def named_by(ledger: FakeLedger, operation: Operation) -> tuple[SourceRef, ...]:
    position = operation.cause if operation.payload is None else operation.payload
    binding = ledger.bindings.get(operation.reference)
    if operation.kind == Kind.RETIRE and binding is not None and binding.sent is not None:
        position = binding.sent
    data = ledger.data(position) or {}
    return tuple(each.ref for each in resource(operation.reference.entity).references(data))


def excused(ledger: FakeLedger) -> set[OperationKey]:
    """Return the open operations that wait for a person, or for what waits for one."""
    waiting = [each for each in ledger.operations.values() if each.is_open]
    found = {each.key for each in waiting if each.state in STUCK}
    for _ in waiting:
        found |= {each.key for each in waiting if is_excused(ledger, each, found)}
    return found


def is_excused(ledger: FakeLedger, operation: Operation, found: set[OperationKey]) -> bool:
    for gate, why in ledger.closed(operation):
        if why in NEEDS_A_PERSON:
            return True
        if gate.kind is GateKind.AFTER and gate.operation in found:
            return True
        if gate.kind is not GateKind.AFTER:
            changes = ledger.open_operations(gate.reference)
            if any(each.key in found for each in changes):
                return True
            is_idle = gate.kind is GateKind.COMPLETE or was_discarded(ledger, gate.reference)
            if is_idle and not changes:
                return True
    return False


def check_rest(ledger: FakeLedger) -> None:
    """Check a ledger in which nothing more can be done."""
    waiting = {each.key: each for each in ledger.operations.values() if each.is_open}
    forgiven = excused(ledger)
    unexcused = [each for key, each in waiting.items() if key not in forgiven]
    assert not unexcused
    check_no_circles(ledger)
    check_desired(ledger)


def check_no_circles(ledger: FakeLedger) -> None:
    for each in ledger.operations.values():
        assert each.key not in ledger.followers([each.key]), "it waits for itself"


def check_desired(ledger: FakeLedger) -> None:
    """Check that every record with nothing open stands in DokStamp as it was told last."""
    for reference, record in ledger.records.items():
        if ledger.open_operations(reference) or was_discarded(ledger, reference):
            continue
        binding = ledger.bindings.get(reference)
        if record.removed is not None:
            assert binding is None or binding.state in {BindingState.RETIRED, BindingState.REVOKED}
        elif is_wanted(ledger, reference):
            assert binding is not None
            assert binding.state is BindingState.LIVE
            assert binding.sent is not None
            assert record.stated is not None
            same = ledger.content_digest(binding.sent) == ledger.content_digest(record.stated)
            assert same, "DokStamp was told something else"


def is_wanted(ledger: FakeLedger, reference: SourceRef) -> bool:
    if reference.entity != "course_module":
        return True
    modules = [each for each in ledger.records[reference].references if each.entity == "module"]
    return all(ledger.records[each].removed is None for each in modules)


def was_discarded(ledger: FakeLedger, reference: SourceRef) -> bool:
    return any(
        each.reference == reference and each.state is State.DISCARDED
        for each in ledger.operations.values()
    )
