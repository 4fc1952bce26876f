"""`<entity>.removed`: what the removal of a record asks for.

| removed | DokStamp's record | what else happens |
|---|---|---|
| institution, course, module_group | retired: inactive, archived, not active | |
| module | not active | its attachments are retired first |
| course_module | detached | |
| enrollment | dropped, unless a certificate names it (its procedure holds) | |
| organization, cohort, student | kept as it is: nothing to call | |

When a course is deleted: it is archived, last of all, after every earlier operation that names it.
Attachments, groups and cohorts stay, since archiving preserves relationships. Whatever names the
course in a later event waits, with the word `removed`. A record that DokStamp never had is removed
without a call (`never_made`). The course comes back with its next `course.upserted`.
"""

from ledger.mapping.binding import BindingState
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.plan import Plan
from ledger.reference import SourceRef
from sync.projector import gate
from sync.projector.draft import Cause, Held, finish, join, nothing, operate, reconcile
from sync.projector.guard import MASS_CHANGE
from sync.projector.rivals import tell_rivals
from sync.projector.supersede import Newcomer, Succession, succeed, wait_for_all
from sync.resources import Kind

NEVER_MADE = "never_made"
"""The reason code of a removal that is done at once: DokStamp never had the record."""

ALREADY_RETIRED = "already_retired"
"""The reason code of a removal that is done at once: the record is, or is being, retired."""

CASCADES: dict[str, str] = {"module": "course_module"}
"""The entity whose records are retired with the record of another that they name."""


def plan_removed(cause: Cause) -> Plan:
    """Plan the retirement of a record and, first, of what cannot stay without it."""
    dependent = CASCADES.get(cause.subject.entity)
    named_by = cause.known.naming(cause.subject, dependent) if dependent else ()
    first = reconcile(join(nothing(cause), *(_plan(cause, each) for each in named_by)))
    return join(first, _plan(cause, cause.subject, first=first))


def _plan(cause: Cause, reference: SourceRef, *, first: Plan | None = None) -> Plan:
    operations = cause.known.open_operations(reference)
    if operations and operations[-1].kind == Kind.RETIRE:
        return nothing(cause)
    succession = succeed(operations, Newcomer.REMOVAL)
    reason = _reason_to_finish(cause, reference, succession)
    if reason is None:
        plan, succession = _retire(cause, reference, succession, first or nothing(cause))
    elif succession.gone or _is_news(cause, reference):
        plan = finish(cause, reference, Kind.RETIRE, after=succession, reason=reason)
    else:
        return nothing(cause)
    return tell_rivals(cause, reference, plan, succession=succession)


def _reason_to_finish(cause: Cause, reference: SourceRef, succession: Succession) -> str | None:
    """Return why there is nothing to call, if so."""
    binding = cause.known.binding(reference)
    if succession.ahead:
        is_leaving = succession.ahead[-1].kind == Kind.RETIRE
        return ALREADY_RETIRED if is_leaving else None
    if binding is None or not binding.holds_target:
        return NEVER_MADE
    return ALREADY_RETIRED if binding.state is BindingState.RETIRED else None


def _is_news(cause: Cause, reference: SourceRef) -> bool:
    """Tell whether the removal is worth recording, although nothing is owed for it."""
    record = cause.known.record(reference)
    return reference == cause.subject and (record is None or record.removed is None)


def _retire(
    cause: Cause, reference: SourceRef, succession: Succession, first: Plan
) -> tuple[Plan, Succession]:
    gates = _gates(cause, reference, first)
    if gate.followers_among(cause.known, gates, succession.gone):
        # Somebody who names the record waits for its earlier change: that goes first, then they,
        # and the retirement last.
        succession = wait_for_all(cause.known.open_operations(reference))
    entities = {reference.entity, cause.subject.entity}
    plan = operate(
        cause,
        reference,
        Kind.RETIRE,
        after=succession,
        gates=(*gate.after(succession.ahead), *gates),
        held=Held(MASS_CHANGE) if entities & cause.guarded else None,
    )
    return plan, succession


def _gates(cause: Cause, reference: SourceRef, first: Plan) -> tuple[Gate, ...]:
    replaced = {each.old for each in first.supersedings}
    naming = gate.retiring(cause.known, reference)
    planned = (
        Gate(GateKind.AFTER, each.reference, each.key)
        for each in first.intents
        if each.kind == Kind.RETIRE and not each.finished
    )
    return (*(each for each in naming if each.operation not in replaced), *planned)
