"""Bringing a record to a state: whether anything is owed, what it waits for, whether it is held."""

from collections.abc import Iterable
from dataclasses import replace

from ledger.mapping.binding import BindingState
from ledger.outbox.gate import Gate
from ledger.outbox.plan import Plan
from ledger.reference import Position, SourceRef
from sync.projector import gate, key
from sync.projector.draft import Cause, Held, Wanted, finish, join, operate
from sync.projector.guard import MASS_CHANGE
from sync.projector.supersede import Succession
from sync.resources import Kind, resource

AGREES = "agrees"
"""The reason code of an operation that is done at once: DokStamp has this state already."""

PARENT_CHANGED = "parent_changed"

MOVABLE = frozenset({"course_module"})
"""Entities whose parents may change: an attachment is detached from the old, attached to the new.

One operation does both. Its procedure sees that `sent` names other parents than `wanted`.
"""


def plan_state(
    cause: Cause,
    wanted: Wanted,
    *,
    succession: Succession,
    gates: tuple[Gate, ...] = (),
    claim: key.Claim | None = None,
) -> Plan:
    """Plan what brings a record to a state, if DokStamp is not there already."""
    if agrees(cause, wanted, succession):
        return finish(cause, wanted.reference, Kind.UPSERT, after=succession, reason=AGREES)
    data = cause.known.data(wanted.position) or {}
    entity = resource(wanted.reference.entity)
    claimed = claim or _claim(cause, wanted, succession)
    others = (*gates, *claimed.gates, *_gates(cause, wanted, succession))
    operation = operate(
        cause,
        wanted.reference,
        Kind.UPSERT,
        after=placed(cause, named(cause, wanted), succession),
        gates=(
            *gate.after(succession.ahead),
            *gate.unless_following(cause.known, others, succession.gone),
        ),
        payload=wanted.position,
        held=_held(cause, wanted, succession) or claimed.held,
        completes=entity.is_complete(data),
    )
    return join(operation, Plan(through=cause.position, holds=claimed.holds))


def agrees(cause: Cause, wanted: Wanted, succession: Succession) -> bool:
    """Tell whether DokStamp was last told just this, and nothing is on its way to change it."""
    binding = cause.known.binding(wanted.reference)
    if succession.ahead or binding is None or binding.sent is None:
        return False
    is_same = is_same_content(cause, binding.sent, wanted.position)
    return is_same and binding.state is BindingState.LIVE


def is_same_content(cause: Cause, first: Position, second: Position) -> bool:
    """Tell whether two events told the same."""
    return cause.known.content_digest(first) == cause.known.content_digest(second)


def named(cause: Cause, wanted: Wanted) -> tuple[SourceRef, ...]:
    """Return every record that a state names."""
    data = cause.known.data(wanted.position) or {}
    return tuple(each.ref for each in resource(wanted.reference.entity).references(data))


def placed(cause: Cause, references: Iterable[SourceRef], succession: Succession) -> Succession:
    """Let a newcomer stand where what it supersedes stood, if that named as much.

    Then a correction still goes out before the removal of a record that it names, if what it
    corrects did. To name a removed record for the first time is to come after its removal.
    """
    if not succession.gone:
        return succession
    oldest = succession.gone[0]
    before = named(cause, Wanted(oldest.reference, key.state_position(oldest)))
    removed = {each for each in references if _is_removed(cause, each)}
    return replace(succession, keeps_place=removed <= set(before))


def _is_removed(cause: Cause, reference: SourceRef) -> bool:
    record = cause.known.record(reference)
    return record is not None and record.removed is not None


def _gates(cause: Cause, wanted: Wanted, succession: Succession) -> tuple[Gate, ...]:
    references = named(cause, wanted)
    return (
        *gate.bound(references),
        *gate.returning(cause.known, references),
        *gate.freezing(cause.known, wanted.reference, succession),
    )


def _claim(cause: Cause, wanted: Wanted, succession: Succession) -> key.Claim:
    claimed = key.key_at(cause.known, wanted.reference, wanted.position)
    own = key.tenure(cause.known, wanted.reference, succession)
    return key.claim(cause.known, wanted.reference, claimed, own=own)


def _held(cause: Cause, wanted: Wanted, succession: Succession) -> Held | None:
    if _is_parent_changed(cause, wanted, succession):
        return Held(PARENT_CHANGED)
    is_new = not was_made(cause, wanted, succession)
    entities = {wanted.reference.entity, cause.subject.entity}
    return Held(MASS_CHANGE) if entities & cause.guarded and not is_new else None


def was_made(cause: Cause, wanted: Wanted, succession: Succession) -> bool:
    """Tell whether DokStamp has, or may have, a record for this one."""
    binding = cause.known.binding(wanted.reference)
    return bool(succession.ahead) or (binding is not None and binding.holds_target)


def _is_parent_changed(cause: Cause, wanted: Wanted, succession: Succession) -> bool:
    if wanted.reference.entity in MOVABLE or not was_made(cause, wanted, succession):
        return False
    made_as = _made_as(cause, wanted, succession)
    before = None if made_as is None else cause.known.data(made_as)
    now = cause.known.data(wanted.position) or {}
    parents = resource(wanted.reference.entity).parents
    return before is not None and any(before.get(name) != now.get(name) for name in parents)


def _made_as(cause: Cause, wanted: Wanted, succession: Succession) -> Position | None:
    binding = cause.known.binding(wanted.reference)
    if binding is not None and binding.sent is not None:
        return binding.sent
    sent = [each for each in succession.ahead if each.kind == Kind.UPSERT]
    return key.state_position(sent[0]) if sent else None
