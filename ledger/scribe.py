"""Outcomes told within the step that decides what they say, their private parts sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.log.envelope import outcome_source
from ledger.log.event import NOBODY, NewEvent
from ledger.reference import Json, Position, SourceRef
from ledger.sealing import Sealer
from ledger.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes outcomes for persons whose keys were made ready, and durable, beforehand."""

    sealer: Sealer
    keys: Mapping[str, bytes] = field(repr=False)

    def record(
        self,
        step: Transaction,
        kind: str,
        *,
        public: Mapping[str, Json],
        subject: SourceRef | None = None,
        private: Mapping[str, Json] | None = None,
        person: str = NOBODY,
    ) -> Position:
        """Log and fold an outcome; the private part is kept where the person's key exists."""
        event = NewEvent(
            source=outcome_source(step.conditions.ledger_id),
            id=f"{kind}/{step.head.size}",
            type=kind,
            subject=subject,
            public=public,
            private=private,
            person=person,
        )
        prepared = self.sealer.prepare_with(self.keys, event, recorded_at=step.now)
        return step.record(kind, public=public, prepared=prepared)
