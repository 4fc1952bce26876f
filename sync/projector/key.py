"""Gate (e): who else holds the natural key that an operation claims.

DokStamp lets one record hold a key. So a claim waits for the earlier operation that gives the key
up; a circle of such claims (two students swapping e-mail addresses) is held and names everybody in
it; and a key that nobody gives up parks the newcomer, and whoever was to get it but has not yet:
two persons with one mailbox are never merged.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.mapping.binding import BindingState
from ledger.outbox.gate import Gate
from ledger.outbox.operation import Operation, State
from ledger.outbox.plan import Hold
from ledger.reference import Position, SourceRef
from sync.projector.draft import Held
from sync.projector.gate import after
from sync.projector.known import Known
from sync.projector.supersede import FATES, Fate, Newcomer, Succession, standing
from sync.resources import Kind, resource

KEY_TAKEN = "key_taken"
KEY_CYCLE = "key_cycle"

RELEASED_BY_RETIREMENT = frozenset({"course_module"})
"""Entities whose retirement frees the key; everything else keeps it in DokStamp for ever."""

CIRCLE_RECORDS_MAX = 100
"""How far a chain of claims is followed before it counts as a circle, for a person to look at."""

NaturalKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tenure:
    """Which keys a record has, as the newcomer finds it."""

    current: NaturalKey | None
    """The key it holds once everything ahead of the newcomer is done."""
    held: frozenset[NaturalKey]
    """Keys that it holds or may hold in DokStamp until then."""
    hoped: frozenset[NaturalKey]
    """Keys that only operations claimed which give way to the newcomer."""

    @property
    def every(self) -> frozenset[NaturalKey]:
        """Every key that somebody may wait for it to give up."""
        return self.held | self.hoped


@dataclass(frozen=True, slots=True)
class Claim:
    """What becomes of a claim to a key."""

    gates: tuple[Gate, ...] = ()
    held: Held | None = None
    holds: tuple[Hold, ...] = ()


def state_position(operation: Operation) -> Position:
    """Return the event whose state an operation wants."""
    return operation.cause if operation.payload is None else operation.payload


def key_at(known: Known, reference: SourceRef, position: Position | None) -> NaturalKey | None:
    """Return the key that a record claims by the state that an event told."""
    data = None if position is None else known.data(position)
    return (
        None if data is None else resource(reference.entity).claimed_key(reference.source_id, data)
    )


def tenure(known: Known, reference: SourceRef, succession: Succession) -> Tenure:
    """Return which keys a record has, apart from what the newcomer claims."""
    sent = _sent_key(known, reference)
    ahead = _claimed(known, succession.ahead)
    return Tenure(
        current=ahead[-1] if ahead else sent,
        held=frozenset(_present((sent, *ahead))),
        hoped=frozenset(_present(_claimed(known, succession.gone))),
    )


def final_key(known: Known, reference: SourceRef) -> NaturalKey | None:
    """Return the key that a record holds once every open operation of it is done."""
    operations = known.open_operations(reference)
    if operations and operations[-1].kind == Kind.RETIRE and _is_freed(reference):
        return None
    claimed = _claimed(known, operations)
    return claimed[-1] if claimed else _sent_key(known, reference)


def claim(known: Known, reference: SourceRef, key: NaturalKey | None, *, own: Tenure) -> Claim:
    """Decide whether a record may have a key: at once, after its release, or not by itself."""
    if key is None or key == own.current:
        return Claim()
    rivals = rivals_for(known, key, but=reference)
    keepers = tuple(each for each in rivals if final_key(known, each) == key)
    if keepers:
        holds = park(known, keepers, key, reason=KEY_TAKEN, concerns=(reference,))
        return Claim(held=Held(KEY_TAKEN, keepers), holds=holds)
    for each in rivals:
        circle = _circle(known, each, own)
        if circle:
            return _hold_circle(known, reference, circle)
    return Claim(gates=after(known.open_operations(each)[-1] for each in rivals))


def rivals_for(known: Known, key: NaturalKey, *, but: SourceRef) -> tuple[SourceRef, ...]:
    """Return the other records that hold a key in DokStamp or have an operation claiming it."""
    others = (each for each in known.holders(key) if each != but)
    return tuple(each for each in others if key in _everything(known, each))


def park(
    known: Known,
    references: Iterable[SourceRef],
    key: NaturalKey,
    *,
    reason: str,
    concerns: tuple[SourceRef, ...],
) -> tuple[Hold, ...]:
    """Hold the unsent operations by which records would come to a key they do not hold yet."""
    claims = (
        each
        for reference in references
        if _sent_key(known, reference) != key
        for each in known.open_operations(reference)[-1:]
    )
    return tuple(
        Hold(each.key, reason, concerns)
        for each in claims
        if can_be_held(each) and (each.state is not State.HELD)
    )


def can_be_held(operation: Operation) -> bool:
    """Tell whether nothing of an operation can be on its way."""
    is_unsent = FATES[standing(operation)][Newcomer.STATE] is Fate.GIVES_WAY
    return is_unsent and operation.state is not State.DEAD


def _hold_circle(known: Known, reference: SourceRef, circle: tuple[SourceRef, ...]) -> Claim:
    everybody = (reference, *circle)
    holds = tuple(
        Hold(each.key, KEY_CYCLE, tuple(ref for ref in everybody if ref != each.reference))
        for member in circle
        for each in known.open_operations(member)[-1:]
        if can_be_held(each)
    )
    return Claim(held=Held(KEY_CYCLE, circle), holds=holds)


def _circle(known: Known, start: SourceRef, own: Tenure) -> tuple[SourceRef, ...]:
    """Return the records from one that releases a key to one that claims what we hold."""
    path = [start]
    while len(path) < CIRCLE_RECORDS_MAX:
        wanted = final_key(known, path[-1])
        if wanted is None:
            return ()
        if wanted in own.held:
            return tuple(path)
        further = [each for each in rivals_for(known, wanted, but=path[-1]) if each not in path]
        if not further:
            return ()
        path.append(further[0])
    return tuple(path)


def _everything(known: Known, reference: SourceRef) -> frozenset[NaturalKey]:
    claimed = _claimed(known, known.open_operations(reference))
    return frozenset(_present((_sent_key(known, reference), *claimed)))


def _claimed(known: Known, operations: Iterable[Operation]) -> list[NaturalKey | None]:
    return [
        key_at(known, each.reference, state_position(each))
        for each in operations
        if each.kind == Kind.UPSERT
    ]


def _sent_key(known: Known, reference: SourceRef) -> NaturalKey | None:
    binding = known.binding(reference)
    if binding is None or not binding.holds_target:
        return None
    if binding.state is BindingState.RETIRED and _is_freed(reference):
        return None
    return key_at(known, reference, binding.sent)


def _is_freed(reference: SourceRef) -> bool:
    return reference.entity in RELEASED_BY_RETIREMENT


def _present(keys: Iterable[NaturalKey | None]) -> list[NaturalKey]:
    return [key for key in keys if key is not None]
