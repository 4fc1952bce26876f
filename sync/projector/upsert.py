"""`<entity>.upserted`: what a new state of a record asks for."""

from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation
from ledger.outbox.plan import Plan
from ledger.reference import SourceRef
from sync.projector import key
from sync.projector.draft import Cause, Wanted, join, nothing
from sync.projector.known import Known
from sync.projector.rivals import tell_rivals
from sync.projector.state import agrees, is_same_content, plan_state
from sync.projector.supersede import Newcomer, Succession, succeed
from sync.resources import Kind, resource


def plan_upserted(cause: Cause) -> Plan:
    """Plan a record's new state and, for a module that comes back, its attachments."""
    wanted = Wanted(cause.subject, cause.position)
    plan = _plan(cause, wanted)
    return join(plan, *_attach_again(cause, plan)) if _comes_back(cause) else plan


def _plan(cause: Cause, wanted: Wanted) -> Plan:
    operations = cause.known.open_operations(wanted.reference)
    succession = _succession(cause, wanted, operations)
    if _is_asked_already(cause, wanted, operations, succession):
        return nothing(cause)
    if not succession.gone and agrees(cause, wanted, succession):
        return nothing(cause)
    plan = plan_state(cause, wanted, succession=succession)
    return tell_rivals(cause, wanted.reference, plan, succession=succession)


def _is_asked_already(
    cause: Cause, wanted: Wanted, operations: tuple[Operation, ...], succession: Succession
) -> bool:
    """Tell whether the last open operation wants just this; even dead, it is not sent unchanged."""
    if not operations or operations[-1].kind != Kind.UPSERT or len(succession.gone) > 1:
        return False
    return is_same_content(cause, key.state_position(operations[-1]), wanted.position)


def _succession(cause: Cause, wanted: Wanted, operations: tuple[Operation, ...]) -> Succession:
    succession = succeed(operations, Newcomer.STATE)
    if not _is_module_removed(cause, wanted):
        return succession
    # The detaching that the module's removal asked for still takes place, before this waits.
    leaving = tuple(each for each in operations if each.kind == Kind.RETIRE)
    gone = tuple(each for each in succession.gone if each not in leaving)
    return Succession(gone=gone, ahead=(*succession.ahead, *(leaving)))


def _is_module_removed(cause: Cause, wanted: Wanted) -> bool:
    if wanted.reference.entity != "course_module":
        return False
    data = cause.known.data(wanted.position) or {}
    modules = (each.ref for each in resource("course_module").references(data))
    return any(each.entity == "module" and _is_removed(cause.known, each) for each in modules)


def _is_removed(known: Known, reference: SourceRef) -> bool:
    record = known.record(reference)
    return record is not None and record.removed is not None


def _comes_back(cause: Cause) -> bool:
    return cause.subject.entity == "module" and _is_removed(cause.known, cause.subject)


def _attach_again(cause: Cause, plan: Plan) -> list[Plan]:
    """Plan the attachments that are wanted once more, each as its own last event told it."""
    gates = tuple(
        Gate(GateKind.AFTER, each.reference, each.key)
        for each in plan.intents
        if each.reference == cause.subject and not each.finished
    )
    attachments = cause.known.naming(cause.subject, "course_module")
    return [_attach(cause, each, gates) for each in attachments]


def _attach(cause: Cause, attachment: SourceRef, gates: tuple[Gate, ...]) -> Plan:
    record = cause.known.record(attachment)
    if record is None or record.removed is not None or record.stated is None:
        return nothing(cause)
    wanted = Wanted(attachment, record.stated)
    succession = succeed(cause.known.open_operations(attachment), Newcomer.STATE)
    if not succession.gone and agrees(cause, wanted, succession):
        return nothing(cause)
    plan = plan_state(cause, wanted, succession=succession, gates=gates)
    return tell_rivals(cause, attachment, plan, succession=succession)
