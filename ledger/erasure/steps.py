"""The two steps of an erasure that the log tells of: decided and written at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from ledger.erasure.premises import Teller
from ledger.errors import EventError
from ledger.log.canonical import INTEGER_MAX
from ledger.outbox.operation import Operation, State
from ledger.reference import Json, Position, SourceRef
from ledger.subjects import search_store, subject_store
from ledger.subjects.dependant_store import is_in_doubt, open_on, waiting_on
from ledger.subjects.subject_store import Standing
from ledger.transaction import Transaction

REFUSED: Final = "event.quarantined"
"""The events that keep refused lines, each under a key of its own."""


class SubjectHeldError(EventError):
    """Tells that a legal hold keeps a person from being erased."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Refused lines about a person, each kept under a key of its own."""

    key_owners: tuple[str, ...] = ()
    documents: tuple[bytes, ...] = field(default=(), repr=False)
    seen: Position = -1
    """The last refused line that was looked at."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The step that begins an erasure; False where a refused line came meanwhile."""

    teller: Teller
    person: str
    traces: Traces
    is_again: bool = field(kw_only=True)

    def __call__(self, step: Transaction) -> bool:
        """Give up what was never sent, hold what waits for it, and close the name."""
        connection, scope = step.connection, step.scope
        standing = _standing(step, self.person)
        if standing is Standing.HELD and not self.is_again:
            message = f"{self.person} is held and cannot be erased: release the hold first"
            raise SubjectHeldError(message)
        if standing in subject_store.CLOSED:
            return True
        last = search_store.last_of_type(connection, scope.ledger, event_type=REFUSED)
        if self.teller.wish.find is not None and last > self.traces.seen:
            return False
        self.teller.record(step, "subject.erasing", self._public(step))
        return True

    def _public(self, step: Transaction) -> dict[str, Json]:
        connection, scope = step.connection, step.scope
        records = records_of(connection, scope.ledger, self.person)
        operations = open_on(connection, scope, records=records)
        waiting = waiting_on(connection, scope, records=records)
        parts: dict[str, Json] = {
            "discarded": [each.key for each in operations if not is_in_doubt(each)],
            "retried": [each.key for each in operations if _must_go_on(each)],
            "held": [
                [key, [[each.entity, each.source_id] for each in records]]
                for key, records in waiting.items()
            ],
            "also": list(self.traces.key_owners),
            "again": self.is_again,
        }
        return {"person": self.person, **{name: part for name, part in parts.items() if part}}


@dataclass(frozen=True, slots=True)
class Conclude:
    """The step that ends the taking part of a person in anything; False while in doubt."""

    teller: Teller
    person: str
    also: Sequence[Json]
    documents_of: Sequence[str]

    def __call__(self, step: Transaction) -> bool:
        """Give up what is left and let go of what was derived from the data."""
        if _standing(step, self.person) is not Standing.ERASING:
            return True
        records = records_of(step.connection, step.scope.ledger, self.person)
        operations = open_on(step.connection, step.scope, records=records)
        if any(map(is_in_doubt, operations)):
            return False
        parts: dict[str, Json] = {
            "discarded": [each.key for each in operations],
            "documents_of": list(self.documents_of),
            "also": list(self.also),
        }
        public = {name: part for name, part in parts.items() if part}
        self.teller.record(step, "subject.erased", {"person": self.person, **public})
        return True


def _standing(step: Transaction, person: str) -> Standing | None:
    found = subject_store.find(step.connection, step.scope, persons=[person]).get(person)
    return None if found is None else found.standing


def records_of(connection: Connection, ledger: int, person: str) -> tuple[SourceRef, ...]:
    """Return every record that is a person's by now."""
    # Everything so far: what is appended in this step's own batch is not in the head row yet.
    return subject_store.records_of(connection, ledger, person=person, before=INTEGER_MAX)


def _must_go_on(operation: Operation) -> bool:
    """Tell whether an operation in doubt waits for a person, who would only have it looked at."""
    return is_in_doubt(operation) and operation.state in {State.HELD, State.DEAD}
