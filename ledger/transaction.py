"""One atomic step over log, outbox, mapping and checkpoints.

A `Transaction` lives inside one database transaction that holds the ledger's head row. What it logs
it also folds, in the same transaction, so the tables cannot say anything that the log does not.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from ledger import checkpoints, folding, looking
from ledger.log import store as log_store
from ledger.log.envelope import Prepared, outcome_source, prepare, public_part
from ledger.log.event import NewEvent
from ledger.log.merkle import CompactRange
from ledger.outbox import plan_codec, record_store
from ledger.outbox import store as outbox_store
from ledger.outbox.fold_store import Cause
from ledger.outbox.lease_store import Claimed, ClaimTerms, claim, holds, release
from ledger.outbox.plan import Plan
from ledger.reference import Json, LedgerId, Position, Scope, SourceRef
from ledger.subjects.fold_store import KINDS as ABOUT_SUBJECTS
from ledger.subjects.subject_store import Doorkeeper

PROJECTOR = "projector"
"""The checkpoint of the one projector of a ledger."""


class Verdict(StrEnum):
    """What became of an event that was offered."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """The same source and id came before with other content."""
    FOREIGN = "foreign_source"
    """The record belongs to another source."""
    DOCUMENT_USED = "document_used"
    """Another certificate has the same bytes (DokStamp never takes the same file twice)."""
    ERASED = "person_erased"
    """Its person was erased, or is being erased; only a person lets them in again."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The answer to one offered event."""

    verdict: Verdict
    position: Position | None
    """Where it is in the log; `None` when it was refused."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A prepared event with what the log must check about its record."""

    prepared: Prepared
    document: bytes | None = field(default=None, repr=False)
    """The keyed digest of the document that it names."""
    is_unsealed: bool = False
    """Whether it could not be sealed, because its person's key was destroyed."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every transaction of a ledger knows."""

    ledger_id: LedgerId
    scope: Scope
    now: datetime
    shared_sources: frozenset[str] = frozenset()
    """Sources declared to share one id space."""
    lease_clock: Callable[[Connection], float] | None = None
    """What leases go by where that is another clock than `now` is from."""
    doorkeeper: Doorkeeper = field(default_factory=Doorkeeper)
    """Shared by all transactions of a batch."""


