"""What claims, endings and decisions make of operations: the same live and in a rebuild."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.outbox import gate_store, store, waiting_store
from ledger.outbox.fold_store import supersede
from ledger.outbox.operation import HEALED_BY, Move, Operation, State
from ledger.outbox.plan import Superseding
from ledger.reference import OperationKey, Position, Scope


@dataclass(frozen=True, slots=True)
class Ending:
    """How an operation ended for now, as its event says."""

    key: OperationKey
    move: Move
    reason: str | None
    not_before: float
    failed: bool
    in_doubt: bool = False
    """Whether a request still has no known outcome although a person must decide first."""


def fold_claim(
    connection: Connection,
    scope: Scope,
    *,
    keys: Sequence[OperationKey],
    epoch: int,
    position: Position,
) -> None:
    """Mark operations as being worked on under an epoch."""
    for operation in store.find(connection, scope, keys=keys).values():
        # Claimed while in doubt, or while another owner may have sent something: still in doubt.
        in_doubt = operation.possibly_sent or operation.state is not State.READY
        store.move(
            connection,
            scope,
            operation=operation,
            move=Move.CLAIM,
            attempts=operation.attempts + 1,
            epoch=epoch,
            possibly_sent=in_doubt,
        )
    store.link_event(connection, scope, keys=keys, position=position)


def fold_ending(
    connection: Connection, scope: Scope, *, ending: Ending, position: Position
) -> Operation:
    """Move an operation to how it ended for now; returns it as it was before."""
    operation = store.the(connection, scope, key=ending.key)
    values: dict[str, object] = {
        "reason": ending.reason,
        "not_before_seconds": ending.not_before,
        "failures": operation.failures + 1 if ending.failed else operation.failures,
        "possibly_sent": ending.move is Move.DOUBT or ending.in_doubt,
    }
    if ending.move is Move.FINISH:
        values["ended"] = position
    store.move(connection, scope, operation=operation, move=ending.move, **values)
    store.link_event(connection, scope, keys=[ending.key], position=position)
    if ending.move is Move.FINISH:
        store.forget_named(connection, scope, keys=[ending.key])
        gate_store.wake_operation(connection, scope, key=ending.key)
    elif ending.move in {Move.HOLD, Move.BURY} and not ending.in_doubt:
        _heal(connection, scope, stuck=operation, position=position)
    return operation


def _heal(connection: Connection, scope: Scope, *, stuck: Operation, position: Position) -> None:
    """Let a correction that waits for what just got stuck take its place."""
    waiting = waiting_store.waiting_for(connection, scope, key=stuck.key)
    later = store.open_of_record(connection, scope, reference=stuck.reference)
    heirs = [each for each in later if each.key in waiting]
    if not heirs or (stuck.kind, heirs[0].kind) not in HEALED_BY:
        return
    followers = waiting_store.followers(connection, scope, keys=[stuck.key])
    others = followers - {each.key for each in later}
    if others & waiting_store.awaited_by(connection, scope, key=heirs[0].key):
        # Those who wait for the stuck one would come to wait for themselves.
        return
    superseding = Superseding(old=stuck.key, new=heirs[0].key)
    supersede(connection, scope, superseding=superseding, position=position)
    store.link_event(connection, scope, keys=[heirs[0].key], position=position)
    heir = store.the(connection, scope, key=heirs[0].key)
    gate_store.open_own(connection, scope, operation=heir)


def fold_approval(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Let held and dead operations go on; their gates are looked at again."""
    for key, operation in store.find(connection, scope, keys=keys).items():
        store.move(
            connection,
            scope,
            operation=operation,
            move=Move.APPROVE,
            reason=None,
            failures=0,
            not_before_seconds=0.0,
        )
        gate_store.look_again(connection, scope, key=key)
    store.link_event(connection, scope, keys=keys, position=position)


def fold_discard(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Give up held and dead operations; what waits for them goes on without."""
    for key, operation in store.find(connection, scope, keys=keys).items():
        store.move(connection, scope, operation=operation, move=Move.DISCARD, ended=position)
        gate_store.wake_operation(connection, scope, key=key)
    store.forget_named(connection, scope, keys=keys)
    store.link_event(connection, scope, keys=keys, position=position)


def link(
    connection: Connection, scope: Scope, *, keys: Sequence[OperationKey], position: Position
) -> None:
    """Remember that an event tells of operations whose rows it leaves as they are."""
    store.link_event(connection, scope, keys=keys, position=position)
