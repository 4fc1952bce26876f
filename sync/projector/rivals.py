"""What a change to one record means for others that want its natural key.

A key given up frees those who were held for it; a key kept after all parks those who waited for it.
"""

from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation, State
from ledger.outbox.plan import Plan
from ledger.reference import SourceRef
from sync.projector import key
from sync.projector.draft import Cause, Wanted, join, nothing
from sync.projector.gate import after
from sync.projector.state import plan_state
from sync.projector.supersede import Newcomer, Succession, succeed

HELD_FOR_A_KEY = frozenset({key.KEY_TAKEN, key.KEY_CYCLE})


def tell_rivals(cause: Cause, reference: SourceRef, plan: Plan, *, succession: Succession) -> Plan:
    """Return a plan with what it means for the rivals of the record that it is about."""
    own = key.tenure(cause.known, reference, succession)
    final = _final(cause, reference, plan, own)
    given_up = sorted(own.every - {final})
    freed = (_free(cause, reference, plan, given_up=each, own=own) for each in given_up)
    return join(plan, *freed, _keep(cause, reference, final, own=own, succession=succession))


def _final(
    cause: Cause, reference: SourceRef, plan: Plan, own: key.Tenure
) -> key.NaturalKey | None:
    """Return the key that the record ends with, by the operation planned for it, if any."""
    intent = next((each for each in plan.intents if each.reference == reference), None)
    if intent is None:
        return own.current
    if intent.kind == "upsert":
        wanted = intent.cause if intent.payload is None else intent.payload
        return key.key_at(cause.known, reference, wanted)
    return None if reference.entity in key.RELEASED_BY_RETIREMENT else own.current


def _free(
    cause: Cause,
    reference: SourceRef,
    plan: Plan,
    *,
    given_up: key.NaturalKey,
    own: key.Tenure,
) -> Plan:
    """Plan anew what was held only because this record had the key."""
    releases = [each for each in plan.intents if each.reference == reference and not each.finished]
    if given_up in own.held and any(each.held for each in releases):
        return nothing(cause)
    rivals = key.rivals_for(cause.known, given_up, but=reference)
    claiming = [each for each in rivals if key.final_key(cause.known, each) == given_up]
    if len(claiming) != 1:
        # Nobody waits, or they are several and none of them has the better claim.
        return nothing(cause)
    held = _held_claim(cause, claiming[0])
    if held is None:
        return nothing(cause)
    waits = releases if given_up in own.held else []
    others = (cause.known.open_operations(each)[-1] for each in rivals if each not in claiming)
    gates = (*(Gate(GateKind.AFTER, reference, each.key) for each in waits), *after(others))
    return _plan_again(cause, held, gates)


def _plan_again(cause: Cause, held: Operation, gates: tuple[Gate, ...]) -> Plan:
    operations = cause.known.open_operations(held.reference)
    return plan_state(
        cause,
        Wanted(held.reference, key.state_position(held)),
        succession=succeed(operations, Newcomer.STATE),
        gates=gates,
        claim=key.Claim(),
    )


def _held_claim(cause: Cause, rival: SourceRef) -> Operation | None:
    last = cause.known.open_operations(rival)[-1:]
    held = (each for each in last if each.state is State.HELD and each.reason in HELD_FOR_A_KEY)
    return next(held, None)


def _keep(
    cause: Cause,
    reference: SourceRef,
    final: key.NaturalKey | None,
    *,
    own: key.Tenure,
    succession: Succession,
) -> Plan:
    """Park those who waited for a release that gave way."""
    if final is None or final != own.current or not succession.gone:
        return nothing(cause)
    rivals = key.rivals_for(cause.known, final, but=reference)
    claiming = [each for each in rivals if key.final_key(cause.known, each) == final]
    holds = key.park(cause.known, claiming, final, reason=key.KEY_TAKEN, concerns=(reference,))
    return Plan(through=cause.position, holds=holds)
