"""What a person can do about operations: see what they wait for, let them go on, give them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log.event import NOBODY
from ledger.outbox import gate_store, store
from ledger.outbox.gate import Gate, Why
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, OperationKey, Position, Scope
from ledger.transaction import Transaction
from sync.dispatcher.reasons import explain
from sync.errors import InputError
from sync.runtime.page import ROWS_MAX, Answer, Page, page_of
from sync.runtime.persons import persons_of

Verb = Literal["approve", "retry", "discard"]
Cursor = tuple[Position, OperationKey]
KEYS_PER_EVENT: Final = 500
_EVENTS: Final[Mapping[Verb, str]] = {
    "approve": "operator.approved",
    "retry": "operator.retried",
    "discard": "operator.discarded",
}
LEGAL: Final[Mapping[Verb, frozenset[State]]] = {
    "approve": frozenset({State.HELD}),
    "retry": frozenset({State.HELD, State.DEAD}),
    "discard": frozenset({State.HELD, State.DEAD}),
}
"""In which states an operation takes a person's word."""
_WORDS: Final[Mapping[Why, str]] = {
    Why.MOVING: "it is under way and opens this by itself",
    Why.MISSING: "no event ever told of it: send its event",
    Why.REMOVED: "the source removed it: send its event again, or correct what names it",
    Why.HELD: "it is held for a person: see `outbox show` of its operation",
    Why.DEAD: "DokStamp refused it: correct the record in the source",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Who decides, and why; both are sealed in the log, under the key of whom it concerns."""

    actor: str | None = None
    reason: str | None = None

    def private(self) -> dict[str, Json] | None:
        """Return the private part of the event that tells of the decision."""
        named: dict[str, Json] = {"actor": self.actor, "reason": self.reason}
        return {name: value for name, value in named.items() if value is not None} or None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which operations are meant: these, or all that fit every filter."""

    keys: tuple[OperationKey, ...] = ()
    entity: str | None = None
    reason: str | None = None
    """A reason code, such as `mass_change`."""


async def outbox_page(
    ledger: Ledger,
    *,
    states: Sequence[State] = (),
    entity: str | None = None,
    after: Cursor | None = None,
    limit: int = ROWS_MAX,
) -> Page[Cursor]:
    """Return operations by cause, each with what it waits for."""

    def look(connection: Connection, scope: Scope) -> Page[Cursor]:
        found = store.read_page(
            connection, scope, states=states, entity=entity, after=after, limit=limit
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


async def decide(
    ledger: Ledger, verb: Verb, selection: Selection, *, signature: Signature | None = None
) -> tuple[OperationKey, ...]:
    """Approve, retry or discard operations, on record; returns which.

    Raises `InputError`, and changes nothing, if one that was named cannot take it. Filters pass
    over those that cannot.
    """
    signature = signature or Signature()
    done: list[OperationKey] = []
    while keys := await _choose(ledger, verb, selection, after=done):
        await _record(ledger, verb, keys, signature)
        done += keys
        if len(keys) < KEYS_PER_EVENT:
            break
    return tuple(done)


async def _choose(
    ledger: Ledger, verb: Verb, selection: Selection, *, after: Sequence[OperationKey]
) -> list[OperationKey]:
    if selection.keys:
        keys = list(dict.fromkeys(selection.keys))[len(after) :][:KEYS_PER_EVENT]
        await ledger.read_folded(lambda c, scope: refuse_illegal(c, scope, verb, keys))
        return keys
    return await ledger.read_folded(lambda c, scope: _matching(c, scope, verb, selection))


def _matching(
    connection: Connection, scope: Scope, verb: Verb, selection: Selection
) -> list[OperationKey]:
    # Those that were decided on left these states, so that every page begins anew.
    matching: list[OperationKey] = []
    after: Cursor | None = None
    while len(matching) < KEYS_PER_EVENT:
        page = store.read_page(
            connection,
            scope,
            states=sorted(LEGAL[verb]),
            entity=selection.entity,
            after=after,
            limit=ROWS_MAX,
        )
        matching += [
            each.key
            for each in page
            if _objection(verb, each) is None and selection.reason in (None, each.reason)
        ]
        if len(page) < ROWS_MAX:
            break
        after = (page[-1].cause, page[-1].key)
    return matching[:KEYS_PER_EVENT]


async def _record(
    ledger: Ledger, verb: Verb, keys: Sequence[OperationKey], signature: Signature
) -> None:
    private = signature.private()
    # What was said of several persons has to go with each of them: an event for every one.
    groups = {NOBODY: list(keys)} if private is None else await _by_person(ledger, keys)
    scribe = await ledger.scribe(groups if private is not None else ())

    def step(transaction: Transaction) -> None:
        # Looked at again: the world may have gone on since they were chosen.
        refuse_illegal(transaction.connection, transaction.scope, verb, keys)
        for person, mine in groups.items():
            public: dict[str, Json] = {"operations": [*mine]}
            scribe.record(transaction, _EVENTS[verb], public=public, private=private, person=person)

    await ledger.transact(step)


async def _by_person(ledger: Ledger, keys: Sequence[OperationKey]) -> dict[str, list[OperationKey]]:
    found = await ledger.read_folded(lambda c, scope: store.find(c, scope, keys=keys))
    persons = await persons_of(ledger, {each.reference for each in found.values()})
    groups: dict[str, list[OperationKey]] = {}
    for key in keys:
        groups.setdefault(persons.get(found[key].reference, NOBODY), []).append(key)
    return groups


def refuse_illegal(
    connection: Connection, scope: Scope, verb: Verb, keys: Sequence[OperationKey]
) -> None:
    """Raise `InputError` if one of these operations cannot take a person's word."""
    found = store.find(connection, scope, keys=keys)
    for key in keys:
        operation = found.get(key)
        if operation is None:
            message = f"there is no operation {key}: see `outbox list`"
            raise InputError(message)
        objection = _objection(verb, operation)
        if objection is not None:
            message = f"cannot {verb} operation {key}: {objection}"
            raise InputError(message)


def _objection(verb: Verb, operation: Operation) -> str | None:
    if operation.state not in LEGAL[verb]:
        legal = " or ".join(sorted(LEGAL[verb]))
        return f"it is {operation.state}, not {legal}"
    # To go on means to find out first; to give up would forget what may have been sent.
    if verb == "discard" and operation.possibly_sent:
        return "something of it may have reached DokStamp: `outbox retry` finds that out"
    return None


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
        "concerns": concerns,
        "cause": operation.cause,
        "possibly_sent": operation.possibly_sent,
        "superseded_by": operation.superseded_by,
    }
