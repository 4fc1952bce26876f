"""What a person decides about operations: let them go on, try them again, give them up.

Every decision is an event, with who decided and why sealed under the keys of whom it concerns.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, NamedTuple

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


class Standing(NamedTuple):
    """What a person was told of an operation that is to be decided on."""

    entity: str
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The very operations that were counted, as they stood then: what comes later is not meant."""

    operations: Mapping[OperationKey, Standing]
    is_named: bool = False
    per_event: int = KEYS_PER_EVENT

    def by_reason(self) -> Counter[str]:
        """Return how many operations these are, by entity and reason code."""
        return Counter(f"{each.entity} {each.reason}" for each in self.operations.values())

    def batches(self) -> Iterator[tuple[OperationKey, ...]]:
        """Give an event's worth of keys after another."""
        keys = tuple(self.operations)
        for start in range(0, len(keys), self.per_event):
            yield keys[start : start + self.per_event]

    def stands(self, verb: Verb, operation: Operation) -> bool:
        """Tell whether an operation can still be decided as it was when it was counted."""
        is_same = self.operations.get(operation.key) == _standing(operation)
        return is_same and _objection(verb, operation) is None


async def count_fitting(ledger: Ledger, verb: Verb, selection: Selection) -> Counted:
    """Return which operations a decision would be about, and how they stand.

    Raises `InputError` if one that was named cannot take it. Filters pass over those that cannot.
    """
    named = tuple(dict.fromkeys(selection.keys))
    if named:
        found = await ledger.read_folded(lambda c, scope: _able(c, scope, verb, named))
        operations = {key: _standing(found[key]) for key in named}
    else:
        operations = await _fitting(ledger, verb, selection)
    return Counted(operations, is_named=bool(named), per_event=selection.per_event)


async def decide(
    ledger: Ledger, verb: Verb, meant: Selection | Counted, *, signature: Signature | None = None
) -> tuple[OperationKey, ...]:
    """Approve, retry or discard operations, on record; returns which.

    Raises `InputError`, and changes nothing, if one that was named cannot take it as the first
    event's worth goes on record. Each event's worth is on record by itself: cut short, the same
    words decide the rest. What changed since it was counted is passed over, and not returned.
    """
    signature = signature or Signature()
    counted = await count_fitting(ledger, verb, meant) if isinstance(meant, Selection) else meant
    done: list[OperationKey] = []
    # Nothing is on record yet when the first batch is looked at: it can refuse for all of them.
    able = tuple(counted.operations) if counted.is_named else ()
    for keys in counted.batches():
        done += await _record(ledger, verb, counted, signature, keys=keys, able=able)
        able = ()
    return tuple(done)


async def _fitting(
    ledger: Ledger, verb: Verb, selection: Selection
) -> dict[OperationKey, Standing]:
    """Return all that fit every filter, by key, in the order of their causes."""
    fitting: dict[OperationKey, Standing] = {}
    # Thousands stand alike: one object says it for all of them.
    alike: dict[Standing, Standing] = {}
    after: Cursor | None = None
    while True:
        look = partial(_matching, verb=verb, selection=selection, after=after)
        page = await ledger.read_folded(look)
        for each in page:
            if _objection(verb, each) is None:
                standing = _standing(each)
                fitting[each.key] = alike.setdefault(standing, standing)
        if len(page) < selection.per_event:
            return fitting
        after = (page[-1].cause, page[-1].key)


def _matching(
    connection: Connection,
    scope: Scope,
    *,
    verb: Verb,
    selection: Selection,
    after: Cursor | None,
) -> list[Operation]:
    return store.read_page(
        connection,
        scope,
        states=selection.legal(verb),
        entity=selection.entity,
        reason=selection.reason,
        after=after,
        limit=selection.per_event,
    )


def _standing(operation: Operation) -> Standing:
    return Standing(operation.reference.entity, operation.state, operation.reason)


async def _record(
    ledger: Ledger,
    verb: Verb,
    counted: Counted,
    signature: Signature,
    *,
    keys: Sequence[OperationKey],
    able: Sequence[OperationKey],
) -> list[OperationKey]:
    private = signature.private()
    # What was said of several persons has to go with each of them: an event for every one.
    groups = {NOBODY: list(keys)} if private is None else await _by_person(ledger, keys)
    scribe = await ledger.scribe(groups if private is not None else ())

    def step(transaction: Transaction) -> list[OperationKey]:
        # Looked at again: the world may have gone on since they were counted.
        connection, scope = transaction.connection, transaction.scope
        _able(connection, scope, verb, able)
        found = store.find(connection, scope, keys=keys)
        legal = {key for key, each in found.items() if counted.stands(verb, each)}
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
    for key in (each for each in keys if each in found):
        groups.setdefault(persons.get(found[key].reference, NOBODY), []).append(key)
    return groups


def _able(
    connection: Connection, scope: Scope, verb: Verb, keys: Sequence[OperationKey]
) -> dict[OperationKey, Operation]:
    """Return these operations; raises `InputError` if one cannot take a person's word."""
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
    return found


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
