"""`certificate.requested` and `.revoked`: issued once, never changed, revoked for good."""

from ledger.mapping.binding import BindingState
from ledger.outbox.operation import Operation
from ledger.outbox.plan import Plan
from sync.projector import gate, key
from sync.projector.draft import Cause, Held, finish, nothing, operate
from sync.projector.guard import MASS_CHANGE
from sync.projector.state import AGREES, is_same_content, placed
from sync.projector.supersede import Newcomer, Succession, succeed
from sync.resources import Kind, resource

CERTIFICATE_CHANGED = "certificate_changed"
"""Other content was asked for while the certificate is, or may be, live."""

CERTIFICATE_REVOKED = "certificate_revoked"
"""It was revoked; a new certificate needs a new subject."""

NEVER_ISSUED = "never_issued"
"""The reason code of a revocation that is done at once: there was nothing to revoke."""


def plan_requested(cause: Cause) -> Plan:
    """Plan the issue of a certificate, once."""
    issues = _open(cause, Kind.ISSUE)
    succession = succeed(issues, Newcomer.STATE)
    if _was_revoked(cause):
        return _issue(cause, succession, Held(CERTIFICATE_REVOKED))
    if issues and is_same_content(cause, key.state_position(issues[-1]), cause.position):
        return nothing(cause)
    if _is_issued_as_asked(cause, succession):
        return _withdraw_changes(cause, succession)
    return _issue(
        cause, succession, Held(CERTIFICATE_CHANGED) if _may_live(cause, succession) else None
    )


def plan_revoked(cause: Cause) -> Plan:
    """Plan the revocation of a certificate, or record that there is nothing to revoke."""
    succession = succeed(_open(cause, Kind.ISSUE), Newcomer.REMOVAL)
    earlier = succeed(_open(cause, Kind.REVOKE), Newcomer.REMOVAL)
    if _is_revoked(cause) or earlier.ahead:
        # Revoking is final: a second reason changes nothing.
        return nothing(cause)
    gone = Succession(gone=(*succession.gone, *earlier.gone), ahead=succession.ahead)
    if _is_never_issued(cause, gone):
        return _never_issued(cause, gone)
    return _revoke(cause, gone)


def _issue(cause: Cause, succession: Succession, held: Held | None) -> Plan:
    references = [each.ref for each in resource("certificate").references(cause.event.data or {})]
    waits = (*gate.issuing(cause.known, references), *gate.returning(cause.known, references))
    return operate(
        cause,
        cause.subject,
        Kind.ISSUE,
        after=placed(cause, references, succession),
        gates=(
            *gate.bound(references),
            *gate.after((*succession.ahead, *_revocations(cause))),
            *gate.unless_following(cause.known, waits, succession.gone),
        ),
        payload=cause.position,
        held=held,
    )


def _revocations(cause: Cause) -> tuple[Operation, ...]:
    # A revocation of what was never asked for waits for it, not the other way round.
    return _open(cause, Kind.REVOKE) if _was_asked_for(cause) else ()


def _revoke(cause: Cause, succession: Succession) -> Plan:
    # One that was never asked for may still be bound by hand, or asked for by a late event.
    waits = () if _was_asked_for(cause) else gate.bound([cause.subject])
    return operate(
        cause,
        cause.subject,
        Kind.REVOKE,
        after=succession,
        gates=(*gate.after(succession.ahead), *waits),
        payload=cause.position,
        held=Held(MASS_CHANGE) if cause.subject.entity in cause.guarded else None,
    )


def _withdraw_changes(cause: Cause, succession: Succession) -> Plan:
    """Let an answer that agrees with the live certificate clear changes that were held."""
    if not succession.gone:
        return nothing(cause)
    return finish(cause, cause.subject, Kind.ISSUE, after=succession, reason=AGREES)


def _never_issued(cause: Cause, succession: Succession) -> Plan:
    record = cause.known.record(cause.subject)
    if not succession.gone and record is not None and record.removed is not None:
        return nothing(cause)
    return finish(cause, cause.subject, Kind.REVOKE, after=succession, reason=NEVER_ISSUED)


def _open(cause: Cause, kind: Kind) -> tuple[Operation, ...]:
    operations = cause.known.open_operations(cause.subject)
    return tuple(each for each in operations if each.kind == kind)


def _was_asked_for(cause: Cause) -> bool:
    record = cause.known.record(cause.subject)
    return record is not None and record.stated is not None


def _was_revoked(cause: Cause) -> bool:
    record = cause.known.record(cause.subject)
    return record is not None and record.removed is not None


def _is_revoked(cause: Cause) -> bool:
    binding = cause.known.binding(cause.subject)
    return binding is not None and binding.state is BindingState.REVOKED


def _is_issued(cause: Cause) -> bool:
    binding = cause.known.binding(cause.subject)
    return binding is not None and binding.holds_target


def _is_issued_as_asked(cause: Cause, succession: Succession) -> bool:
    binding = cause.known.binding(cause.subject)
    sent = binding.sent if binding is not None and binding.holds_target else None
    issued = key.state_position(succession.ahead[-1]) if succession.ahead else sent
    return issued is not None and is_same_content(cause, issued, cause.position)


def _may_live(cause: Cause, succession: Succession) -> bool:
    return _is_issued(cause) or bool(succession.ahead)


def _is_never_issued(cause: Cause, succession: Succession) -> bool:
    return _was_asked_for(cause) and not _may_live(cause, succession)