class Admission:
    """Tells why the log does not take an event, from what it holds about its record."""

    def __init__(
        self, connection: Connection, scope: Scope, *, shared_sources: frozenset[str]
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._shared_sources = shared_sources

    def refusal(
        self, reference: SourceRef | None, source: str, *, document: bytes | None
    ) -> Verdict | None:
        """Return the verdict that keeps an event out, or `None` when nothing does."""
        if reference is None:
            return None
        record = record_store.find(self._connection, self._scope, reference=reference)
        if record is not None and not self._may_share(record.owner, source):
            return Verdict.FOREIGN
        user = folding.document_user(self._connection, self._scope, document=document)
        if user is not None and user != reference.source_id:
            return Verdict.DOCUMENT_USED
        return None

    def _may_share(self, owner: str, source: str) -> bool:
        return owner == source or {owner, source} <= self._shared_sources


class Transaction:
    """What can be done to a ledger in one atomic step."""

    def __init__(
        self, connection: Connection, conditions: Conditions, *, head: CompactRange
    ) -> None:
        self.connection = connection
        self.conditions = conditions
        self.head = head

    @property
    def scope(self) -> Scope:
        """Whose rows this transaction reads and writes."""
        return self.conditions.scope

    @property
    def now(self) -> datetime:
        """The moment that everything in this transaction is recorded at."""
        return self.conditions.now

    @property
    def lease_now(self) -> float:
        """The time by the clock that every host's leases go by."""
        clock = self.conditions.lease_clock
        return self.now.timestamp() if clock is None else clock(self.connection)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo everything done inside if that fails, the log's growth included."""
        before = self.head
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self.head = before
            raise

    def append(self, offers: Sequence[Offer]) -> list[Appended]:
        """Give source events their positions; duplicates and refusals take none."""
        names = [(offer.prepared.source, offer.prepared.id) for offer in offers]
        known = {
            name: (event.position, event.content_digest)
            for name, event in log_store.find_known(
                self.connection, self.scope.ledger, names=names
            ).items()
        }
        closed = self._closed(offers)
        taken: list[Prepared] = []
        answers: list[Appended] = []
        for name, offer in zip(names, offers, strict=True):
            if name in known:
                answers.append(_again(known[name], offer))
                continue
            following = self.head.size + len(taken)
            verdict = self._admit(offer, position=following, closed=closed)
            position = following if verdict is Verdict.TAKEN else None
            if position is not None:
                known[name] = (position, offer.prepared.content_digest)
                taken.append(offer.prepared)
            answers.append(Appended(verdict, position))
        self._write(taken)
        return answers

    def _closed(self, offers: Sequence[Offer]) -> frozenset[str]:
        persons = {offer.prepared.person for offer in offers if offer.prepared.person}
        unsealed = {offer.prepared.person for offer in offers if offer.is_unsealed}
        doorkeeper = self.conditions.doorkeeper
        return doorkeeper.closed(self.connection, self.scope, persons=persons) | unsealed

    def _admit(self, offer: Offer, *, position: Position, closed: Collection[str]) -> Verdict:
        if offer.prepared.person in closed:
            return Verdict.ERASED
        reference, source = offer.prepared.subject, offer.prepared.source
        shared = self.conditions.shared_sources
        admission = Admission(self.connection, self.scope, shared_sources=shared)
        refusal = admission.refusal(reference, source, document=offer.document)
        if refusal is not None or reference is None:
            return refusal or Verdict.TAKEN
        folding.fold_taken(
            self.connection,
            self.scope,
            reference=reference,
            owner=source,
            position=position,
            document=offer.document,
        )
        return Verdict.TAKEN

    def record(
        self,
        event_type: str,
        *,
        public: Mapping[str, Json],
        subject: SourceRef | None = None,
        prepared: Prepared | None = None,
    ) -> Position:
        """Log an outcome event and fold it; `prepared` brings one that has a private part."""
        outcome = prepared or self._prepare(event_type, subject=subject, public=public)
        position = self.head.size
        self._write([outcome])
        # Folded from the bytes that were logged, as a rebuild will.
        logged = folding.Outcome(position, outcome.type, outcome.subject, public_part(outcome))
        folding.fold_outcome(self.connection, self.scope, outcome=logged)
        if outcome.type in ABOUT_SUBJECTS:
            self.conditions.doorkeeper.look_again()
        return position

    def _prepare(
        self, event_type: str, *, subject: SourceRef | None, public: Mapping[str, Json]
    ) -> Prepared:
        event = NewEvent(
            source=outcome_source(self.conditions.ledger_id),
            # The size of the log names an outcome: it is the same in every replay.
            id=f"{event_type}/{self.head.size}",
            type=event_type,
            subject=subject,
            public=public,
        )
        return prepare(
            event,
            ledger_id=self.conditions.ledger_id,
            recorded_at=self.now,
            private=None,
            content_digest=b"",
            is_outcome=True,
        )

    def plan(self, parts: Sequence[tuple[Cause, Plan]], *, through: Position) -> Position:
        """Log what was planned part by part with `plan_part`, and move the checkpoint."""
        steps: list[Json] = [
            plan_codec.encode(plan) for _, plan in parts if not plan_codec.is_empty(plan)
        ]
        public: dict[str, Json] = {"through": through, "steps": steps}
        position = self.head.size
        self._write([self._prepare("operations.planned", subject=None, public=public)])
        checkpoints.write(self.connection, self.scope, name=PROJECTOR, position=through)
        return position

    def plan_part(self, cause: Cause, plan: Plan) -> None:
        """Fold what one event of a stretch makes of the outbox, so that the next one sees it."""
        folding.fold_plan(
            self.connection, self.scope, cause=cause, plan=plan, position=self.head.size
        )

    def claim(self, terms: ClaimTerms) -> list[Claimed]:
        """Take lanes and log which operations may now be sent, before anything is.

        The operations are returned as the claim leaves them: one that a dead owner had claimed is
        in doubt from now on.
        """
        claimed = claim(self.connection, self.scope, terms=terms)
        if not claimed:
            return []
        found = [item for group in claimed for item in group.operations]
        keys = [item.key for item in found]
        looks = looking.looks_to_plan(
            self.connection,
            self.scope,
            claimed=found,
            terms=terms,
            ledger_id=self.conditions.ledger_id,
        )
        who: dict[str, Json] = {"host": terms.host, "epoch": claimed[0].epoch}
        self.record("operations.claimed", public={**who, "operations": [*keys], **looks})
        now = outbox_store.find(self.connection, self.scope, keys=keys)
        return [
            Claimed(group.epoch, tuple(now[each.key] for each in group.operations))
            for group in claimed
        ]

    def still_holds(self, lanes: Sequence[str], *, host: str, epoch: int) -> bool:
        """Tell whether this host may still settle in these lanes."""
        return holds(self.connection, self.scope, lanes=lanes, host=host, epoch=epoch)

    def free(self, lanes: Sequence[str]) -> None:
        """Give lanes back once everything in them is settled."""
        release(self.connection, self.scope, lanes=lanes)

    def _write(self, prepared: Sequence[Prepared]) -> None:
        first = self.head.size
        log_store.insert(self.connection, self.scope.ledger, first=first, prepared=prepared)
        self.head = self.head.extend([event.leaf for event in prepared])


def _again(known: tuple[Position, bytes], offer: Offer) -> Appended:
    position, digest = known
    if digest == offer.prepared.content_digest:
        return Appended(Verdict.DUPLICATE, position)
    return Appended(Verdict.CONFLICT, None)
