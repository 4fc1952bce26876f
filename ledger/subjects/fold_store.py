"""What the events about persons make of the tables: the same live and in a rebuild.

What is decided (which operations are given up, which are held) stands in the event; which records
are a person's follows from the log itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_

from ledger.outbox import ending_store, store
from ledger.outbox.operation import Move, State
from ledger.reference import OperationKey, Position, Scope, SourceRef
from ledger.schema.statements import about, one_of, parameters, within
from ledger.schema.tables import documents_used, natural_keys, operations, records
from ledger.subjects import subject_store
from ledger.subjects.name import number_of
from ledger.subjects.subject_store import Standing

PERSON_ERASED: Final = "person_erased"
"""The reason code of operations on the records of an erased person."""
NAMES_ERASED: Final = "names_erased"
"""The reason code of operations that waited for the record of an erased person."""

_STUCK: Final = frozenset({State.HELD, State.DEAD})
_FORGET_KEYS = natural_keys.delete().where(about(natural_keys))
_FORGET_LANE = records.update().where(about(records)).values(lane="")
_FORGET_LANES = (
    operations.update()
    .where(about(operations))
    # As for a record without a lane: its name, so that no two records share one.
    .values(lane=operations.c.entity + " " + operations.c.source_id, second_lane=None)
)
_FORGET_DOCUMENTS = documents_used.delete().where(
    and_(within(documents_used), documents_used.c.source_id.in_(one_of("source_ids")))
)

Public = Mapping[str, Any]


def fold(
    connection: Connection, scope: Scope, *, kind: str, public: Public, position: Position
) -> None:
    """Bring the tables to what one event about a person says."""
    _FOLDS[kind](connection, scope, public, position)


def _held(connection: Connection, scope: Scope, public: Public, position: Position) -> None:
    _stands(connection, scope, public, Standing.HELD, position)


def _released(connection: Connection, scope: Scope, public: Public, position: Position) -> None:
    if number_of(public["person"]) == 1:
        subject_store.forget(connection, scope, person=public["person"])
    else:
        _readmitted(connection, scope, public, position)


def _readmitted(connection: Connection, scope: Scope, public: Public, position: Position) -> None:
    _stands(connection, scope, public, Standing.READMITTED, position)


def _erasing(connection: Connection, scope: Scope, public: Public, position: Position) -> None:
    for key, concerns in public.get("held", ()):
        _hold(connection, scope, key=OperationKey(key), concerns=concerns)
    store.link_event(
        connection, scope, keys=[key for key, _ in public.get("held", ())], position=position
    )
    retried = [OperationKey(key) for key in public.get("retried", ())]
    ending_store.fold_approval(connection, scope, keys=retried, position=position)
    _discard(connection, scope, public.get("discarded", ()), position=position)
    _stands(connection, scope, public, Standing.ERASING, position)


def _erased(connection: Connection, scope: Scope, public: Public, position: Position) -> None:
    _discard(connection, scope, public.get("discarded", ()), position=position)
    person = public["person"]
    for reference in subject_store.records_of(
        connection, scope.ledger, person=person, before=position
    ):
        _scrub(connection, scope, reference)
    source_ids = list(public.get("documents_of", ()))
    connection.execute(_FORGET_DOCUMENTS, parameters(scope, source_ids=source_ids))
    _stands(connection, scope, public, Standing.ERASED, position)


def _stands(
    connection: Connection, scope: Scope, public: Public, standing: Standing, position: Position
) -> None:
    person = public["person"]
    subject_store.write(connection, scope, person=person, standing=standing, position=position)


def _hold(
    connection: Connection, scope: Scope, *, key: OperationKey, concerns: Iterable[list[str]]
) -> None:
    operation = store.the(connection, scope, key=key)
    if operation.state is not State.HELD:
        store.move(connection, scope, operation=operation, move=Move.HOLD)
    named = [SourceRef(entity, source_id) for entity, source_id in concerns]
    store.give_reason(connection, scope, key=key, reason=NAMES_ERASED, concerns=named)


def _discard(
    connection: Connection, scope: Scope, keys: Iterable[str], *, position: Position
) -> None:
    """Give up what was never sent; what waits for it goes on without."""
    wanted = [OperationKey(key) for key in keys]
    for key, operation in store.find(connection, scope, keys=wanted).items():
        if operation.state not in _STUCK:
            store.move(connection, scope, operation=operation, move=Move.HOLD)
        store.give_reason(connection, scope, key=key, reason=PERSON_ERASED, concerns=())
    ending_store.fold_discard(connection, scope, keys=wanted, position=position)


def _scrub(connection: Connection, scope: Scope, reference: SourceRef) -> None:
    """Forget the digests of what a record held; they could be guessed at with the master key."""
    for statement in (_FORGET_KEYS, _FORGET_LANE, _FORGET_LANES):
        connection.execute(statement, parameters(scope, reference))


_FOLDS: Final[Mapping[str, Callable[[Connection, Scope, Public, Position], None]]] = {
    "subject.held": _held,
    "subject.hold_released": _released,
    "subject.readmitted": _readmitted,
    "subject.erasing": _erasing,
    "subject.erased": _erased,
}
KINDS: Final = frozenset(_FOLDS)
"""The types of event that are folded here."""
