"""Which records are looked at once more, because a request for them may take effect very late.

An operation in doubt is claimed before anything else happens to it, so its claim is the one place
where a look is planned: the claim's event says which and when, and folding it makes them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from ledger.mapping import store as mapping_store
from ledger.outbox import look_store, store
from ledger.outbox.lease_store import ClaimTerms
from ledger.outbox.operation import RECHECK, Operation, State, operation_key
from ledger.reference import Json, LedgerId, OperationKey, Position, Scope


def looks_to_plan(
    connection: Connection,
    scope: Scope,
    *,
    claimed: Iterable[Operation],
    terms: ClaimTerms,
    ledger_id: LedgerId,
) -> dict[str, Json]:
    """Return what a claim's event says about looks: nothing, where nothing was in doubt."""
    doubted = [each for each in claimed if _was_sent(each) and terms.looks_again(each)]
    if not doubted:
        return {}
    references = [each.reference for each in doubted]
    bound = mapping_store.find_all(connection, scope, references=references)
    looks: list[Json] = [
        [each.key, operation_key(ledger_id, each.cause, each.reference, kind=RECHECK)]
        for each in doubted
        # Of what is bound no second one can be made: it is only changed.
        if each.reference not in bound or not bound[each.reference].holds_target
    ]
    not_before = int((terms.now + terms.look_seconds) * 1000)
    return {"looks": looks, "looks_from": not_before} if looks else {}


def fold_looks(
    connection: Connection, scope: Scope, *, public: dict[str, Any], position: Position
) -> None:
    """Plan the looks that a claim's event tells of."""
    looks: Sequence[Sequence[str]] = public.get("looks", ())
    for key, look in looks:
        look_store.plan(
            connection,
            scope,
            of=store.the(connection, scope, key=OperationKey(key)),
            key=OperationKey(look),
            not_before=public["looks_from"] / 1000,
            position=position,
        )


def _was_sent(operation: Operation) -> bool:
    """Tell whether a request of an operation may be on its way, as it stands before its claim."""
    # Doubted but never tried: a lost part of an older log may have sent it, long ago.
    in_doubt = operation.possibly_sent or operation.state is not State.READY
    return in_doubt and operation.attempts > 0
