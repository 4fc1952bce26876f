"""Erases a person, one durable step after another; whoever comes next goes on where one stopped.

```
begin      subject.erasing: nothing is taken any more, what was never sent is given up
           (what may have been sent is found out by whoever works the outbox)
conclude   subject.erased: digests derived from the data are gone from the tables
register   the person stands in the register beside the key file
destroy    the keys are gone, and the documents
scrub      the databases' files are cleared of what was deleted
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger import folding
from ledger.documents.document_store import DocumentName, assign_document
from ledger.erasure.premises import Finder, Premises, Teller, Wish, telling
from ledger.erasure.steps import REFUSED, Begin, Conclude, Traces, records_of
from ledger.log import store as log_store
from ledger.log.envelope import Stored, decode
from ledger.log.merkle import tree_root
from ledger.log.tile_store import TileSource
from ledger.reference import OperationKey, Position, Scope
from ledger.scribe import Scribe
from ledger.subjects import search_store, subject_store
from ledger.subjects.dependant_store import is_in_doubt, open_on
from ledger.subjects.name import first_of
from ledger.subjects.subject_store import Standing, Subject
from ledger.vault import key_store

LOOKS_MAX: Final = 5
"""How often the search for refused lines is repeated while new ones keep coming."""


class Erasing:
    """Brings erasures from one step to the next; each may be taken again at any time."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    async def names(self, person: str) -> tuple[Subject, ...]:
        """Return every name of a person that stands in some way, in the order of their use."""
        return await self._premises.read_folded(
            lambda connection, scope: subject_store.names_of(connection, scope, person=person)
        )

    async def standing(self, name: str) -> Subject:
        """Return how a person stands under a name that an erasure was begun of."""
        found = await self._premises.read_folded(
            lambda connection, scope: subject_store.find(connection, scope, persons=[name])
        )
        return found[name]

    async def begin(self, wish: Wish, *, again: str | None = None) -> str:
        """Take nothing more of a person from now on; returns the name that is being erased.

        Refused lines about the person are marked to go as well. Raises `SubjectHeldError` for a
        person who is held. `again` is the name of who was erased before and came back with a
        backup; no hold of that time keeps them.
        """
        found = await self.names(wish.person)
        person = again or (found[-1].person if found else first_of(wish.person))
        teller = await telling(self._premises, wish, person)
        for _ in range(LOOKS_MAX):
            traces = await self._traces(wish.find)
            await self._assign(person, traces.documents, but_used=True)
            if await self._premises.transact(
                Begin(teller, person, traces, is_again=again is not None)
            ):
                break
        return person

    async def in_doubt(self, person: str) -> tuple[OperationKey, ...]:
        """Return the operations whose outcome has to be found out before the key can go."""

        def look(connection: Connection, scope: Scope) -> tuple[OperationKey, ...]:
            records = records_of(connection, scope.ledger, person)
            doubted = filter(is_in_doubt, open_on(connection, scope, records=records))
            return tuple(operation.key for operation in doubted)

        return await self._premises.read_folded(look)

    async def conclude(self, subject: Subject) -> bool:
        """Log that a person is erased; returns False while something is in doubt."""
        stored = await self._event(subject)
        assert stored.subject is not None, "events about a person name their record"
        used = await self._documents(subject.person)
        await self._assign(subject.person, tuple(used))
        also = decode(stored)["public"].get("also", [])
        teller = Teller(Scribe(self._premises.sealer, {}), Wish(subject.person, stored.subject))
        conclude = Conclude(teller, subject.person, also, tuple(sorted(set(used.values()))))
        return await self._premises.transact(conclude)

    async def register(self, subject: Subject) -> None:
        """Note an erasure beside the key file, where no backup of a database reaches."""
        vault, now = self._premises.vault, self._premises.clock.now()
        # The register must not name an event that a power cut could still undo.
        await self._premises.database.make_durable()
        root = await self._premises.read(_RootAt(self._premises.scope.ledger, subject.position))
        for name in (*await self._also(subject), subject.person):
            vault.register.add(
                self._premises.ledger_id,
                name,
                position=subject.position,
                recorded_at=now,
                root=root.hex(),
            )

    async def destroy(self, *subjects: Subject) -> None:
        """Destroy the keys and the documents of erased persons, all at once."""
        names = await self._names_with(subjects)
        first, *others = [name for each in names.values() for name in each]
        await self._premises.vault.erase_person(first, also=others)

    async def scrub(self, *subjects: Subject) -> None:
        """Clear the databases' files of what was deleted."""
        vault, now = self._premises.vault, self._premises.clock.now()
        await self._premises.database.scrub()
        await vault.database.scrub()

        def note(connection: Connection) -> None:
            for each in subjects:
                key_store.note_scrubbed(connection, vault.ledger, person=each.person, now=now)

        await vault.database.run(note)

    async def is_finished(self, subject: Subject) -> bool:
        """Tell whether nothing is left to be done of an erasure."""
        return subject.person in await self.finished_among([subject])

    async def finished_among(self, subjects: Sequence[Subject]) -> frozenset[str]:
        """Return those of whose erasure nothing is left to be done, by few reads for all."""
        vault = self._premises.vault
        names = await self._names_with(
            [each for each in subjects if each.standing is Standing.ERASED]
        )
        registered = vault.register.names(self._premises.ledger_id)

        def left(connection: Connection) -> frozenset[str]:
            every = [name for each in names.values() for name in each]
            keys = key_store.load_keys(connection, vault.ledger, persons=every)
            return key_store.scrub_pending(connection, vault.ledger, persons=names) | keys.keys()

        open_still = await vault.database.read(left) if names else frozenset[str]()
        return frozenset(
            person
            for person, each in names.items()
            if registered.issuperset(each) and open_still.isdisjoint(each)
        )

    async def lines_about(self, find: Finder) -> tuple[str, ...]:
        """Return the key owners of the refused lines that are about a person."""
        return (await self._traces(find)).key_owners

    async def _traces(self, find: Finder | None) -> Traces:
        """Look through every refused line, released ones included, a page at a time."""
        ledger, owners, documents = self._premises.scope.ledger, list[str](), list[bytes]()
        after = -1
        while find is not None:
            page = await self._premises.read(_PageOfRefused(ledger, after))
            if not page:
                break
            for event in await self._premises.sealer.open(page):
                named = None if event.private is None else find(event)
                if named is not None:
                    owners.append(event.person)
                    documents += named
            after = page[-1].position
        return Traces(tuple(owners), tuple(documents), after)

    async def _documents(self, person: str) -> dict[bytes, str]:
        """Return the documents that a person's events name, and the record each serves."""
        sealer, ledger, found = self._premises.sealer, self._premises.scope.ledger, {}
        page = await self._premises.read(_PageOfPerson(ledger, person, -1))
        while page:
            for event in await sealer.open(page):
                document = sealer.document_of(event)
                if document is not None and event.subject is not None:
                    found[document] = event.subject.source_id
            page = await self._premises.read(_PageOfPerson(ledger, person, page[-1].position))
        return found

    async def _assign(
        self, person: str, documents: Sequence[bytes], *, but_used: bool = False
    ) -> None:
        """Say whose these documents are, so that they go without anything being opened again."""
        vault = self._premises.vault

        def used(connection: Connection, scope: Scope) -> set[bytes]:
            look = folding.document_user
            return {each for each in documents if look(connection, scope, document=each)}

        kept = await self._premises.read_folded(used) if but_used else set[bytes]()
        mine = [DocumentName(each) for each in documents if each not in kept]

        def assign(connection: Connection) -> None:
            for document in mine:
                assign_document(connection, vault.ledger, document=document, person=person)

        if mine:
            await vault.database.run(assign)

    async def _also(self, subject: Subject) -> tuple[str, ...]:
        return tuple(decode(await self._event(subject))["public"].get("also", ()))

    async def _event(self, subject: Subject) -> Stored:
        (stored,) = await self._events([subject])
        return stored

    async def _events(self, subjects: Sequence[Subject]) -> Sequence[Stored]:
        ledger, positions = self._premises.scope.ledger, [each.position for each in subjects]
        return await self._premises.read(
            lambda connection: log_store.read_at(connection, ledger, positions=positions)
        )

    async def _names_with(self, subjects: Sequence[Subject]) -> dict[str, tuple[str, ...]]:
        """Return every name whose key goes with each of these persons', by person."""
        if not subjects:
            return {}
        also = {
            each.position: decode(each)["public"].get("also", ())
            for each in await self._events(subjects)
        }
        return {each.person: (*also[each.position], each.person) for each in subjects}


@dataclass(frozen=True, slots=True)
class _RootAt:
    """Tells the tree that ends with an event from that of every other log."""

    ledger: int
    position: Position

    def __call__(self, connection: Connection) -> bytes:
        return tree_root(self.position + 1, TileSource(connection, self.ledger))


@dataclass(frozen=True, slots=True)
class _PageOfRefused:
    ledger: int
    after: Position

    def __call__(self, connection: Connection) -> list[Stored]:
        return search_store.page_of_type(
            connection, self.ledger, event_type=REFUSED, after=self.after
        )


@dataclass(frozen=True, slots=True)
class _PageOfPerson:
    ledger: int
    person: str
    after: Position

    def __call__(self, connection: Connection) -> list[Stored]:
        return search_store.page_of_person(
            connection, self.ledger, person=self.person, after=self.after
        )
