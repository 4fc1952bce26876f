"""What keeps a person, and what brings one back: legal holds, and being let in again."""

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.erasure.premises import Premises, Teller, Wish, telling
from ledger.errors import EventError
from ledger.reference import Json, Scope, SourceRef
from ledger.subjects import subject_store
from ledger.subjects.name import first_of, following
from ledger.subjects.subject_store import Standing, Subject
from ledger.transaction import Transaction


async def hold(premises: Premises, wish: Wish) -> bool:
    """Keep a person from being erased; returns False where they were held already."""
    person = await _current(premises, wish.person)
    teller = await telling(premises, wish, person)
    return await premises.transact(_Hold(teller, person))


async def release_hold(premises: Premises, wish: Wish) -> bool:
    """Let a person be erased again; returns False where nothing held them."""
    person = await _current(premises, wish.person)
    teller = await telling(premises, wish, person)
    return await premises.transact(_Release(teller, person))


async def name_to_take(premises: Premises, person: str) -> str:
    """Return under which name a person would be let in now: the next one, once erased."""
    names = await _names(premises, person)
    is_erased = bool(names) and names[-1].standing is Standing.ERASED
    return following(names[-1].person) if is_erased else await _current(premises, person)


def readmit(step: Transaction, name: str, *, subject: SourceRef | None = None) -> None:
    """Let a person in under a new name, within the step that takes their first event."""
    found = subject_store.find(step.connection, step.scope, persons=[name])
    if name != first_of(name) and name not in found:
        public: dict[str, Json] = {"person": name}
        step.record("subject.readmitted", public=public, subject=subject)


async def current_names(premises: Premises, persons: frozenset[str]) -> dict[str, str]:
    """Return under which names events about these persons are taken now, the closed left out."""

    def look(connection: Connection, scope: Scope) -> dict[str, str]:
        found: dict[str, str] = {}
        for person in persons:
            names = subject_store.names_of(connection, scope, person=person)
            if names and not names[-1].is_closed:
                found[person] = names[-1].person
        return found

    return await premises.read_folded(look)


async def _names(premises: Premises, person: str) -> tuple[Subject, ...]:
    return await premises.read_folded(
        lambda connection, scope: subject_store.names_of(connection, scope, person=person)
    )


async def _current(premises: Premises, person: str) -> str:
    names = await _names(premises, person)
    return names[-1].person if names else first_of(person)


@dataclass(frozen=True, slots=True)
class _Hold:
    teller: Teller
    person: str

    def __call__(self, step: Transaction) -> bool:
        found = subject_store.find(step.connection, step.scope, persons=[self.person])
        subject = found.get(self.person)
        if subject is not None and subject.is_closed:
            message = f"{self.person} is {subject.standing.value} already: nothing is left to hold"
            raise EventError(message)
        if subject is not None and subject.standing is Standing.HELD:
            return False
        self.teller.record(step, "subject.held", {"person": self.person})
        return True


@dataclass(frozen=True, slots=True)
class _Release:
    teller: Teller
    person: str

    def __call__(self, step: Transaction) -> bool:
        found = subject_store.find(step.connection, step.scope, persons=[self.person])
        subject = found.get(self.person)
        if subject is None or subject.standing is not Standing.HELD:
            return False
        self.teller.record(step, "subject.hold_released", {"person": self.person})
        return True
