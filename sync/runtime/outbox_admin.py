"""What a person can see of operations: which there are, what each waits for, what helps."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.outbox import gate_store, store
from ledger.outbox.gate import Gate, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, OperationKey, Position, Scope
from sync.dispatcher.reasons import explain
from sync.errors import InputError
from sync.runtime.decisions import verbs_for
from sync.runtime.page import ROWS_MAX, Answer, Page, page_of

Cursor = tuple[Position, OperationKey]
_WORDS: Final[Mapping[Why, str]] = {
    Why.MOVING: "it is under way and opens this by itself",
    Why.MISSING: "no event ever told of it: send its event",
    Why.REMOVED: "the source removed it: send its event again, or correct what names it",
    Why.HELD: "it is held for a person: see `outbox show` of its operation",
    Why.DEAD: "DokStamp refused it: correct the record in the source",
}


async def outbox_page(
    ledger: Ledger,
    *,
    states: Sequence[State] = (),
    entity: str | None = None,
    reason: str | None = None,
    after: Cursor | None = None,
    limit: int = ROWS_MAX,
) -> Page[Cursor]:
    """Return operations by cause, each with what it waits for."""

    def look(connection: Connection, scope: Scope) -> Page[Cursor]:
        found = store.read_page(
            connection,
            scope,
            states=states,
            entity=entity,
            reason=reason,
            after=after,
            limit=limit,
        )
        return page_of(
            found,
            limit=limit,
            answer=lambda operation: _answer(operation, _closed(connection, scope, operation)),
            cursor=lambda operation: (operation.cause, operation.key),
        )

    return await ledger.read_folded(look)


async def outbox_show(ledger: Ledger, key: OperationKey) -> Answer:
    """Return one operation in words; raises `InputError` for an unknown key."""

    def look(connection: Connection, scope: Scope) -> Answer | None:
        operation = store.find(connection, scope, keys=[key]).get(key)
        if operation is None:
            return None
        closed = _closed(connection, scope, operation)
        waits: list[Json] = [
            {**_wait(gate, why), "operation": gate.operation, "words": _WORDS[why]}
            for gate, why in closed
        ]
        return {**_answer(operation, closed), "waits_for": waits, **_details(operation)}

    found = await ledger.read_folded(look)
    if found is None:
        message = f"there is no operation {key}: see `outbox list`"
        raise InputError(message)
    return found


def _closed(connection: Connection, scope: Scope, operation: Operation) -> list[tuple[Gate, Why]]:
    if operation.state not in {State.BLOCKED, State.HELD}:
        return []
    return gate_store.closed_of(connection, scope, operation=operation)


def _answer(operation: Operation, closed: Sequence[tuple[Gate, Why]]) -> Answer:
    waits: list[Json] = [
        {"why": why, "entity": entity, "source_id": source_id}
        for why, entity, source_id in dict.fromkeys(
            (why.value, gate.reference.entity, gate.reference.source_id) for gate, why in closed
        )
    ]
    return {
        "operation": operation.key,
        "entity": operation.reference.entity,
        "source_id": operation.reference.source_id,
        "kind": operation.kind,
        "state": operation.state.value,
        "attempts": operation.attempts,
        "waits_for": waits,
        "reason": operation.reason,
    }


def _wait(gate: Gate, why: Why) -> Answer:
    return {
        "why": why.value,
        "entity": gate.reference.entity,
        "source_id": gate.reference.source_id,
    }


def _details(operation: Operation) -> Answer:
    concerns: list[Json] = [
        {"entity": each.entity, "source_id": each.source_id} for each in operation.concerns
    ]
    return {
        "explanation": explain(operation.reason) if operation.reason else None,
        "decisions": [f"outbox {verb} {operation.key}" for verb in verbs_for(operation)],
        "concerns": concerns,
        "cause": operation.cause,
        "possibly_sent": operation.possibly_sent,
        "superseded_by": operation.superseded_by,
    }
