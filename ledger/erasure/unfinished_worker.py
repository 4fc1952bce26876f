"""What erasures left undone: found by the log and by the register, and brought to its end.

A backup from before an erasure knows nothing of it, but the register does: who stands there is
erased again, with the events on record. Where the register was lost, the log fills it.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger.erasure.premises import Premises, Wish
from ledger.erasure.worker import Erasing
from ledger.errors import LedgerBusyError, LedgerError, StorageError
from ledger.reference import OperationKey, Scope, SourceRef
from ledger.subjects import search_store, subject_store
from ledger.subjects.name import record_of
from ledger.subjects.subject_store import Standing, Subject

BATCH_MAX: Final = 100
"""How many persons' keys are destroyed at once."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An erasure that goes on later, and what it waits for."""

    person: str
    in_doubt: tuple[OperationKey, ...] = ()
    """Operations to be found out first; without any, the files could not be cleared yet."""


async def finish_erasures(premises: Premises) -> tuple[Unfinished, ...]:
    """Bring every erasure that was begun as far as it goes now; returns those that wait."""
    registered = premises.vault.register.names(premises.ledger_id)
    if registered:
        await _erase_again(premises, registered)
    left, errors, batch = list[Unfinished](), list[LedgerError](), list[str]()
    async for subject in to_finish(premises, {Standing.ERASING, Standing.ERASED}):
        batch.append(subject.person)
        if len(batch) == BATCH_MAX:
            left += await _finish_each(premises, batch, errors=errors)
            batch.clear()
    left += await _finish_each(premises, batch, errors=errors)
    _raise_first(errors)
    return tuple(left)


async def finish(premises: Premises, person: str) -> Unfinished | None:
    """Take the steps of one erasure that are left; returns what it waits for, if anything."""
    left = await finish_together(premises, [person])
    return left[0] if left else None


async def finish_together(premises: Premises, persons: Collection[str]) -> tuple[Unfinished, ...]:
    """Take the steps that are left of several erasures; returns those that wait.

    Their keys go in one transaction: where that wraps every other key anew, it does so once.
    What fails for one person is raised after it was done for all others.
    """
    errors = list[LedgerError]()
    left = await _finish_each(premises, persons, errors=errors)
    _raise_first(errors)
    return tuple(left)


async def _finish_each(
    premises: Premises, persons: Collection[str], *, errors: list[LedgerError]
) -> list[Unfinished]:
    erasing, left, concluded = Erasing(premises), list[Unfinished](), list[Subject]()
    for person in persons:
        try:
            subject = await erasing.standing(person)
            if subject.standing is Standing.ERASING and not await erasing.conclude(subject):
                left.append(Unfinished(person, await erasing.in_doubt(person)))
            else:
                concluded.append(await erasing.standing(person))
        except LedgerError as error:
            errors.append(error)
    with _going_on_later():
        finished = await erasing.finished_among(concluded)
        left += await _clear(erasing, [s for s in concluded if s.person not in finished])
    return left


def _raise_first(errors: Sequence[LedgerError]) -> None:
    with _going_on_later():
        for error in errors:
            raise error


@contextmanager
def _going_on_later() -> Iterator[None]:
    """Say of what the disk refused that the erasure itself is safely begun."""
    try:
        yield
    except StorageError as error:
        message = f"{error}. The erasure that was begun is finished when the ledger is next opened"
        raise StorageError(message) from error


async def _clear(erasing: Erasing, subjects: Sequence[Subject]) -> Sequence[Unfinished]:
    if not subjects:
        return ()
    for subject in subjects:
        await erasing.register(subject)
    await erasing.destroy(*subjects)
    try:
        await erasing.scrub(*subjects)
    except LedgerBusyError:
        return [Unfinished(subject.person) for subject in subjects]
    return ()


async def to_finish(premises: Premises, standings: Collection[Standing]) -> AsyncIterator[Subject]:
    """Give every person who stands like this and of whom something is left to be done."""
    after, erasing = "", Erasing(premises)
    while page := await premises.read_folded(_PageOfSubjects(standings, after)):
        finished = await erasing.finished_among(page)
        for subject in page:
            if subject.person not in finished:
                yield subject
        after = page[-1].person


async def _erase_again(premises: Premises, registered: Collection[str]) -> None:
    """Erase whom a backup from before the erasure brought back."""
    ledger, vault = premises.scope.ledger, premises.vault
    known = await premises.read_folded(
        lambda connection, scope: subject_store.find(connection, scope, persons=registered)
    )
    open_names = {name for name in registered if name not in known or not known[name].is_closed}
    for person in sorted(open_names):
        # Who is not in this log yet must not enter it either: the source may tell of them again.
        record = await premises.read(_Record(ledger, person)) or record_of(person)
        if record is not None:
            await Erasing(premises).begin(Wish(person, record), again=person)
        elif await vault.existing_keys([person]):
            # A refused line went with its person; it stands in no table of persons.
            await vault.erase_person(person)
            with suppress(LedgerBusyError):
                await vault.database.scrub()


@dataclass(frozen=True, slots=True)
class _PageOfSubjects:
    standings: Collection[Standing]
    after: str

    def __call__(self, connection: Connection, scope: Scope) -> list[Subject]:
        return subject_store.page(connection, scope, standings=self.standings, after=self.after)


@dataclass(frozen=True, slots=True)
class _Record:
    """Finds the record by which a person's story is told: the first one about them."""

    ledger: int
    person: str

    def __call__(self, connection: Connection) -> SourceRef | None:
        page = search_store.page_of_person(connection, self.ledger, person=self.person, after=-1)
        sources = [each.subject for each in page if not each.is_outcome]
        return next((each for each in sources if each is not None), None)
