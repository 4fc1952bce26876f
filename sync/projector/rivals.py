"""What a change to one record means for others that want its natural key.

A key given up frees those who were held for it; a key kept after all parks those who waited for it.
"""

from dataclasses import dataclass

from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Operation, State
from ledger.outbox.plan import Intent, Plan
from ledger.reference import SourceRef
from sync.projector import key
from sync.projector.draft import Cause, Wanted, join, nothing
from sync.projector.gate import after, followers_among
from sync.projector.state import plan_state
from sync.projector.supersede import Newcomer, Succession, succeed
from sync.resources import Kind

HELD_FOR_A_KEY = frozenset({key.KEY_TAKEN, key.KEY_CYCLE})


@dataclass(frozen=True, slots=True)
class _Turn:
    """A record whose plan is made, and what its rivals should know of it."""

    cause: Cause
    reference: SourceRef
    plan: Plan
    own: key.Tenure
    told: frozenset[SourceRef]

    @property
    def intents(self) -> tuple[Intent, ...]:
        return tuple(each for each in self.plan.intents if each.reference == self.reference)


def tell_rivals(
    cause: Cause,
    reference: SourceRef,
    plan: Plan,
    *,
    succession: Succession,
    told: frozenset[SourceRef] = frozenset(),
) -> Plan:
    """Return a plan with what it means for the rivals of the record that it is about.

    A rival that may go on gives up a key in its turn, and so down the chain; `told` are those
    who had their turn.
    """
    own = key.tenure(cause.known, reference, succession)
    turn = _Turn(cause, reference, plan, own, told | {reference})
    final = _final(turn)
    freed = (_free(turn, each) for each in sorted(own.every - {final}))
    return join(plan, *freed, _keep(turn, final, gone=succession.gone))


def _final(turn: _Turn) -> key.NaturalKey | None:
    """Return the key that the record ends with, by the operation planned for it, if any."""
    intent = next(iter(turn.intents), None)
    if intent is None:
        return turn.own.current
    if intent.kind == Kind.UPSERT:
        wanted = intent.cause if intent.payload is None else intent.payload
        return key.key_at(turn.cause.known, turn.reference, wanted)
    return None if turn.reference.entity in key.RELEASED_BY_RETIREMENT else turn.own.current


def _free(turn: _Turn, given_up: key.NaturalKey) -> Plan:
    """Plan anew what was held only because this record had the key."""
    known = turn.cause.known
    rivals = key.rivals_for(known, given_up, but=turn.reference)
    claiming = [each for each in rivals if key.final_key(known, each) == given_up]
    # Where several claim it, none of them has the better claim.
    held = _held_claim(turn, claiming[0]) if len(claiming) == 1 else None
    if held is None:
        return nothing(turn.cause)
    releases = [each for each in turn.intents if not each.finished and given_up in turn.own.held]
    others = [known.open_operations(each)[-1] for each in rivals if each not in claiming]
    if any(each.held for each in releases) or any(each.state is State.HELD for each in others):
        return nothing(turn.cause)
    own_gates = (Gate(GateKind.AFTER, turn.reference, each.key) for each in releases)
    return _plan_again(turn, held, gates=(*own_gates, *after(others)))


def _plan_again(turn: _Turn, held: Operation, *, gates: tuple[Gate, ...]) -> Plan:
    if followers_among(turn.cause.known, gates, [held]):
        return nothing(turn.cause)
    succession = succeed(turn.cause.known.open_operations(held.reference), Newcomer.STATE)
    plan = plan_state(
        turn.cause,
        Wanted(held.reference, key.state_position(held)),
        succession=succession,
        gates=gates,
        claim=key.Claim(),
    )
    return tell_rivals(turn.cause, held.reference, plan, succession=succession, told=turn.told)


def _held_claim(turn: _Turn, rival: SourceRef) -> Operation | None:
    if rival in turn.told:
        return None
    last = turn.cause.known.open_operations(rival)[-1:]
    held = (each for each in last if each.state is State.HELD and each.reason in HELD_FOR_A_KEY)
    newly_held = {each.key for each in turn.plan.holds}
    return next((each for each in held if each.key not in newly_held), None)


def _keep(turn: _Turn, final: key.NaturalKey | None, *, gone: tuple[Operation, ...]) -> Plan:
    """Park those who waited for a release that gave way."""
    if final is None or final != turn.own.current or not gone:
        return nothing(turn.cause)
    known = turn.cause.known
    rivals = key.rivals_for(known, final, but=turn.reference)
    claiming = [each for each in rivals if key.final_key(known, each) == final]
    holds = key.park(known, claiming, final, reason=key.KEY_TAKEN, concerns=(turn.reference,))
    return Plan(through=turn.cause.position, holds=holds)
