"""Writes what conversations do into the ledger: claims, progress, settlements, evidence.

Everything is fenced by the lease: a worker that lost its lane appends its evidence, nothing else.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import ConflictError
from ledger.ledger import Ledger
from ledger.log.envelope import Prepared
from ledger.log.event import NOBODY
from ledger.outbox import gate_store, look_store
from ledger.outbox.lease_store import Claimed, ClaimTerms
from ledger.outbox.operation import Operation
from ledger.reference import Json
from ledger.scribe import Scribe
from ledger.transaction import Transaction
from sync.dispatcher.judging import Verdict
from sync.dispatcher.looking import can_double, look_seconds
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Progress, Settlement
from sync.dispatcher.work_reader import Assembled
from sync.dokstamp.exchange import Exchange
from sync.resources.catalog import RESOURCES

SETTLE_SECONDS: Final = 30.0
OPENED_WITH_A_SETTLEMENT: Final = 50
"""Gates that a settlement opens itself at each wake; the opener takes the rest."""
WAKES_WITH_A_SETTLEMENT: Final = 4
_NAMES: Final = frozenset(
    {"uuid", "file", "files", "file_uuid", "modules", "finish", "status", "issued_at", "is_active"}
).union(one.remote for each in RESOURCES.values() for one in each.fields)
"""The fields that requests carry, as DokStamp calls them."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """Under which lease a conversation works."""

    host: str
    epoch: int
    lanes: tuple[str, ...] = field(repr=False)


class OutcomeWriter:
    """Logs and folds outcomes in one transaction each."""

    def __init__(self, ledger: Ledger, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._ledger = ledger
        self._settle_seconds = settle_seconds

    async def claim(
        self, terms: ClaimTerms, *, begin: Callable[[ClaimTerms], ClaimTerms] | None = None
    ) -> list[Claimed]:
        """Take work; what is returned is on record as claimed before anything is sent.

        `begin` is told right before the time of leases is read.
        """

        def take(step: Transaction) -> list[Claimed]:
            begun = terms if begin is None else begin(terms)
            return step.claim(begun.at(step.lease_now))

        return await self._ledger.transact(take)

    async def progress(
        self, about: Assembled, step: Progress, *, tenure: Tenure, exchanges: Sequence[Exchange]
    ) -> bool:
        """Put a progress on record; returns False if the lease was lost and nothing changed."""
        told = self._told(exchanges)
        public: dict[str, Json] = {"operation": step.operation, "exchanges": told}
        if step.bind is not None:
            public["bind"] = step.bind
        prepared = await self._ledger.outcome(
            "operation.progressed",
            public=public,
            private={"facts": dict(step.facts)} if step.facts else None,
            person=about.person if step.facts else "",
            subject=about.operation.reference,
        )

        def write(transaction: Transaction) -> bool:
            if not _holds(transaction, tenure):
                _leave_evidence(transaction, about.operation, told)
                return False
            _record(transaction, prepared, public=public)
            return True

        return await self._ledger.transact(write)

    async def settle(
        self,
        works: Sequence[Assembled],
        verdicts: Sequence[Verdict],
        *,
        tenure: Tenure,
        exchanges: Sequence[Exchange],
    ) -> bool:
        """Settle a whole conversation in one transaction and free its lanes."""
        about = {item.operation.key: item for item in works}
        told = self._told(exchanges)
        scribe = await self._ledger.scribe(
            about[each.settlement.operation].person for each in verdicts if each.settlement.facts
        )

        def write(transaction: Transaction) -> bool:
            if not _holds(transaction, tenure):
                _leave_evidence(transaction, works[0].operation, told)
                return False
            evidence = told
            for verdict in verdicts:
                public = _public(verdict, tenure=tenure, exchanges=evidence)
                if verdict.rest_seconds > 0:
                    rests_until = transaction.lease_now + verdict.rest_seconds
                    public["not_before"] = int(rests_until * 1000)
                settled = about[verdict.settlement.operation]
                if _puts_off_look(transaction, settled.operation, verdict):
                    # Counted from here: what was in doubt may have been made only now.
                    looks_from = transaction.lease_now + look_seconds(self._settle_seconds)
                    public["looks_from"] = int(looks_from * 1000)
                _settle(transaction, settled, verdict, public=public, scribe=scribe)
                # What was exchanged once is told once, with the first of the conversation.
                evidence = []
            transaction.free(tenure.lanes)
            _open_gates(transaction)
            return True

        return await self._ledger.transact(write)

    def _told(self, exchanges: Sequence[Exchange]) -> list[Json]:
        """Return exchanges as evidence: digests are keyed, for a body can be guessed."""
        return [self._keyed(exchange.to_json()) for exchange in exchanges]

    def _keyed(self, exchange: dict[str, Json]) -> dict[str, Json]:
        for name in ("request_sha256", "answer_sha256"):
            digest = str(exchange.pop(name) or "")
            if digest:
                keyed = self._ledger.vault.lookup_digest(b"exchange", bytes.fromhex(digest))
                exchange[name.replace("sha256", "digest")] = keyed.hex()
        return exchange


def _puts_off_look(transaction: Transaction, operation: Operation, verdict: Verdict) -> bool:
    """Tell whether a look at the record that was just made counts from now."""
    is_again = operation.attempts > 1 and can_double(operation)
    if verdict.settlement.outcome is not Outcome.DONE or not is_again:
        return False
    reference, connection = operation.reference, transaction.connection
    return look_store.is_waiting(connection, transaction.scope, reference=reference)


def _holds(transaction: Transaction, tenure: Tenure) -> bool:
    return transaction.still_holds(tenure.lanes, host=tenure.host, epoch=tenure.epoch)


def _open_gates(transaction: Transaction) -> None:
    connection, scope = transaction.connection, transaction.scope
    for _ in range(WAKES_WITH_A_SETTLEMENT):
        if not gate_store.open_page(connection, scope, limit=OPENED_WITH_A_SETTLEMENT):
            return


def _record(transaction: Transaction, prepared: Prepared, *, public: Mapping[str, Json]) -> None:
    transaction.record(prepared.type, public=public, subject=prepared.subject, prepared=prepared)


def _settle(
    transaction: Transaction,
    about: Assembled,
    verdict: Verdict,
    *,
    public: dict[str, Json],
    scribe: Scribe,
) -> None:
    kind, subject = "operation.settled", about.operation.reference
    # What the service tells of a certificate leads to a page about a person.
    facts: dict[str, Json] = dict(verdict.settlement.facts)
    try:
        with transaction.savepoint():
            scribe.record(
                transaction,
                kind,
                public=public,
                subject=subject,
                private={"facts": facts} if facts else None,
                person=about.person if facts else NOBODY,
            )
    except ConflictError:
        # Another source record holds the target: nothing is taken from it, a person decides.
        public |= {"outcome": Outcome.HELD.value, "reason": Reason.HELD_BY_ANOTHER.value}
        public.pop("target", None)
        public.pop("after", None)
        transaction.record(kind, public=public, subject=subject)


def _public(verdict: Verdict, *, tenure: Tenure, exchanges: list[Json]) -> dict[str, Json]:
    settlement = verdict.settlement
    fields: dict[str, Json] = {
        "operation": settlement.operation,
        "outcome": settlement.outcome.value,
        "reason": str(settlement.reason) or None,
        "target": settlement.target,
        "after": None if settlement.after is After.UNCHANGED else settlement.after.value,
        "failed": True if _has_failed(settlement) else None,
        "in_doubt": True if settlement.in_doubt else None,
        "fields": [name for name in settlement.fields if _is_ours(name)] or None,
        "exchanges": exchanges or None,
        "host": tenure.host,
        "epoch": tenure.epoch,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _is_ours(name: str) -> bool:
    """Tell whether a refused field is one of ours: any other name could quote what was sent."""
    parts = (part for part in re.split(r"[.\[\]]+", name) if part and not part.isdecimal())
    return all(part in _NAMES for part in parts)


def _has_failed(settlement: Settlement) -> bool:
    is_done = settlement.outcome is Outcome.DONE
    return settlement.counts_as_failure and not is_done


def _leave_evidence(transaction: Transaction, operation: Operation, exchanges: list[Json]) -> None:
    if not exchanges:
        return
    public: dict[str, Json] = {"operation": operation.key, "exchanges": exchanges}
    transaction.record("exchange.recorded", public=public, subject=operation.reference)
