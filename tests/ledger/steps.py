"""Events to offer and steps to run: what tests of the log and of folds begin with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from ledger.clock import START_OF_MANUAL_TIME
from ledger.log import store as log_store
from ledger.log.envelope import Prepared, SealedPart, prepare
from ledger.log.event import NewEvent
from ledger.reference import Scope, SourceRef
from ledger.transaction import Conditions, Offer, Transaction
from tests.ledger.rows import LEDGER_ID, LEDGER_SCOPE

T = TypeVar("T")
SOURCE = "urn:university"
SHARED = frozenset({"urn:admissions", "urn:registry"})


@dataclass(frozen=True)
class Told:
    """What an event of a test says; everything has a default but its id."""

    id: str
    source_id: str = "C-1"
    content: str = "content"
    source: str = SOURCE
    entity: str = "course"
    document: bytes | None = field(default=None)
    person: str = ""


def prepared(told: Told) -> Prepared:
    """Return an event as the log takes it, sealed by nobody."""
    event = NewEvent(
        source=told.source,
        id=told.id,
        type=f"{told.entity}.changed",
        subject=SourceRef(told.entity, told.source_id),
        private={"data": {"name": told.content}},
        person=told.person,
    )
    return prepare(
        event,
        ledger_id=LEDGER_ID,
        recorded_at=START_OF_MANUAL_TIME,
        private=SealedPart(told.content.encode(), told.content.encode()),
        content_digest=told.content.encode(),
        is_outcome=False,
    )


def offers(*told: Told) -> list[Offer]:
    """Return events ready to be appended."""
    return [Offer(prepared(each), document=each.document) for each in told]


def in_step(
    connection: Connection, step: Callable[[Transaction], T], *, scope: Scope = LEDGER_SCOPE
) -> T:
    """Run one step on a connection that is in a transaction, and move the head."""
    conditions = Conditions(
        ledger_id=LEDGER_ID, scope=scope, now=START_OF_MANUAL_TIME, shared_sources=SHARED
    )
    head = log_store.lock_head(connection, scope.ledger)
    transaction = Transaction(connection, conditions, head=head)
    result = step(transaction)
    log_store.write_head(connection, scope.ledger, head=transaction.head)
    return result
