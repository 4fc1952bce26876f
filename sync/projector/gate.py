"""What an operation waits for: the gates (a) to (d) of the design, each a small function.

No operation may wait, through others, for itself. Operations wait for earlier ones, so that can
only come from superseding, by which those who waited for the old one wait for the new one. Hence
`unless_following`: a newcomer never waits for what waits for the operation it supersedes.
Gate (e), natural keys, is in `key.py`.
"""

from collections.abc import Collection, Iterable

from ledger.mapping.binding import BindingState
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, SourceRef
from sync.projector.known import Known
from sync.projector.supersede import Succession
from sync.resources import Kind

FROZEN = frozenset({"institution", "course", "cohort", "student", "enrollment"})
"""The records whose state a certificate freezes, where it names them."""

CURRICULUM = ("module_group", "course_module")
"""What belongs to a course and enters its transcripts."""

Gates = tuple[Gate, ...]


def bound(references: Iterable[SourceRef]) -> Gates:
    """(a) Every record named is bound."""
    return tuple(Gate(GateKind.BOUND, each) for each in dict.fromkeys(references))


def after(operations: Iterable[Operation]) -> Gates:
    """(b) and others: earlier operations have come to their end."""
    return tuple(Gate(GateKind.AFTER, each.reference, each.key) for each in operations)


def returning(known: Known, references: Iterable[SourceRef]) -> Gates:
    """(a) for a record that comes back after its retirement: it is named once it is back."""
    return tuple(
        gate for each in dict.fromkeys(references) for gate in after(_return_of(known, each))
    )


def issuing(known: Known, references: Collection[SourceRef]) -> Gates:
    """(c) Nothing that the certificate freezes has an earlier change under way or stuck.

    Nor has the revocation of the one that it takes the place of: while that is live, DokStamp has
    no room for another.
    """
    named = {each.entity: each for each in references}
    changes = [
        *(
            each
            for ref in references
            if ref.entity in FROZEN
            for each in known.open_operations(ref)
        ),
        *_enrollment_changes(known, named["student"], named["course"]),
        *_revocations(known, named["student"], named["course"]),
        *(each for part in CURRICULUM for each in known.operations_naming(named["course"], part)),
    ]
    enrollment = named.get("enrollment")
    complete = () if enrollment is None else (Gate(GateKind.COMPLETE, enrollment),)
    return (*after(changes), *complete)


def retiring(known: Known, reference: SourceRef) -> Gates:
    """(d) The earlier open operations that name the record.

    A revocation names nothing but its certificate. A certificate that waits for an enrollment's
    completion is left out where none is to come: it would wait for ever, and the enrollment too.
    """
    naming = known.operations_naming(reference)
    is_hopeless = reference.entity == "enrollment" and not _will_be_complete(known, reference)
    ignored = {Kind.REVOKE, Kind.ISSUE} if is_hopeless else {Kind.REVOKE}
    return after(each for each in naming if each.kind not in ignored)


def freezing(known: Known, reference: SourceRef, succession: Succession) -> Gates:
    """(c) from the other side: a complete enrollment stays as it is until certificates are out.

    A certificate asked for earlier is issued from the state it was asked with. It waits until its
    enrollment is complete, so one that is not complete yet must not wait for the certificate; nor
    must it wait for a certificate that cannot go on by itself, which it may be the cure of.
    """
    binding = known.binding(reference)
    if binding is None or not binding.is_complete or succession.ahead:
        return ()
    issues = known.operations_naming(reference, "certificate")
    return after(each for each in issues if each.kind == Kind.ISSUE and _is_moving(each))


def unless_following(known: Known, gates: Gates, gone: Iterable[Operation]) -> Gates:
    """Leave out gates on operations that wait, themselves or through others, for what gives way."""
    following = followers_among(known, gates, gone)
    return tuple(gate for gate in gates if gate.operation not in following)


def followers_among(
    known: Known, gates: Gates, gone: Iterable[Operation]
) -> frozenset[OperationKey]:
    """Return the operations that gates wait for and that themselves wait for what gives way."""
    keys = [each.key for each in gone]
    awaited = frozenset(gate.operation for gate in gates if gate.operation is not None)
    return known.followers(keys) & awaited if keys and awaited else frozenset()


def _enrollment_changes(known: Known, student: SourceRef, course: SourceRef) -> list[Operation]:
    changes = known.operations_naming(student, "enrollment")
    return [each for each in changes if course in _references(known, each.reference)]


def _revocations(known: Known, student: SourceRef, course: SourceRef) -> list[Operation]:
    certificates = known.operations_naming(student, "certificate")
    return [
        each
        for each in certificates
        if each.kind == Kind.REVOKE and course in _references(known, each.reference)
    ]


def _references(known: Known, reference: SourceRef) -> tuple[SourceRef, ...]:
    record = known.record(reference)
    return () if record is None else record.references


def _return_of(known: Known, reference: SourceRef) -> tuple[Operation, ...]:
    binding = known.binding(reference)
    if binding is None:
        return ()
    operations = known.open_operations(reference)
    is_leaving = any(each.kind == Kind.RETIRE for each in operations)
    if not is_leaving and binding.state is not BindingState.RETIRED:
        return ()
    record = known.record(reference)
    return operations if record is not None and record.removed is None else ()


def _will_be_complete(known: Known, reference: SourceRef) -> bool:
    binding = known.binding(reference)
    is_complete = binding is not None and binding.is_complete
    return is_complete or any(each.completes for each in known.open_operations(reference))


def _is_moving(operation: Operation) -> bool:
    return operation.state not in {State.HELD, State.DEAD}
