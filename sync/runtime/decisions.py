"""What a person decides about operations: let them go on, try them again, give them up.

Every decision is an event, with who decided and why sealed under the keys of whom it concerns.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log.event import NOBODY
from ledger.outbox import store
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, OperationKey, Position, Scope
from ledger.transaction import Transaction
from sync.errors import InputError
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
    states: tuple[State, ...] = ()
    per_event: int = KEYS_PER_EVENT

    def legal(self, verb: Verb) -> list[State]:
        """Return the states of those that are meant and can be decided so."""
        return sorted(LEGAL[verb].intersection(self.states or LEGAL[verb]))


@dataclass(frozen=True, slots=True)
class Chosen:
    """One event's worth of operations to decide on, and where to look for more."""

    keys: tuple[OperationKey, ...]
    after: Cursor | None


async def decide(
    ledger: Ledger, verb: Verb, selection: Selection, *, signature: Signature | None = None
) -> tuple[OperationKey, ...]:
    """Approve, retry or discard operations, on record; returns which.

    Raises `InputError`, and changes nothing, if one that was named cannot take it. Filters pass
    over those that cannot. Each event's worth is on record by itself: cut short, the same words
    decide the rest.
    """
    signature = signature or Signature()
    if selection.keys:
        keys = tuple(dict.fromkeys(selection.keys))
        await ledger.read_folded(lambda c, scope: refuse_illegal(c, scope, verb, keys))
    done: list[OperationKey] = []
    async for chosen in _choices(ledger, verb, selection):
        done += await _record(ledger, verb, chosen, signature, is_named=bool(selection.keys))
    return tuple(done)


async def count_fitting(ledger: Ledger, verb: Verb, selection: Selection) -> Counter[str]:
    """Return how many operations a decision would be about, by entity and reason code."""
    counts: Counter[str] = Counter()
    async for keys in _choices(ledger, verb, selection):
        found = await ledger.read_folded(partial(store.find, keys=keys))
        counts.update(f"{each.reference.entity} {each.reason}" for each in found.values())
    return counts


async def _choices(
    ledger: Ledger, verb: Verb, selection: Selection
) -> AsyncIterator[Sequence[OperationKey]]:
    """Give an event's worth of keys after another; what comes later than that is left alone."""
    named = tuple(dict.fromkeys(selection.keys))
    for start in range(0, len(named), selection.per_event):
        yield named[start : start + selection.per_event]
    after: Cursor | None = None
    while not named:
        look = partial(_matching, verb=verb, selection=selection, after=after)
        chosen = await ledger.read_folded(look)
        if chosen.keys:
            yield chosen.keys
        if chosen.after is None:
            return
        after = chosen.after


def _matching(
    connection: Connection,
    scope: Scope,
    *,
    verb: Verb,
    selection: Selection,
    after: Cursor | None,
) -> Chosen:
    page = store.read_page(
        connection,
        scope,
        states=selection.legal(verb),
        entity=selection.entity,
        reason=selection.reason,
        after=after,
        limit=selection.per_event,
    )
    keys = tuple(each.key for each in page if _objection(verb, each) is None)
    last = page[-1] if len(page) == selection.per_event else None
    return Chosen(keys, None if last is None else (last.cause, last.key))


async def _record(
    ledger: Ledger,
    verb: Verb,
    keys: Sequence[OperationKey],
    signature: Signature,
    *,
    is_named: bool,
) -> list[OperationKey]:
    private = signature.private()
    # What was said of several persons has to go with each of them: an event for every one.
    groups = {NOBODY: list(keys)} if private is None else await _by_person(ledger, keys)
    scribe = await ledger.scribe(groups if private is not None else ())

    def step(transaction: Transaction) -> list[OperationKey]:
        # Looked at again: the world may have gone on since they were chosen.
        connection, scope = transaction.connection, transaction.scope
        if is_named:
            refuse_illegal(connection, scope, verb, keys)
        found = store.find(connection, scope, keys=keys)
        legal = {key for key, each in found.items() if _objection(verb, each) is None}
        for person, mine in groups.items():
            public: dict[str, Json] = {"operations": [key for key in mine if key in legal]}
            if public["operations"]:
                scribe.record(
                    transaction, _EVENTS[verb], public=public, private=private, person=person
                )
        return [key for key in keys if key in legal]

    return await ledger.transact(step)


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


def verbs_for(operation: Operation) -> list[Verb]:
    """Return what a person can decide about an operation as it stands."""
    return [verb for verb in LEGAL if _objection(verb, operation) is None]


def _objection(verb: Verb, operation: Operation) -> str | None:
    if operation.state not in LEGAL[verb]:
        legal = " or ".join(sorted(LEGAL[verb]))
        return f"it is {operation.state}, not {legal}"
    # To go on means to find out first; to give up would forget what may have been sent.
    if verb == "discard" and operation.possibly_sent:
        return "something of it may have reached DokStamp: `outbox retry` finds that out"
    return None
