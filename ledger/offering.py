"""Source events made ready to be appended: whose they are, under which name, and sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ledger.erasure.holding_worker import current_names
from ledger.erasure.premises import Premises
from ledger.errors import EventError
from ledger.log import store as log_store
from ledger.log.envelope import Prepared, outcome_source
from ledger.log.event import NewEvent
from ledger.reference import Scope, SourceRef
from ledger.subjects import subject_store
from ledger.transaction import Admission, Offer


class Offering:
    """Prepares what sources offer."""

    def __init__(self, premises: Premises, *, shared_sources: frozenset[str]) -> None:
        self._premises = premises
        self._shared_sources = shared_sources

    async def offers(self, events: Sequence[NewEvent]) -> list[Offer]:
        """Return source events sealed and ready to be appended in a transaction."""
        own = outcome_source(self._premises.ledger_id)
        if any(event.source == own for event in events):
            message = "no source may call itself by the ledger's own name"
            raise EventError(message)
        named = await self._named(await self.with_persons(events))
        sealer, now = self._premises.sealer, self._premises.clock.now()
        prepared = await sealer.prepare(named, recorded_at=now, is_outcome=False)
        return [
            Offer(
                item,
                document=sealer.document_of(event),
                is_unsealed=_is_unsealed(event, item),
            )
            for event, item in zip(named, prepared, strict=True)
        ]

    async def would_take(self, events: Sequence[NewEvent]) -> list[bool]:
        """Tell for each event whether it would be taken if it were offered now, before the rest."""
        sealer = self._premises.sealer
        named = await self._named(await self.with_persons(events))
        documents = [sealer.document_of(event) for event in named]

        def look(connection: Connection, scope: Scope) -> list[bool]:
            names = [(event.source, event.id) for event in named]
            known = log_store.find_known(connection, scope.ledger, names=names)
            admission = Admission(connection, scope, shared_sources=self._shared_sources)
            persons = {event.person for event in named if event.person}
            closed = subject_store.Doorkeeper().closed(connection, scope, persons=persons)
            return [
                (event.source, event.id) not in known
                and event.person not in closed
                and admission.refusal(event.subject, event.source, document=document) is None
                for event, document in zip(named, documents, strict=True)
            ]

        return await self._premises.read_folded(look)

    async def with_persons(self, events: Sequence[NewEvent]) -> list[NewEvent]:
        """Give events that tell no person the one of their record's earlier events."""
        asked = [event.subject for event in events if event.inherits_person and event.subject]
        if not asked:
            return list(events)
        known = await self._premises.read_folded(
            lambda connection, scope: subject_store.owners(connection, scope, references=asked)
        )
        return _inherited(events, known)

    async def _named(self, events: Sequence[NewEvent]) -> list[NewEvent]:
        """Let events of persons who were let in again go by the names these have now."""
        persons = {event.person for event in events if event.person}
        shut = await self._premises.sealer.shut(persons)
        if not shut:
            return list(events)
        current = await current_names(self._premises, shut)
        return [replace(event, person=current.get(event.person, event.person)) for event in events]


def _inherited(events: Sequence[NewEvent], known: Mapping[SourceRef, str]) -> list[NewEvent]:
    persons, found = dict(known), list[NewEvent]()
    for event in events:
        if event.subject is not None and event.person:
            persons[event.subject] = event.person
        elif event.subject is not None and event.inherits_person:
            event = replace(event, person=persons.get(event.subject, ""))  # noqa: PLW2901
        found.append(event)
    return found


def _is_unsealed(event: NewEvent, prepared: Prepared) -> bool:
    return event.private is not None and prepared.sealed is None
