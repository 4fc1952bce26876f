"""What each kind of event makes of the tables: one table of folds, for live and rebuild alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ledger import doubting, looking
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import ending_store, fold_store, gate_store, look_store, record_store
from ledger.outbox.ending_store import Ending
from ledger.outbox.fold_store import Cause
from ledger.outbox.operation import Move, Operation
from ledger.outbox.plan import Plan
from ledger.reference import OperationKey, Position, Scope, SourceRef, TargetId, same_target
from ledger.schema.statements import folded_row, parameters, within
from ledger.schema.tables import documents_used, quarantine
from ledger.subjects import fold_store as subject_fold_store

_MOVES: dict[str, Move] = {
    "done": Move.FINISH,
    "retry": Move.RETRY,
    "uncertain": Move.DOUBT,
    "held": Move.HOLD,
    "dead": Move.BURY,
}

_DOCUMENT_USER = select(documents_used.c.source_id).where(
    within(documents_used), documents_used.c.document == bindparam("of_document")
)
_USE_DOCUMENT = documents_used.insert()


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome event as folds see it: its public part only."""

    position: Position
    type: str
    subject: SourceRef | None
    public: dict[str, Any]


def fold_outcome(connection: Connection, scope: Scope, *, outcome: Outcome) -> None:
    """Bring the tables to what one outcome event says; kinds that change none are left out."""
    fold = _FOLDS.get(outcome.type)
    if fold is not None:
        fold(connection, scope, outcome)


def fold_plan(
    connection: Connection, scope: Scope, *, cause: Cause, plan: Plan, position: Position
) -> None:
    """Bring records, operations and gates to what was planned for one source event."""
    fold_store.fold_plan(connection, scope, cause=cause, plan=plan, position=position)
    doubting.doubt_new(connection, scope, plan=plan)


def fold_taken(
    connection: Connection,
    scope: Scope,
    *,
    reference: SourceRef,
    owner: str,
    position: Position,
    document: bytes | None,
) -> None:
    """Remember whose a record is and which certificate a document serves, as its event enters."""
    if record_store.find(connection, scope, reference=reference) is None:
        record_store.first_seen(
            connection, scope, reference=reference, owner=owner, position=position
        )
    if document is not None and document_user(connection, scope, document=document) is None:
        row = folded_row(scope, document=document, source_id=reference.source_id)
        connection.execute(_USE_DOCUMENT, row)


def document_user(connection: Connection, scope: Scope, *, document: bytes | None) -> str | None:
    """Return the source id of the certificate that a document serves already."""
    if document is None:
        return None
    asked = parameters(scope, of_document=document)
    source_id: str | None = connection.execute(_DOCUMENT_USER, asked).scalar_one_or_none()
    return source_id


