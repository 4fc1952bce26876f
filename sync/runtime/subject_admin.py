"""What a person in charge can do about a student: erase, hold, release, export."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger.erasure.holding_worker import hold, release_hold
from ledger.erasure.premises import Finder, Wish
from ledger.erasure.unfinished_worker import Unfinished, finish
from ledger.erasure.worker import Erasing
from ledger.ledger import Ledger
from ledger.log.canonical import INTEGER_MAX
from ledger.reference import Json, Scope, SourceRef
from ledger.subjects import subject_store
from ledger.subjects.name import name_of
from ledger.subjects.search_store import page_of_person
from ledger.subjects.subject_store import Standing
from sync.errors import InputError
from sync.runtime.decisions import Signature
from sync.runtime.page import Answer
from sync.runtime.subject_lines import Lines

STUDENT: Final = "student"


@dataclass(frozen=True, slots=True)
class Erased:
    """How far an erasure came."""

    person: str
    waits_for: tuple[str, ...] = ()
    """Operations whose outcome is found out first, by the next `sync` or `run`."""
    is_finished: bool = True

    def to_json(self) -> Answer:
        """Return it as the command line prints it."""
        waits: list[Json] = [*self.waits_for]
        state = Standing.ERASED if self.is_finished else Standing.ERASING
        return {"person": self.person, "state": state.value, "waits_for": waits}


async def subject_erase(
    ledger: Ledger, student_id: str, *, signature: Signature | None = None
) -> Erased:
    """Erase a student, or bring the erasure as far as it goes now.

    Raises `SubjectHeldError` for a student who is held, `InputError` for an unknown one.
    """
    lines = await lines_of(ledger, student_id)
    wish = await _wish(ledger, student_id, signature, find=lines.find)
    person = await Erasing(ledger).begin(wish)
    left = await finish(ledger, person)
    return _erased(person, left)


async def subject_hold(
    ledger: Ledger, student_id: str, *, signature: Signature | None = None
) -> Answer:
    """Refuse every erasure of a student until the hold is released."""
    wish = await _wish(ledger, student_id, signature)
    return {"person": wish.person, "state": "held", "changed": await hold(ledger, wish)}


async def subject_release(
    ledger: Ledger, student_id: str, *, signature: Signature | None = None
) -> Answer:
    """Let a student be erased again."""
    wish = await _wish(ledger, student_id, signature)
    changed = await release_hold(ledger, wish)
    return {"person": wish.person, "state": "released", "changed": changed}


def _erased(person: str, left: Unfinished | None) -> Erased:
    if left is None:
        return Erased(person)
    return Erased(person, waits_for=left.in_doubt, is_finished=False)


async def names_of(ledger: Ledger, student_id: str) -> tuple[str, ...]:
    """Return every name under which something of a student was sealed, oldest first."""
    first = name_of(STUDENT, student_id)

    def look(connection: Connection, scope: Scope) -> tuple[str, ...]:
        known = subject_store.names_of(connection, scope, person=first)
        return tuple(dict.fromkeys((first, *(each.person for each in known))))

    return await ledger.read_folded(look)


async def records_of(ledger: Ledger, student_id: str) -> tuple[SourceRef, ...]:
    """Return every record that is a student's: the student, enrollments, certificates."""
    names, number = await names_of(ledger, student_id), ledger.scope.ledger

    def look(connection: Connection) -> tuple[SourceRef, ...]:
        found = (
            reference
            for name in names
            for reference in subject_store.records_of(
                connection, number, person=name, before=INTEGER_MAX
            )
        )
        return tuple(dict.fromkeys(found))

    return await ledger.read(look)


async def lines_of(ledger: Ledger, student_id: str) -> Lines:
    """Return what tells whether a refused line is about a student."""
    records = frozenset(await records_of(ledger, student_id))
    return Lines(student_id, records, document_digest=ledger.vault.document_digest)


async def _wish(
    ledger: Ledger,
    student_id: str,
    signature: Signature | None,
    *,
    find: Finder | None = None,
) -> Wish:
    await require_known(ledger, student_id)
    private = signature.private() if signature is not None else None
    person, subject = name_of(STUDENT, student_id), SourceRef(STUDENT, student_id)
    return Wish(person, subject, private=private, find=find)


async def require_known(ledger: Ledger, student_id: str) -> None:
    """Raise `InputError` for a student of whom the ledger holds nothing."""
    person, number = name_of(STUDENT, student_id), ledger.scope.ledger
    page = await ledger.read(
        lambda connection: page_of_person(connection, number, person=person, after=-1)
    )
    lines = await lines_of(ledger, student_id)
    if not page and not await Erasing(ledger).lines_about(lines.find):
        message = f"nothing is known of student {student_id}: check the id of the source system"
        raise InputError(message)
