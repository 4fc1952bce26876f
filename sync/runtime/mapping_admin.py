"""What a person can do about the mapping: look both ways, bind by hand, release."""

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import Connection

from ledger.audit.timeline_store import stands_for
from ledger.ledger import Ledger
from ledger.log.event import NOBODY
from ledger.mapping import store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import State
from ledger.reference import Json, OperationKey, Position, Scope, SourceRef, TargetId, same_target
from ledger.transaction import Transaction
from sync.errors import InputError
from sync.resources import RESOURCES
from sync.runtime.decisions import Signature
from sync.runtime.page import ROWS_MAX, Answer, Page, page_of
from sync.runtime.persons import persons_of

TARGET_MAX: Final = 255
_KEPT: Final = frozenset({BindingState.LIVE, BindingState.RETIRED, BindingState.REVOKED})
"""States in which other records may name the uuid, so that it is not replaced by a slip."""
_MAKING: Final = frozenset({"upsert", "issue"})
"""Kinds of operations that make a record where none is bound."""


async def mapping_page(
    ledger: Ledger,
    *,
    entity: str | None = None,
    after: SourceRef | None = None,
    limit: int = ROWS_MAX,
) -> Page[SourceRef]:
    """Return bindings by entity and source id, after a record."""
    found = await ledger.read_folded(
        lambda c, scope: store.read_page(c, scope, entity=entity, after=after, limit=limit)
    )
    return page_of(found, limit=limit, answer=_answer, cursor=lambda each: each.reference)


async def mapping_find(
    ledger: Ledger, *, reference: SourceRef | None = None, target: TargetId | None = None
) -> tuple[Answer, ...]:
    """Return the binding of a record, or every record that a target stands or stood for."""

    def look(connection: Connection, scope: Scope) -> list[Binding]:
        found = stands_for(connection, scope, target=target) if target is not None else []
        own = store.find(connection, scope, reference=reference) if reference is not None else None
        return found if own is None else [*found, own]

    return tuple(_answer(binding) for binding in await ledger.read_folded(look))


async def bind(
    ledger: Ledger,
    reference: SourceRef,
    target: TargetId,
    *,
    instead_of: TargetId | None = None,
    signature: Signature | None = None,
) -> Answer:
    """Bind a record to a DokStamp uuid by hand and let its held creation go on.

    A record that is bound keeps its uuid unless that one is named too. Raises `InputError` where
    it is not, where another record holds the uuid, or a conversation is under way.
    """
    _refuse_odd(reference, target)
    private = (signature or Signature()).private()
    public: dict[str, Json] = {"target": target}
    held = await ledger.read_folded(lambda c, scope: _held_creations(c, scope, reference))
    tell = await _telling(ledger, reference, private)

    def step(transaction: Transaction) -> Binding | None:
        known = store.find(transaction.connection, transaction.scope, reference=reference)
        if known is None or not _is_bound_to(known, target):
            _refuse_busy(transaction, reference)
            _refuse_held_by_another(transaction, reference, target)
            _refuse_to_replace(known, instead_of)
            tell(transaction, "mapping.bound", public=public, subject=reference)
        if held and held == _held_creations(transaction.connection, transaction.scope, reference):
            # Marked, for it says whom the record is: what `outbox approve` may deny of somebody.
            told: dict[str, Json] = {"operations": list(held), "by": "bind"}
            tell(transaction, "operator.approved", public=told)
        return store.find(transaction.connection, transaction.scope, reference=reference)

    return _answer_or_fail(await ledger.transact(step))