def _claimed(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    ending_store.fold_claim(
        connection,
        scope,
        keys=[OperationKey(key) for key in outcome.public["operations"]],
        epoch=outcome.public["epoch"],
        position=outcome.position,
    )
    looking.fold_looks(connection, scope, public=outcome.public, position=outcome.position)


def _progressed(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    key = OperationKey(outcome.public["operation"])
    ending_store.link(connection, scope, keys=[key], position=outcome.position)
    if outcome.public.get("bind") and outcome.subject is not None:
        target = TargetId(outcome.public["bind"])
        _bind(connection, scope, outcome, target=target, state=BindingState.LIVE)


def _told(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    key = OperationKey(outcome.public["operation"])
    ending_store.link(connection, scope, keys=[key], position=outcome.position)


def _settled(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    public = outcome.public
    ending = Ending(
        key=OperationKey(public["operation"]),
        move=_MOVES[public["outcome"]],
        reason=public.get("reason"),
        not_before=public.get("not_before", 0) / 1000,
        failed=public.get("failed", False),
        in_doubt=public.get("in_doubt", False),
    )
    operation = ending_store.fold_ending(
        connection, scope, ending=ending, position=outcome.position
    )
    _rebind(connection, scope, outcome, operation=operation)
    if "looks_from" in public:
        look_store.postpone(
            connection,
            scope,
            reference=operation.reference,
            not_before=public["looks_from"] / 1000,
        )


def _rebind(
    connection: Connection, scope: Scope, outcome: Outcome, *, operation: Operation
) -> None:
    known = mapping_store.find(connection, scope, reference=operation.reference)
    held = known if known is not None and known.holds_target else None
    named = outcome.public.get("target")
    target = TargetId(named) if named else held.target if held else None
    if target is None:
        return
    state = BindingState(outcome.public["after"]) if "after" in outcome.public else None
    told = outcome.public["outcome"] == "done" and state is BindingState.LIVE
    # What another target was told says nothing about this one.
    same = held if held is not None and same_target(held.target, target) else None
    if state is None and same is not None:
        return
    binding = Binding(
        reference=operation.reference,
        target=target,
        state=state or BindingState.LIVE,
        position=outcome.position,
        sent=_payload(operation) if told else same.sent if same else None,
        is_complete=operation.completes if told else bool(same and same.is_complete),
    )
    _write_binding(connection, scope, known=known, binding=binding)


def _write_binding(
    connection: Connection, scope: Scope, *, known: Binding | None, binding: Binding
) -> None:
    if known is not None and _closes_gates(known, binding):
        gate_store.finish_record(connection, scope, reference=binding.reference)
    is_new = known is None or not same_target(known.target, binding.target)
    if is_new and binding.state is BindingState.LIVE:
        _let_go(connection, scope, binding=binding)
    mapping_store.write(connection, scope, binding=binding)
    gate_store.wake_record(connection, scope, reference=binding.reference)


def _let_go(connection: Connection, scope: Scope, *, binding: Binding) -> None:
    """Release a retired binding whose target another record came to stand for.

    A course and a module can be attached again under another source id once they were detached.
    """
    target, entity = binding.target, binding.reference.entity
    holder = mapping_store.holders(connection, scope, entity=entity, targets=[target]).get(target)
    if holder is None or holder == binding.reference:
        return
    held = mapping_store.find(connection, scope, reference=holder)
    if held is not None and held.state is BindingState.RETIRED:
        released = replace(held, state=BindingState.RELEASED, position=binding.position)
        _write_binding(connection, scope, known=held, binding=released)


def _closes_gates(known: Binding, binding: Binding) -> bool:
    is_lost = known.stands and not binding.stands
    return is_lost or (known.is_complete and not binding.is_complete)


def _payload(operation: Operation) -> Position:
    return operation.cause if operation.payload is None else operation.payload


def _bind(
    connection: Connection,
    scope: Scope,
    outcome: Outcome,
    *,
    target: TargetId,
    state: BindingState,
) -> None:
    if outcome.subject is None:
        return
    known = mapping_store.find(connection, scope, reference=outcome.subject)
    is_same = known is not None and same_target(known.target, target)
    binding = Binding(
        reference=outcome.subject,
        target=target,
        state=state,
        position=outcome.position,
        # Another remote record: what it was told is unknown until it is read.
        sent=known.sent if known and is_same else None,
        is_complete=bool(known and is_same and known.is_complete),
    )
    _write_binding(connection, scope, known=known, binding=binding)


def _bound(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    target = TargetId(outcome.public["target"])
    _bind(connection, scope, outcome, target=target, state=BindingState.LIVE)


def _released(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    target = TargetId(outcome.public["target"])
    _bind(connection, scope, outcome, target=target, state=BindingState.RELEASED)


def _approved(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    keys = [OperationKey(key) for key in outcome.public["operations"]]
    ending_store.fold_approval(connection, scope, keys=keys, position=outcome.position)


def _discarded(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    keys = [OperationKey(key) for key in outcome.public["operations"]]
    ending_store.fold_discard(connection, scope, keys=keys, position=outcome.position)


def _accepted_older(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    unchanging = outcome.public["unchanging"]
    doubting.accept_older(connection, scope, unchanging=unchanging, position=outcome.position)


def _quarantined(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    row = {"ledger": scope.ledger, "generation": scope.generation}
    codes = " ".join(sorted({reason["code"] for reason in outcome.public["reasons"]}))
    connection.execute(
        quarantine.insert(),
        {
            **row,
            "key": outcome.public["key"],
            "position": outcome.position,
            "state": "refused",
            "codes": codes,
        },
    )


def _quarantine_released(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    connection.execute(
        quarantine.update()
        .where(
            quarantine.c.ledger == scope.ledger,
            quarantine.c.generation == scope.generation,
            quarantine.c.key == outcome.public["key"],
        )
        .values(state="released")
    )


def _subject(connection: Connection, scope: Scope, outcome: Outcome) -> None:
    subject_fold_store.fold(
        connection, scope, kind=outcome.type, public=outcome.public, position=outcome.position
    )


_FOLDS: dict[str, Callable[[Connection, Scope, Outcome], None]] = {
    "operations.claimed": _claimed,
    "operation.progressed": _progressed,
    "exchange.recorded": _told,
    "operation.settled": _settled,
    "mapping.bound": _bound,
    "mapping.released": _released,
    "operator.approved": _approved,
    "operator.retried": _approved,
    "operator.discarded": _discarded,
    "operator.accepted_older": _accepted_older,
    "operator.compared_older": lambda connection, scope, outcome: doubting.compare_older(
        connection, scope, accepted=outcome.public["accepted"]
    ),
    "event.quarantined": _quarantined,
    "quarantine.released": _quarantine_released,
    **dict.fromkeys(subject_fold_store.KINDS, _subject),
}

__all__ = ["Outcome", "document_user", "fold_outcome", "fold_plan", "fold_taken"]