async def release(
    ledger: Ledger, reference: SourceRef, *, signature: Signature | None = None
) -> Answer:
    """Let go of a record's uuid; the record is looked for, or made anew, when it is wanted next."""
    known = await ledger.read_folded(partial(store.find, reference=reference))
    if known is None or known.state is BindingState.RELEASED:
        message = f"{reference} is not bound: see `mapping list`"
        raise InputError(message)
    target = known.target
    public: dict[str, Json] = {"target": target}
    tell = await _telling(ledger, reference, (signature or Signature()).private())

    def step(transaction: Transaction) -> Binding | None:
        _refuse_busy(transaction, reference)
        now = store.find(transaction.connection, transaction.scope, reference=reference)
        if now is None or not same_target(now.target, target):
            message = f"{reference} was bound anew meanwhile: look again with `mapping find`"
            raise InputError(message)
        tell(transaction, "mapping.released", public=public, subject=reference)
        return store.find(transaction.connection, transaction.scope, reference=reference)

    return _answer_or_fail(await ledger.transact(step))


async def _telling(
    ledger: Ledger, reference: SourceRef, private: dict[str, Json] | None
) -> Callable[..., Position]:
    """Return what tells of a decision, and seals who made it and why for the record's person."""
    person = NOBODY
    if private is not None:
        person = (await persons_of(ledger, [reference])).get(reference, NOBODY)
    scribe = await ledger.scribe([person] if private is not None else ())
    return partial(scribe.record, private=private, person=person)


def _held_creations(
    connection: Connection, scope: Scope, reference: SourceRef
) -> tuple[OperationKey, ...]:
    binding = store.find(connection, scope, reference=reference)
    if binding is not None and binding.stands and binding.sent is not None:
        # It was made before: what is held is a change, and binding says nothing about that.
        return ()
    return tuple(
        operation.key
        for operation in outbox_store.open_of_record(connection, scope, reference=reference)
        if operation.state is State.HELD and operation.kind in _MAKING
    )


def _is_bound_to(known: Binding, target: TargetId) -> bool:
    return known.state is BindingState.LIVE and same_target(known.target, target)


def _refuse_odd(reference: SourceRef, target: TargetId) -> None:
    if reference.entity not in RESOURCES:
        message = f"there is no entity {reference.entity}: one of {', '.join(sorted(RESOURCES))}"
        raise InputError(message)
    parts = target.split("/")
    wanted = 2 if reference.entity == "course_module" else 1
    is_plain = target.isprintable() and not any(character.isspace() for character in target)
    if len(parts) != wanted or not all(parts) or not is_plain or len(target) > TARGET_MAX:
        form = "COURSE-UUID/MODULE-UUID" if wanted == 2 else "a DokStamp uuid"
        message = f"{reference} is bound to {form}: check what was given"
        raise InputError(message)


def _refuse_busy(transaction: Transaction, reference: SourceRef) -> None:
    found = outbox_store.open_of_record(
        transaction.connection, transaction.scope, reference=reference
    )
    if any(operation.state is State.LEASED for operation in found):
        message = f"an operation on {reference} is under way: try again once it is settled"
        raise InputError(message)


def _refuse_held_by_another(
    transaction: Transaction, reference: SourceRef, target: TargetId
) -> None:
    holders = store.holders(
        transaction.connection, transaction.scope, entity=reference.entity, targets=[target]
    )
    holder = holders.get(target, reference)
    if holder != reference:
        message = f"{target} is bound to {holder}: `mapping release` that one first"
        raise InputError(message)


def _refuse_to_replace(known: Binding | None, instead_of: TargetId | None) -> None:
    if known is None or known.state not in _KEPT:
        return
    if instead_of is None or not same_target(known.target, instead_of):
        message = (
            f"{known.reference} is bound to {known.target}: "
            f"if that is wrong, add --instead-of {known.target}"
        )
        raise InputError(message)


def _answer_or_fail(binding: Binding | None) -> Answer:
    assert binding is not None, "what was just written is there"
    return _answer(binding)


def _answer(binding: Binding) -> Answer:
    return {
        "entity": binding.reference.entity,
        "source_id": binding.reference.source_id,
        "target_id": binding.target,
        "state": binding.state.value,
        "position": binding.position,
    }
